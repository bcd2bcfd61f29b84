/** A block's inner state as the engine tells it: whatever it holds, shown as it is. */

import { useEffect, useState } from 'react';
import { compact, words } from '../../lib/format';
import { ask } from '../../run/controller';
import { useSession } from '../../state/session';

const EVERY_MS = 1_000;
const ENTRIES_MAX = 24;

/** Asks for the inner state of `block` once a second while it is looked at. */
export function DetailView({ block }: { block: string }) {
  const [detail, setDetail] = useState<Record<string, unknown> | null>(null);
  const known = useSession((state) => state.running?.blocks.some((candidate) => candidate.id === block) ?? false);
  useEffect(() => {
    setDetail(null);
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
      <Value value={detail} />
    </div>
  );
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
        return (
          <div key={name} className={wide ? 'py-1' : 'flex items-baseline justify-between gap-3 py-0.5'}>
            <dt className="text-xs text-ink-2">{words(name)}</dt>
            <dd className={wide ? 'border-l border-line pl-2' : 'text-right'}>
              <Value value={inner} />
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function List({ values }: { values: unknown[] }) {
  if (!values.length) return <span className="text-xs text-ink-3">none</span>;
  const plain = values.every((value) => typeof value !== 'object');
  const shown = values.slice(0, ENTRIES_MAX);
  const more = values.length - shown.length;
  if (plain) {
    return <span className="num text-xs">{shown.map(String).join(', ') + (more > 0 ? ` and ${more} more` : '')}</span>;
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
