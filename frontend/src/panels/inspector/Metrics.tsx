/** The figures of a block or an edge as text, read a few times a second. */

import { readingText } from '../../canvas/overlay/figures';
import type { Metric } from '../../generated/protocol';
import { withUnit } from '../../lib/format';
import { useLive } from '../../run/use-live';

function Row({ metric, text }: { metric: Metric; text: string }) {
  return (
    <div className="flex items-baseline justify-between gap-3 py-[3px]" title={metric.help}>
      <dt className="text-xs text-ink-2">{metric.label}</dt>
      <dd className="num text-xs text-ink" data-testid={`metric-${metric.name}`}>
        {text}
      </dd>
    </div>
  );
}

function BlockMetric({ block, metric, full }: { block: string; metric: Metric; full: Metric | null }) {
  const text = useLive((live) => readingText(live, block, metric, full));
  const total = useLive((live) => (metric.kind === 'counter' ? live.value(block, metric.name) : undefined));
  return <Row metric={metric} text={total === undefined ? text : `${text}  ·  ${withUnit(total, metric.unit)}`} />;
}

function EdgeMetric({ edge, metric }: { edge: string; metric: Metric }) {
  const text = useLive((live) =>
    metric.kind === 'gauge'
      ? withUnit(live.edgeValue(edge, metric.name), metric.unit)
      : `${withUnit(live.edgeRate(edge, metric.name), metric.unit === 'bytes' ? 'bytes' : 'per_s')}${metric.unit === 'bytes' ? '/s' : ''}  ·  ${withUnit(live.edgeValue(edge, metric.name), metric.unit)}`,
  );
  return <Row metric={metric} text={text} />;
}

/** All figures of a block; counters as a rate and their total. */
export function BlockMetrics({ block, metrics }: { block: string; metrics: Metric[] }) {
  const byName = new Map(metrics.map((metric) => [metric.name, metric]));
  return (
    <dl>
      {metrics.map((metric) => (
        <BlockMetric
          key={metric.name}
          block={block}
          metric={metric}
          full={(metric.maximum_metric && byName.get(metric.maximum_metric)) || null}
        />
      ))}
    </dl>
  );
}

/** All figures of an edge. */
export function EdgeMetrics({ edge, metrics }: { edge: string; metrics: Metric[] }) {
  return (
    <dl>
      {metrics.map((metric) => (
        <EdgeMetric key={metric.name} edge={edge} metric={metric} />
      ))}
    </dl>
  );
}
