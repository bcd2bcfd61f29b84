/** A block's inner state as the engine tells it: whatever it holds, shown as it is. */

import { createContext, useContext, useEffect, useState } from 'react';
import { compact, words } from '../../lib/format';
import { ask } from '../../run/controller';
import { useSession } from '../../state/session';
import { useUi } from '../../state/ui';

const EVERY_MS = 1_000;
const ENTRIES_MAX = 24;

/** An entry with a story: a line that names it, the story itself, and the request that it is about (0: one that nobody follows). */
interface Told {
  id: number;
  line: string;
  says: string;
  trace?: number;
}

const isTold = (value: unknown): value is Told =>
  typeof value === 'object' && value !== null && 'says' in value && 'line' in value && 'id' in value;

const Choose = createContext<(told: Told) => void>(() => undefined);

/** Asks for the inner state of `block` once a second while it is looked at. */
export function DetailView({ block }: { block: string }) {
  const [detail, setDetail] = useState<Record<string, unknown> | null>(null);
  // Kept as it was when it was clicked: the list goes on.
  const [chosen, setChosen] = useState<Told | null>(null);
  const known = useSession((state) => state.running?.blocks.some((candidate) => candidate.id === block) ?? false);
  useEffect(() => {
    setDetail(null);
    setChosen(null);
    if (!known) return;
    let over = false;
    const look = async () => {
      const answer = await ask({ type: 'ask_detail', block });
      if (!over && answer?.type === 'detail') setDetail(answer.detail);
    };
    void look();
    const timer = setInterval(look, EVERY_MS);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [block, known]);
  if (!known) return <p className="text-xs text-ink-2">Shown once the block runs.</p>;
  if (!detail) return <p className="text-xs text-ink-2">Asking the engine …</p>;
  return (
    <div data-testid="detail">
      {chosen && <Story told={chosen} onClose={() => setChosen(null)} />}
      <Choose.Provider value={setChosen}>
        <Value value={detail} />
      </Choose.Provider>
    </div>
  );
}

function Story({ told, onClose }: { told: Told; onClose: () => void }) {
  const follow = () => {
    useUi.setState({ right: 'trace' });
    void ask({ type: 'ask_trace', trace: told.trace! });
  };
  return (
    <div role="status" data-testid="told" className="mb-2 rounded-lg bg-raised p-2.5 text-xs leading-relaxed">
      <p>{told.says}</p>
      <p className="flex gap-3 pt-1.5">
        {!!told.trace && (
          <button type="button" className="text-accent hover:underline" onClick={follow}>
            Follow its request
          </button>
        )}
        <button type="button" className="text-ink-2 hover:underline" onClick={onClose}>
          Close
        </button>
      </p>
    </div>
  );
}

/** The unit that a number's name ends with, as the engine writes them. */
const UNITS: Record<string, string> = { s: 's', ms: 'ms', mb: 'MB', percent: '%' };

function unitOf(name: string): string {
  const ending = name.slice(name.lastIndexOf('_') + 1);
  return name.includes('_') && !name.endsWith('per_s') && ending in UNITS ? ending : '';
}

function Value({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <span className="text-xs text-ink-3">none</span>;
  if (typeof value === 'number')
    return <span className="num text-xs">{Number.isInteger(value) ? value : compact(value)}</span>;
  if (typeof value === 'boolean') return <span className="text-xs">{value ? 'yes' : 'no'}</span>;
  if (typeof value === 'string') return <span className="text-xs">{value}</span>;
  if (Array.isArray(value)) return <List values={value} />;
  const entries = Object.entries(value as Record<string, unknown>);
  if (!entries.length) return <span className="text-xs text-ink-3">nothing</span>;
  return (
    <dl className="w-full">
      {entries.slice(0, ENTRIES_MAX).map(([name, inner]) => {
        const wide = typeof inner === 'object' && inner !== null;
        const unit = typeof inner === 'number' ? unitOf(name) : '';
        return (
          <div key={name} className={wide ? 'py-1' : 'flex items-baseline justify-between gap-3 py-0.5'}>
            <dt className="text-xs text-ink-2">{words(unit ? name.slice(0, -unit.length - 1) : name)}</dt>
            <dd className={wide ? 'border-l border-line pl-2' : 'text-right'}>
              <Value value={inner} />
              {unit && <span className="num text-xs"> {UNITS[unit]}</span>}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function List({ values }: { values: unknown[] }) {
  const choose = useContext(Choose);
  if (!values.length) return <span className="text-xs text-ink-3">none</span>;
  const plain = values.every((value) => typeof value !== 'object');
  const shown = values.slice(0, ENTRIES_MAX);
  const more = values.length - shown.length;
  if (plain) {
    return <span className="num text-xs">{shown.map(String).join(', ') + (more > 0 ? ` and ${more} more` : '')}</span>;
  }
  if (shown.every(isTold)) {
    return (
      <ol className="flex flex-col">
        {shown.map((told) => (
          <li key={told.id}>
            <button
              type="button"
              className="w-full rounded py-0.5 text-left text-xs hover:bg-hover"
              title="What happened?"
              onClick={() => choose(told)}
            >
              {told.line}
            </button>
          </li>
        ))}
      </ol>
    );
  }
  return (
    <ol className="flex flex-col gap-1">
      {shown.map((value, index) => (
        // The list is replaced as a whole each second; its entries have no identity of their own.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <li key={index} className="border-b border-line pb-1 last:border-0">
          <Value value={value} />
        </li>
      ))}
      {more > 0 && <li className="text-xs text-ink-3">and {more} more</li>}
    </ol>
  );
}
