/** Throughput, latency, failures and utilisation over the same time. */

import { useEffect, useState } from 'react';
import { nameOf } from '../lib/catalogue';
import { compact, duration, withUnit, words } from '../lib/format';
import { series } from '../run/history';
import { live } from '../run/live';
import { useLive } from '../run/use-live';
import { drawing } from '../state/design';
import { useSession } from '../state/session';
import { useUi } from '../state/ui';
import { Chart } from './Chart';
import type { Line } from './plot';

const THROUGHPUT: Line[] = [
  { name: 'offered', label: 'offered', colour: '--ink-3', dash: [4, 3] },
  { name: 'completed', label: 'completed', colour: '--ok', fill: true },
];
const LATENCY: Line[] = [
  { name: 'p50_ms', label: 'p50', colour: '--ok' },
  { name: 'p95_ms', label: 'p95', colour: '--warn', dash: [6, 2] },
  { name: 'p99_ms', label: 'p99', colour: '--bad' },
];
const REASON_COLOURS = ['--bad', '--warn', '--stale', '--flow', '--ink-2'];
const REASON_DASHES = [undefined, [6, 3], [2, 2], [8, 2, 2, 2], [1, 3]];
const BUSIEST = 3;
const CLEARLY = 1.25;

const rate = (value: number) => compact(value);
const ms = (value: number) => duration(value / 1e3);
const percent = (value: number) => `${Number(value.toPrecision(2))} %`;

/** The four charts. */
export function Charts() {
  const reasons = useNames(failureReasons);
  const busiest = useNames(busiestBlocks);
  const selected = useUi((state) => state.selected);
  const chosen = [...selected].filter((id) => series.columns.has(`utilisation.${id}`)).slice(0, BUSIEST);
  const failing = useLive((now) => (now.frame?.totals.failed ?? 0) > 0);
  const perSecond = 1e9 / (useSession((state) => state.layout?.bucket_ns) ?? series.bucketNs);
  return (
    <>
      <Chart
        testId="chart-throughput"
        title="Throughput"
        lines={THROUGHPUT}
        scale={perSecond}
        format={rate}
        now={() => withUnit(live.totalRate('completed'), 'per_s')}
      />
      <Chart testId="chart-latency" title="Latency" lines={LATENCY} format={ms} now={latencyNow} />
      <Chart
        testId="chart-failures"
        title="Failures"
        lines={failureLines(reasons)}
        scale={perSecond}
        format={rate}
        now={failuresNow}
        empty={failing ? 'Drawn in a moment' : 'No call has failed'}
      />
      <Chart
        testId="chart-utilisation"
        title="Utilisation"
        hint="Of the busiest of what a block has: its workers; for a database its connections, cores or disks"
        lines={utilisationLines(chosen.length ? chosen : busiest)}
        scale={100}
        format={percent}
        now={() => ''}
        empty="Nothing is busy yet"
      />
    </>
  );
}

/** Names that `read` finds in the record, looked up again while it grows. */
function useNames(read: (before: readonly string[]) => string[]): string[] {
  const [names, setNames] = useState<string[]>([]);
  useEffect(() => {
    const look = () => {
      setNames((old) => {
        const found = read(old);
        return old.join() === found.join() ? old : found;
      });
    };
    look();
    const timer = setInterval(look, 250);
    return () => clearInterval(timer);
  }, [read]);
  return names;
}

function failureReasons(): string[] {
  return series
    .names('failed.')
    .filter((name) => series.column(`failed.${name}`).some((value) => value))
    .slice(0, REASON_COLOURS.length);
}

/**
 * The blocks that were busiest lately, in a fixed order so that lines keep their colours. One that is shown gives way only to one
 * that is clearly busier.
 */
function busiestBlocks(before: readonly string[]): string[] {
  const lately = (id: string) => {
    const values = series.column(`utilisation.${id}`).slice(-20);
    const busy = values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
    return before.includes(id) ? CLEARLY * busy : busy;
  };
  return series
    .names('utilisation.')
    .map((id) => [id, lately(id)] as const)
    .filter(([, busy]) => busy > 0)
    .sort((a, b) => b[1] - a[1])
    .slice(0, BUSIEST)
    .map(([id]) => id)
    .sort();
}

function failureLines(reasons: string[]): Line[] {
  return reasons.map((reason, index) => ({
    name: `failed.${reason}`,
    label: words(reason),
    colour: REASON_COLOURS[index]!,
    dash: REASON_DASHES[index],
  }));
}

function utilisationLines(ids: string[]): Line[] {
  const { catalogue } = useSession.getState();
  return ids.map((id, index) => {
    const block = drawing().blocks.find((candidate) => candidate.id === id);
    const colour = ['--flow', '--ok', '--warn', '--stale'][index]!;
    return {
      name: `utilisation.${id}`,
      label: block && catalogue ? nameOf(catalogue, block) : id,
      colour,
      dash: REASON_DASHES[index],
    };
  });
}

function latencyNow(): string {
  const totals = live.frame?.totals;
  if (!totals) return '';
  return `p99 ${withUnit(totals.p99_ms, 'ms')}`;
}

function failuresNow(): string {
  const failed = live.totalRate('failed');
  const completed = live.totalRate('completed');
  if (failed === undefined || completed === undefined || failed + completed === 0) return '';
  return withUnit((100 * failed) / (failed + completed), '%');
}
