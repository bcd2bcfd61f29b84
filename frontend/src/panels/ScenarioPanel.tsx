/** A lesson's own panel: what happens here, the fixes that can be turned on and off, and what they change, figure by figure. */

import { ChevronDown, ChevronUp } from 'lucide-react';
import { type ReactNode, useCallback, useState } from 'react';
import { fitSoon, reveal } from '../canvas/commands';
import type { Design, Switch as Fix, Watch } from '../generated/protocol';
import { metricsOf } from '../lib/catalogue';
import { thingName } from '../lib/changes';
import { withUnit } from '../lib/format';
import { fixState, isScenario, switchState, withSwitch } from '../lib/switches';
import { useLive } from '../run/use-live';
import { compared } from '../run/watching';
import { edit, useDesign } from '../state/design';
import { useSession } from '../state/session';
import { select, useUi } from '../state/ui';
import { Switch } from '../ui/Switch';
import { TotalCost } from './inspector/Costs';

/** Beside the canvas where there is room, above it where there is less, below it on a narrow screen; never over a block. */
export function ScenarioPanel() {
  const design = useDesign((state) => state.design);
  const coming = useSession((state) => state.phase === 'loading' || state.adopt);
  const [open, setOpen] = useState(true);
  if (coming || !isScenario(design)) return null;
  return (
    <section
      aria-label="Scenario"
      data-testid="scenario"
      data-open={open}
      className="z-[6] shrink-0 overflow-y-auto border-b border-line bg-panel text-xs max-[800px]:border-t max-[800px]:border-b-0 @max-[940px]:max-h-[42%] @min-[940px]:border-r @min-[940px]:border-b-0 @min-[940px]:data-[open=true]:w-[320px]"
    >
      <div
        className={`flex items-center gap-3 px-3 ${open ? 'pt-2' : 'py-1.5 @min-[940px]:w-10 @min-[940px]:flex-col @min-[940px]:px-0'}`}
      >
        <h2 className={`min-w-0 truncate text-sm font-semibold ${open ? 'flex-1' : '@min-[940px]:hidden'}`}>
          {design.name}
        </h2>
        {!open && (
          <div className="flex min-w-0 flex-1 flex-wrap gap-x-4 gap-y-1 @min-[940px]:hidden">
            {design.switches.map((fix, index) => (
              <FixSwitch key={fix.label} fix={fix} index={index} />
            ))}
          </div>
        )}
        <button
          type="button"
          data-testid="scenario-fold"
          aria-expanded={open}
          aria-label={open ? 'Fold the scenario away' : 'Show the scenario'}
          title={open ? 'Fold away' : 'Show the scenario'}
          className="grid size-6 shrink-0 place-items-center rounded-md text-ink-2 hover:bg-hover hover:text-ink"
          onClick={() => {
            setOpen(!open);
            fitSoon();
          }}
        >
          {open ? <ChevronUp size={15} aria-hidden /> : <ChevronDown size={15} aria-hidden />}
        </button>
      </div>
      {open && (
        <div className="grid gap-x-5 gap-y-2.5 px-3 pb-2.5 pt-1 @min-[620px]:grid-cols-[minmax(0,5fr)_minmax(0,6fr)] @min-[940px]:grid-cols-1">
          <div className="flex flex-col gap-2">
            <About text={design.description} />
            {design.switches.map((fix, index) => (
              <FixSwitch key={fix.label} fix={fix} index={index} help />
            ))}
          </div>
          <div className="flex flex-col gap-2">
            {design.watch.length > 0 && <Figures design={design} />}
            <RunningCost />
          </div>
        </div>
      )}
    </section>
  );
}

/** The first paragraph of what happens here; the others, which go further, for who reads on. */
function About({ text }: { text: string }) {
  const [more, setMore] = useState(false);
  const paragraphs = text.split(/\n\s*\n/).filter((paragraph) => paragraph.trim());
  if (!paragraphs.length) return null;
  return (
    <div className="flex flex-col gap-1.5 leading-snug text-ink-2">
      {paragraphs.slice(0, more ? undefined : 1).map((paragraph) => (
        <p key={paragraph}>{paragraph}</p>
      ))}
      {paragraphs.length > 1 && (
        <button
          type="button"
          data-testid="scenario-more"
          aria-expanded={more}
          className="self-start text-accent hover:underline"
          onClick={() => setMore(!more)}
        >
          {more ? 'Less' : 'Read on'}
        </button>
      )}
    </div>
  );
}

/** One fix. It changes the drawing, as a person would in the inspector, in a single step. */
function FixSwitch({ fix, index, help = false }: { fix: Fix; index: number; help?: boolean }) {
  const catalogue = useSession((state) => state.catalogue)!;
  const mayControl = useSession((state) => state.mayControl);
  const state = useDesign(({ design }) => switchState(catalogue, design, fix));
  // Another fix that sets the same parameter to something else is no part of this one.
  const others = useDesign(({ design }) => design.switches.some((it) => switchState(catalogue, design, it) === 'on'));
  if (state === null) return null;
  return (
    <div className={help ? 'rounded-lg border border-line bg-raised px-2.5 py-1.5' : ''} data-state={state}>
      <div className="flex items-center gap-2">
        <Switch
          checked={state === 'on'}
          label={fix.label}
          testId={`fix-${index}`}
          disabled={!mayControl}
          onChange={() => edit((design) => withSwitch(catalogue, design, fix, state !== 'on'))}
        />
        <span className={`font-medium text-ink ${help ? '' : 'truncate'}`}>{fix.label}</span>
        {state === 'mixed' && !others && <span className="text-ink-3">partly</span>}
      </div>
      {help && fix.help && <p className="mt-1 leading-snug text-ink-2">{fix.help}</p>}
    </div>
  );
}

/** The watched figures, without the fix and with it side by side. */
function Figures({ design }: { design: Design }) {
  const catalogue = useSession((state) => state.catalogue)!;
  const [fix] = design.switches;
  const several = design.switches.length > 1;
  const state = fix ? fixState(catalogue, design, design.switches) : null;
  return (
    <table className="h-fit w-full">
      <caption className="sr-only">
        {fix ? `Without and with: ${several ? 'a fix' : fix.label}` : 'Watched figures'}
      </caption>
      <thead className="text-ink-3">
        <tr>
          <th scope="col" className="text-left font-medium">
            Figure
          </th>
          <Head now={state === 'off'}>{fix ? 'Without' : 'So far'}</Head>
          {fix && <Head now={state === 'on'}>{several ? 'With a fix' : 'With the fix'}</Head>}
        </tr>
      </thead>
      {design.watch.map((watch, index) => (
        // A figure's place in the list is its identity: the comparison counts by it.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <tbody key={index} className="border-t border-line align-baseline">
          <tr>
            <th scope="row" className="py-1 pr-2 text-left font-normal">
              <button
                type="button"
                className="text-left text-ink hover:underline"
                title={`Show ${thingName(catalogue, design, watch.target) || watch.target}`}
                onClick={() => reveal(watch.target)}
              >
                {watch.label}
              </button>
            </th>
            <Figure watch={watch} index={index} side="off" unit={unitOf(design, watch)} />
            {fix && <Figure watch={watch} index={index} side="on" unit={unitOf(design, watch)} />}
          </tr>
          {watch.law && (
            <tr>
              <td colSpan={3} className="pb-1.5 text-2xs leading-snug text-ink-3">
                {watch.law}
              </td>
            </tr>
          )}
        </tbody>
      ))}
    </table>
  );
}

/** What all of it costs; a click leads to what each block costs, and from there to its prices. */
function RunningCost() {
  return (
    <button
      type="button"
      data-testid="scenario-cost"
      title="What each block costs; its prices can be changed in its group Cost"
      className="group flex items-baseline justify-between gap-2 border-t border-line py-1 text-left"
      onClick={() => {
        select([]);
        useUi.setState({ right: 'inspector' });
      }}
    >
      <span className="text-ink group-hover:underline">Running cost</span>
      <span className="num text-ink">
        <TotalCost />
      </span>
    </button>
  );
}

function Head({ now, children }: { now: boolean; children: ReactNode }) {
  return (
    <th
      scope="col"
      className={`w-20 whitespace-nowrap pb-1 pl-2 text-right font-medium ${now ? 'text-ink' : ''}`}
      title={now ? 'The run is like this now' : undefined}
    >
      {now && (
        <span className="mr-1 text-accent" aria-hidden>
          ●
        </span>
      )}
      {children}
    </th>
  );
}

function Figure({ watch, index, side, unit }: { watch: Watch; index: number; side: 'off' | 'on'; unit: string }) {
  const value = useLive(useCallback(() => compared()[index]?.[side] ?? null, [index, side]));
  return (
    <td
      className="num whitespace-nowrap py-1 pl-2 text-right text-ink"
      data-testid={`watch-${index}-${side}`}
      data-value={value ?? undefined}
    >
      {figureText(watch, value, unit)}
    </td>
  );
}

function figureText(watch: Watch, value: number | null, unit: string): string {
  if (value === null) return '–';
  if (watch.show !== 'rate') return withUnit(value, unit);
  return unit === '' ? withUnit(value, 'per_s') : `${withUnit(value, unit)}/s`;
}

/** The unit of a watched figure, as its block or the connection declares it. */
function unitOf(design: Design, { target, metric }: Watch): string {
  const { catalogue } = useSession.getState();
  const block = design.blocks.find((candidate) => candidate.id === target);
  const metrics = block ? metricsOf(catalogue!, block.kind) : catalogue!.edge.metrics;
  return metrics.find(({ name }) => name === metric)?.unit ?? '';
}
