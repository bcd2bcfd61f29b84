/** How the run does against its objectives, in a line. */

import type { Slo } from '../generated/protocol';
import { withUnit } from '../lib/format';
import type { Live } from '../run/live';
import { useLive } from '../run/use-live';
import { useDesign } from '../state/design';

/** Objectives' figures as people call them, with their unit. */
export const SLO_METRICS: Record<Slo['metric'], { label: string; unit: string }> = {
  p50_ms: { label: 'p50', unit: 'ms' },
  p95_ms: { label: 'p95', unit: 'ms' },
  p99_ms: { label: 'p99', unit: 'ms' },
  p999_ms: { label: 'p99.9', unit: 'ms' },
  mean_ms: { label: 'mean latency', unit: 'ms' },
  availability_percent: { label: 'availability', unit: '%' },
  goodput_per_s: { label: 'goodput', unit: 'per_s' },
};

/** An objective's figure at this moment, where frames carry it. */
export function sloNow(live: Live, slo: Slo): number | undefined {
  if (slo.block !== null) return undefined;
  const totals = live.frame?.totals;
  switch (slo.metric) {
    case 'p50_ms':
    case 'p95_ms':
    case 'p99_ms':
      return totals?.[slo.metric] ?? undefined;
    case 'availability_percent': {
      const completed = live.totalRate('completed');
      const failed = live.totalRate('failed');
      if (completed === undefined || failed === undefined || completed + failed === 0) return undefined;
      return (100 * completed) / (completed + failed);
    }
    case 'goodput_per_s':
      return live.totalRate('completed');
    default:
      return undefined;
  }
}

/** Whether `value` keeps the objective. */
export function kept(slo: Slo, value: number): boolean {
  if (slo.at_most !== null && slo.at_most !== undefined) return value <= slo.at_most;
  return value >= (slo.at_least ?? 0);
}

/** The objective as a limit: "≤ 100 ms". */
export function limitText(slo: Slo): string {
  const { unit } = SLO_METRICS[slo.metric];
  return slo.at_most !== null && slo.at_most !== undefined
    ? `≤ ${withUnit(slo.at_most, unit)}`
    : `≥ ${withUnit(slo.at_least, unit)}`;
}

/** The first objectives of the whole design in the top bar. */
export function Verdicts() {
  const slo = useDesign((state) => state.design.slo);
  return (
    <div className="hidden min-w-0 items-center gap-3 overflow-hidden xl:flex" data-testid="verdicts">
      {slo
        .filter((entry) => entry.block === null)
        .slice(0, 3)
        .map((entry, index) => (
          <Verdict
            key={`${entry.metric}-${entry.at_most}-${entry.at_least}`}
            slo={entry}
            // A narrower bar has room for two.
            shown={index < 2 ? '' : 'hidden 2xl:inline'}
          />
        ))}
    </div>
  );
}

function Verdict({ slo, shown }: { slo: Slo; shown: string }) {
  const text = useLive((live) => withUnit(sloNow(live, slo), SLO_METRICS[slo.metric].unit));
  const good = useLive((live) => {
    const value = sloNow(live, slo);
    return value === undefined ? null : kept(slo, value);
  });
  const tone = good === null ? 'text-ink-2' : good ? 'text-ok' : 'text-bad';
  return (
    <span
      className={`whitespace-nowrap text-xs text-ink-2 ${shown}`}
      title={`Objective: ${SLO_METRICS[slo.metric].label} ${limitText(slo)}`}
    >
      {SLO_METRICS[slo.metric].label}{' '}
      <b className={`num inline-block min-w-[58px] text-right ${tone}`}>
        {good === null ? '' : good ? '✓ ' : '✗ '}
        {text}
      </b>
    </span>
  );
}
