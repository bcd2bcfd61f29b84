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

/** What only a block with workers or connections has. */
const OF_CAPACITY = new Set(['busy', 'queue']);

/**
 * The figures of a block; counters as a rate and their total. A gauge's maximum stands beside it and not on a line of its own, and a
 * common figure gives way to one that the kind calls by the same name.
 */
export function BlockMetrics({ block, common, own }: { block: string; common: Metric[]; own: Metric[] }) {
  const hasCapacity = useLive((live) => live.value(block, 'capacity') !== 0);
  const byName = new Map([...common, ...own].map((metric) => [metric.name, metric]));
  const maxima = new Set([...byName.values()].map((metric) => metric.maximum_metric));
  const said = new Set(own.map((metric) => metric.label));
  const metrics = [
    ...common.filter(({ name, label }) => !said.has(label) && (hasCapacity || !OF_CAPACITY.has(name))),
    ...own,
  ].filter(({ name }) => !maxima.has(name));
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
