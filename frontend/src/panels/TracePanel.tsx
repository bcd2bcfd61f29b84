/** One request, followed through every block: where did its time go? */

import { useMemo } from 'react';
import { reveal } from '../canvas/commands';
import { nameOf } from '../lib/catalogue';
import { clock, duration, words } from '../lib/format';
import { answerWords } from '../lib/particles';
import { type Bar, explain, type Part, waterfall } from '../lib/trace';
import { answers } from '../run/answers';
import { useDesign } from '../state/design';
import { useSession } from '../state/session';
import { PanelHead } from './PanelHead';

const LOOKS: Record<Part['what'], { label: string; className: string }> = {
  work: { label: 'work', className: 'bg-ok' },
  queue: { label: 'queue', className: 'bg-warn' },
  network: { label: 'network', className: 'bg-ink-3' },
  waiting: { label: 'waits for its callee', className: 'bg-line-strong opacity-60' },
};

/** The panel of the request whose particle was clicked. */
export function TracePanel() {
  const trace = useSession((state) => state.trace);
  const catalogue = useSession((state) => state.catalogue)!;
  const blocks = useDesign((state) => state.design.blocks);
  const bars = useMemo(() => (trace ? waterfall(trace.spans) : []), [trace]);
  const name = (id: string) => {
    const block = blocks.find((candidate) => candidate.id === id);
    return block ? nameOf(catalogue, block) : id;
  };
  return (
    <div data-testid="trace-panel">
      <PanelHead title={trace ? `Request ${trace.trace}` : 'Follow a request'} />
      {!bars.length && (
        <p className="px-3.5 text-sm text-ink-2">
          {trace
            ? 'This request is over and its spans are no longer kept. Pause or slow time down, then click a dot that is still under way.'
            : 'Click a dot on a connection: each one is a real request, and this panel shows where its time went.'}
        </p>
      )}
      {bars.length > 0 && (
        <>
          <div className="mx-3.5 mb-3 rounded-lg bg-raised p-2.5 text-xs leading-relaxed text-ink-2">
            {explain(bars, name).map((sentence, index) => (
              <p key={sentence} className={index ? '' : 'font-semibold text-ink'}>
                {sentence}
              </p>
            ))}
          </div>
          <Waterfall trace={trace!.trace} bars={bars} name={name} />
          <p className="px-3.5 pt-2 text-xs text-ink-3">
            Sent at <span className="num">{clock(bars[0]!.from)}</span>
          </p>
        </>
      )}
      <ul className="flex flex-wrap gap-3 px-3.5 pt-3 text-2xs text-ink-2">
        {Object.entries(LOOKS).map(([what, look]) => (
          <li key={what} className="flex items-center gap-1.5">
            <span className={`h-2 w-3 rounded-sm ${look.className}`} aria-hidden /> {look.label}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Waterfall({ trace, bars, name }: { trace: number; bars: Bar[]; name: (id: string) => string }) {
  const from = bars[0]!.from;
  const span = Math.max(1, ...bars.map((bar) => bar.to - from));
  const share = (ns: number) => `${(100 * ns) / span}%`;
  return (
    <ol className="px-3.5">
      {bars.map((bar) => {
        const { callee, operation, attempt, outcome, call, edge, replied } = bar.span;
        const failed = outcome !== 'ok' && outcome !== '';
        const answer = failed ? undefined : answerWords(answers.of(trace, edge, replied));
        return (
          <li key={call} className="py-1">
            <button type="button" className="w-full rounded text-left hover:bg-hover" onClick={() => reveal(callee)}>
              <span className="flex justify-between gap-2 text-xs" style={{ paddingLeft: bar.depth * 10 }}>
                <span className="min-w-0 truncate">
                  {name(callee)}{' '}
                  <span className="text-ink-3">
                    {words(operation)}
                    {attempt > 1 ? `, attempt ${attempt}` : ''}
                  </span>
                  {answer && <b className="font-medium text-ink-2"> · {answer}</b>}
                  {failed && <b className="text-bad"> ■ {words(outcome)}</b>}
                </span>
                <span className="num shrink-0 text-ink-2">{duration((bar.to - bar.from) / 1e9)}</span>
              </span>
              <span className="relative mt-0.5 block h-2 rounded-sm bg-raised">
                {bar.parts.map((part) => (
                  <span
                    key={`${part.what}-${part.from}`}
                    className={`absolute h-full rounded-[1px] ${LOOKS[part.what].className}`}
                    style={{ left: share(part.from - from), width: `max(1px, ${share(part.to - part.from)})` }}
                    title={`${LOOKS[part.what].label}: ${duration((part.to - part.from) / 1e9)}`}
                  />
                ))}
              </span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}
