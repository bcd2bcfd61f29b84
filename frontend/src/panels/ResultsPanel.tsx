/** The results so far, as `manage.py simulate --json` would give them, with theory beside them where there is one. */

import { useEffect } from 'react';
import { compact, duration, withUnit, words } from '../lib/format';
import { ask } from '../run/controller';
import { useSession } from '../state/session';
import { PanelHead } from './PanelHead';
import { SLO_METRICS } from './Verdicts';

const EVERY_MS = 1_500;

interface Theory {
  name: string;
  formula: string;
  expected: number;
  measured: number;
  ci?: number | [number, number] | null;
  unit?: string;
}
interface SloVerdict {
  metric: keyof typeof SLO_METRICS;
  block?: string | null;
  at_most?: number | null;
  at_least?: number | null;
  value?: number | null;
  ok?: boolean | null;
  met?: boolean | null;
}
interface ResultsShape {
  trace_hash?: string;
  design_hash?: string;
  engine_version?: string;
  seed?: number;
  virtual_seconds?: number;
  events?: number;
  stopped?: { reason: string; at?: number } | null;
  totals?: {
    offered: number;
    completed: number;
    failed: number;
    rate: number;
    goodput: number;
    cost?: number;
    cost_per_hour?: number;
    latency?: Record<string, number | null>;
    failures?: Record<string, number>;
  };
  blocks?: Record<string, { metrics: Record<string, unknown> }>;
  slo?: SloVerdict[];
  theory?: Theory[];
}

/** The results panel; asks again while it is open. */
export function ResultsPanel() {
  const results = useSession((state) => state.results) as ResultsShape | null;
  const runId = useSession((state) => state.runId);
  useEffect(() => {
    if (!runId) return;
    const look = () => void ask({ type: 'ask_results' });
    look();
    const timer = setInterval(look, EVERY_MS);
    return () => clearInterval(timer);
  }, [runId]);
  return (
    <div data-testid="results-panel">
      <PanelHead title="Results so far" />
      {!runId && <p className="px-3.5 text-sm text-ink-2">There are none yet: press Play.</p>}
      {results && (
        <>
          {results.theory && results.theory.length > 0 && <TheoryTable rows={results.theory} />}
          {results.slo && results.slo.length > 0 && <Verdicts rows={results.slo} />}
          {results.totals && <Totals totals={results.totals} />}
          {results.blocks && <BlockCosts results={results} />}
          <Facts results={results} />
        </>
      )}
    </div>
  );
}

function TheoryTable({ rows }: { rows: Theory[] }) {
  return (
    <section aria-label="Theory beside simulation" data-testid="theory" className="border-t border-line px-3.5 py-2.5">
      <h3 className="mb-1.5 text-xs font-semibold text-ink-2">Theory beside simulation</h3>
      <table className="w-full text-xs">
        <thead className="text-left text-2xs text-ink-3">
          <tr>
            <th scope="col" className="font-medium">
              Figure
            </th>
            <th scope="col" className="text-right font-medium">
              formula
            </th>
            <th scope="col" className="text-right font-medium">
              measured
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name} className="border-t border-line align-top">
              <th scope="row" className="py-1.5 pr-2 text-left font-normal">
                {row.name}
                <span className="num block text-2xs text-ink-3">{row.formula}</span>
              </th>
              <td className="num whitespace-nowrap py-1.5 pl-2 text-right">{withUnit(row.expected, row.unit ?? '')}</td>
              <td className="num py-1.5 pl-2 text-right">
                {withUnit(row.measured, row.unit ?? '')}
                <span className="block text-2xs text-ink-3">{deviation(row)}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function deviation({ expected, measured, ci, unit }: Theory): string {
  if (typeof ci === 'number') return `± ${withUnit(ci, unit ?? '')}`;
  if (Array.isArray(ci)) return `${compact(ci[0])} to ${compact(ci[1])}`;
  if (!expected || !Number.isFinite(measured)) return '';
  const percent = (100 * (measured - expected)) / expected;
  return `${percent >= 0 ? '+' : '−'}${Math.abs(percent).toFixed(1)} %`;
}

function Verdicts({ rows }: { rows: SloVerdict[] }) {
  return (
    <section aria-label="Objectives" className="border-t border-line px-3.5 py-2.5">
      <h3 className="mb-1 text-xs font-semibold text-ink-2">Objectives over the whole run</h3>
      {rows.map((row) => {
        const { label, unit } = SLO_METRICS[row.metric] ?? { label: row.metric, unit: '' };
        const good = row.ok ?? row.met ?? null;
        return (
          <p
            key={`${row.metric}-${row.block}-${row.at_most}-${row.at_least}`}
            className="flex justify-between py-0.5 text-xs"
          >
            <span className="text-ink-2">
              {row.block} {label}{' '}
              {row.at_most != null ? `≤ ${withUnit(row.at_most, unit)}` : `≥ ${withUnit(row.at_least, unit)}`}
            </span>
            <b className={`num ${good === null ? '' : good ? 'text-ok' : 'text-bad'}`}>
              {good === null ? '' : good ? '✓ ' : '✗ '}
              {withUnit(row.value, unit)}
            </b>
          </p>
        );
      })}
    </section>
  );
}

function Totals({ totals }: { totals: NonNullable<ResultsShape['totals']> }) {
  const rows: [string, string][] = [
    ['Offered', compact(totals.offered)],
    ['Completed', compact(totals.completed)],
    ['Failed', compact(totals.failed)],
    ['Offered rate', withUnit(totals.rate, 'per_s')],
    ['Goodput', withUnit(totals.goodput, 'per_s')],
    ['Cost, neutral units', compact(totals.cost ?? Number.NaN)],
    ['Cost an hour, on average', compact(totals.cost_per_hour ?? Number.NaN)],
    ...Object.entries(totals.latency ?? {}).map(([name, value]): [string, string] => [
      `Latency ${words(name).replace(/ ms$/, '').replace('p999', 'p99.9')}`,
      value === null ? '–' : duration(value / 1e3),
    ]),
    ...Object.entries(totals.failures ?? {})
      .filter(([, value]) => value > 0)
      .map(([name, value]): [string, string] => [`Failed: ${words(name)}`, compact(value)]),
  ];
  return <Rows title="Totals" rows={rows} />;
}

/** What each block cost an hour on average over the run, the dearest first. */
function BlockCosts({ results }: { results: ResultsShape }) {
  const hours = (results.virtual_seconds ?? 0) / 3600;
  const rows = Object.entries(results.blocks ?? {})
    .map(([id, { metrics }]): [string, number] => [id, Number(metrics.cost ?? 0) / hours])
    .filter(([, cost]) => cost > 0 && Number.isFinite(cost))
    .sort(([, a], [, b]) => b - a)
    .map(([id, cost]): [string, string] => [id, compact(cost)]);
  return rows.length ? <Rows title="Cost an hour on average, by block" rows={rows} /> : null;
}

function Facts({ results }: { results: ResultsShape }) {
  const rows: [string, string][] = [
    ['Virtual time', withUnit(results.virtual_seconds, 's')],
    ['Engine events', compact(results.events ?? Number.NaN)],
    ['Seed', String(results.seed ?? '')],
    ['Trace hash', results.trace_hash ?? ''],
    ['Design hash', results.design_hash ?? ''],
    ['Engine', results.engine_version ?? ''],
  ];
  if (results.stopped) rows.push(['Stopped', results.stopped.reason]);
  return <Rows title="This run" rows={rows} />;
}

function Rows({ title, rows }: { title: string; rows: [string, string][] }) {
  return (
    <section aria-label={title} className="border-t border-line px-3.5 py-2.5">
      <h3 className="mb-1 text-xs font-semibold text-ink-2">{title}</h3>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name} className="flex items-baseline justify-between gap-3 py-[3px]">
            <dt className="text-xs text-ink-2">{name}</dt>
            <dd
              className="num break-all text-right text-xs"
              data-testid={`result-${name.toLowerCase().replaceAll(/\W+/g, '-')}`}
            >
              {value}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
