/** Nothing is selected: the design itself, what it must achieve, and what stands in its way. */

import { Plus, Trash2, X } from 'lucide-react';
import { useState } from 'react';
import type { Slo } from '../../generated/protocol';
import { compact, count, plural, withUnit } from '../../lib/format';
import { reset } from '../../run/controller';
import { useLive } from '../../run/use-live';
import { edit, useDesign } from '../../state/design';
import { useSession } from '../../state/session';
import { useUi } from '../../state/ui';
import { IconButton } from '../../ui/IconButton';
import { BUTTON, FIELD } from '../../ui/looks';
import { Section } from '../../ui/Section';
import { Problems } from '../Problems';
import { kept, limitText, SLO_METRICS, sloNow } from '../Verdicts';
import { Costs } from './Costs';

/** The inspector of the whole design. */
export function DesignInspector() {
  const design = useDesign((state) => state.design);
  return (
    <div data-testid="inspector-design">
      <div className="flex items-center gap-2 px-3.5 pb-2 pt-3">
        <h2 className="min-w-0 flex-1 truncate text-base font-semibold">{design.name}</h2>
        <IconButton label="Close" onClick={() => useUi.setState({ right: null })} icon={<X size={15} />} />
      </div>
      <Problems />
      <Section title="About">
        <textarea
          key={design.description}
          aria-label="Description of the design"
          data-testid="design-description"
          className={`${FIELD} min-h-24 w-full resize-y text-xs leading-relaxed`}
          placeholder="What is this system for, and what should it withstand?"
          defaultValue={design.description}
          maxLength={4000}
          onBlur={(event) => {
            const text = event.currentTarget.value;
            if (text !== design.description) edit((old) => ({ ...old, description: text }));
          }}
        />
        <p className="mt-1 text-xs text-ink-3">
          {plural(design.blocks.length, 'block')}, {plural(design.edges.length, 'connection')}
        </p>
      </Section>
      <Section title="Objectives">
        <Objectives />
      </Section>
      <Section title="The whole design now">
        <Totals />
      </Section>
      <Section title="Cost">
        <Costs />
      </Section>
      <Section title="Chance">
        <Seed />
      </Section>
    </div>
  );
}

function Objectives() {
  const slo = useDesign((state) => state.design.slo);
  const remove = (index: number) =>
    edit((design) => ({ ...design, slo: design.slo.filter((_, other) => other !== index) }));
  return (
    <div data-testid="slo">
      {slo.map((entry, index) => (
        // Two equal objectives are the same objective, so the place in the list is its identity.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <Objective key={index} slo={entry} remove={() => remove(index)} />
      ))}
      {!slo.length && <p className="mb-1 text-xs text-ink-2">None yet. An objective turns figures into a verdict.</p>}
      <AddObjective />
    </div>
  );
}

function Objective({ slo, remove }: { slo: Slo; remove: () => void }) {
  const { label, unit } = SLO_METRICS[slo.metric];
  const text = useLive((live) => withUnit(sloNow(live, slo), unit));
  const good = useLive((live) => {
    const value = sloNow(live, slo);
    return value === undefined ? null : kept(slo, value);
  });
  const tone = good === null ? 'text-ink-2' : good ? 'text-ok' : 'text-bad';
  return (
    <div className="flex items-center gap-2 py-0.5 text-xs">
      <span className="min-w-0 flex-1 text-ink-2">
        {slo.block && <span className="num">{slo.block} </span>}
        {label} <span className="num">{limitText(slo)}</span>
      </span>
      <b className={`num ${tone}`}>
        {good === null ? '' : good ? '✓ ' : '✗ '}
        {text}
      </b>
      <IconButton label={`Remove the objective on ${label}`} onClick={remove} icon={<Trash2 size={13} />} />
    </div>
  );
}

function AddObjective() {
  const [metric, setMetric] = useState<Slo['metric']>('p99_ms');
  const [limit, setLimit] = useState('100');
  const value = Number(limit);
  const good = limit.trim() !== '' && Number.isFinite(value) && value >= 0;
  const atLeast = metric === 'availability_percent' || metric === 'goodput_per_s';
  const add = () => {
    if (!good) return;
    const slo: Slo = { metric, block: null, at_most: atLeast ? null : value, at_least: atLeast ? value : null };
    edit((design) => ({ ...design, slo: [...design.slo, slo] }));
  };
  return (
    <div className="mt-1.5 flex items-center gap-1.5">
      <select
        aria-label="Figure of the new objective"
        className={`${FIELD} min-w-0 flex-1 text-xs`}
        value={metric}
        onChange={(event) => setMetric(event.target.value as Slo['metric'])}
      >
        {Object.entries(SLO_METRICS).map(([name, { label }]) => (
          <option key={name} value={name}>
            {label} {name === 'availability_percent' || name === 'goodput_per_s' ? 'at least' : 'at most'}
          </option>
        ))}
      </select>
      <input
        aria-label="Limit of the new objective"
        aria-invalid={!good}
        className={`${FIELD} num w-16 text-right text-xs`}
        value={limit}
        onChange={(event) => setLimit(event.target.value)}
        onKeyDown={(event) => event.key === 'Enter' && add()}
      />
      <IconButton label="Add the objective" testId="slo-add" disabled={!good} onClick={add} icon={<Plus size={15} />} />
    </div>
  );
}

function Totals() {
  const figure = (label: string, text: string, testId: string) => (
    <div className="flex items-baseline justify-between gap-3 py-[3px]">
      <dt className="text-xs text-ink-2">{label}</dt>
      <dd className="num text-xs" data-testid={testId}>
        {text}
      </dd>
    </div>
  );
  const offered = useLive((live) => count(live.frame?.totals.offered ?? Number.NaN));
  const completed = useLive((live) => count(live.frame?.totals.completed ?? Number.NaN));
  const failed = useLive((live) => count(live.frame?.totals.failed ?? Number.NaN));
  const flight = useLive((live) => count(live.frame?.totals.in_flight ?? Number.NaN));
  const rate = useLive((live) => withUnit(live.totalRate('completed'), 'per_s'));
  const p99 = useLive((live) => withUnit(live.frame?.totals.p99_ms, 'ms'));
  const events = useLive((live) => compact(live.frame?.events ?? Number.NaN));
  return (
    <dl>
      {figure('Offered', offered, 'total-offered')}
      {figure('Completed', completed, 'total-completed')}
      {figure('Failed', failed, 'total-failed')}
      {figure('In flight', flight, 'total-in-flight')}
      {figure('Goodput', rate, 'total-rate')}
      {figure('p99', p99, 'total-p99')}
      {figure('Engine events', events, 'total-events')}
    </dl>
  );
}

function Seed() {
  const seed = useSession((state) => state.seed);
  const [typed, setTyped] = useState<string | null>(null);
  const value = Number(typed ?? seed);
  const good = Number.isSafeInteger(value) && value >= 0;
  const apply = () => {
    if (typed !== null && good && value !== seed) void reset(value);
    setTyped(null);
  };
  return (
    <div>
      <div className="flex items-center gap-2">
        <label htmlFor="seed" className="flex-1 text-xs text-ink-2">
          Seed
        </label>
        <input
          id="seed"
          data-testid="seed"
          className={`${FIELD} num w-28 text-right text-xs`}
          aria-invalid={!good}
          value={typed ?? String(seed)}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={apply}
          onKeyDown={(event) => event.key === 'Enter' && apply()}
        />
        <button
          type="button"
          data-testid="another-seed"
          className={`${BUTTON} text-xs`}
          onClick={() => reset(Math.floor(Math.random() * 1e6))}
        >
          Another
        </button>
      </div>
      <p className="mt-1 text-xs text-ink-3">
        The same drawing and seed give the same run, to the last event. Another seed starts again from time 0.
      </p>
    </div>
  );
}
