/** What went wrong: anomalies by name with their cycle, transactions that SERIALIZABLE ended, those that the script never ends. */

import { Check, CircleAlert, ShieldCheck, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { LabAnomaly, LabFailure, LabResult } from '../generated/protocol';
import { Section } from '../ui/Section';
import { total, useLab } from './store';
import { dependencyText } from './words';

/** The first section on the right. */
export function Findings() {
  const result = useLab((state) => state.result);
  if (!result) return null;
  const over = result.step === total(result);
  const nothing = !result.anomalies.length && !result.serialization_failures.length;
  return (
    <Section title="What went wrong">
      <div className="flex flex-col gap-2" data-testid="lab-findings" aria-live="polite">
        {nothing && (
          <p className="flex items-start gap-1.5 text-xs text-ink-2">
            {over && <Check size={14} className="mt-0.5 shrink-0 text-ok" aria-hidden />}
            {over ? 'No anomaly: what committed could have run one after the other.' : 'No anomaly so far.'}
          </p>
        )}
        {result.anomalies.map((anomaly) => (
          <Anomaly key={`${anomaly.name}-${anomaly.transactions.join()}`} anomaly={anomaly} />
        ))}
        {result.serialization_failures.map((failure) => (
          <Failure key={failure.transaction} failure={failure} />
        ))}
        <Unfinished result={result} />
        {over && <Final result={result} />}
      </div>
    </Section>
  );
}

/** A card that marks its statements in the schedule while it is pointed at. */
function Card({ statements, testId, children }: { statements: number[]; testId: string; children: ReactNode }) {
  const mark = () => useLab.setState({ marked: new Set(statements) });
  const unmark = () => useLab.setState({ marked: new Set() });
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: pointing at it repeats what its text says
    <div
      data-testid={testId}
      className="rounded-lg border border-line-strong px-2.5 py-2"
      onMouseEnter={mark}
      onMouseLeave={unmark}
    >
      {children}
    </div>
  );
}

function Anomaly({ anomaly }: { anomaly: LabAnomaly }) {
  return (
    <Card statements={anomaly.statements} testId={`lab-anomaly-${anomaly.name}`}>
      <p className="flex items-center gap-1.5 text-sm font-semibold">
        <TriangleAlert size={14} className="shrink-0 text-bad" aria-hidden />
        <span className="text-bad">{anomaly.name}</span> {anomaly.title}
      </p>
      <Cycle anomaly={anomaly} />
    </Card>
  );
}

function Cycle({ anomaly }: { anomaly: LabAnomaly }) {
  if (!anomaly.cycle.length) {
    const [reader, writer] = anomaly.transactions;
    return (
      <p className="mt-1 text-xs text-ink-2">
        {reader} read what {writer} had written to {anomaly.where}, and that was never committed as it was read.
      </p>
    );
  }
  const around = [...anomaly.cycle.map((edge) => edge.from), anomaly.cycle[0]!.from];
  return (
    <>
      <p className="num mt-1 text-xs" data-testid="lab-cycle">
        {around.map((name, at) => {
          const kind = anomaly.cycle[at]?.kind;
          return `${name}${kind ? ` —${kind}→ ` : ''}`;
        })}
      </p>
      <ul className="mt-1 flex flex-col gap-0.5 text-xs text-ink-2">
        {anomaly.cycle.map((edge) => (
          <li key={`${edge.from}${edge.to}${edge.kind}${edge.key}`}>{dependencyText(edge)}.</li>
        ))}
      </ul>
    </>
  );
}

const WHY: Record<string, string> = {
  needed: 'Needed: without its end this would have happened.',
  cautious:
    'Cautious: it could have committed. The checks see pages and tables rather than rows, and two conflicts in a row rather than cycles.',
};

function Failure({ failure }: { failure: LabFailure }) {
  const needed = failure.kind === 'needed';
  const Icon = needed ? ShieldCheck : CircleAlert;
  return (
    <Card statements={[failure.statement]} testId={`lab-failure-${failure.transaction}`}>
      <p className="flex items-center gap-1.5 text-sm font-semibold">
        <Icon size={14} className={`shrink-0 ${needed ? 'text-ok' : 'text-warn'}`} aria-hidden />
        {failure.transaction} was ended by SERIALIZABLE
        <span
          data-testid="lab-failure-kind"
          className={`rounded border px-1 text-2xs ${needed ? 'border-ok text-ok' : 'border-warn text-warn'}`}
        >
          {needed || failure.kind === 'cautious' ? failure.kind : 'open'}
        </span>
      </p>
      <p className="mt-1 text-xs text-ink-2">{WHY[failure.kind] ?? `Had it not been ended here: ${failure.kind}.`}</p>
      {failure.would_have_been.map((anomaly) => (
        <div key={anomaly.name} className="mt-1.5 border-l-2 border-line-strong pl-2">
          <p className="text-xs font-semibold">
            {anomaly.name}, {anomaly.title}
          </p>
          <Cycle anomaly={anomaly} />
        </div>
      ))}
      {failure.reason && <p className="mt-1 text-2xs text-ink-3">{failure.reason}</p>}
    </Card>
  );
}

function Unfinished({ result }: { result: LabResult }) {
  return result.unfinished.map(({ session, reason }) => (
    <p key={session} className="flex items-start gap-1.5 text-xs" data-testid={`lab-unfinished-${session}`}>
      <CircleAlert size={14} className="mt-0.5 shrink-0 text-warn" aria-hidden />
      <span>
        {session}: {reason}.
      </span>
    </p>
  ));
}

function Final({ result }: { result: LabResult }) {
  return Object.entries(result.final).map(([table, rows]) => (
    <p key={table} className="text-xs text-ink-2" data-testid={`lab-final-${table}`}>
      {table} at the end:{' '}
      <span className="num text-ink">{rows.map((row) => `(${row.join(', ')})`).join(' ') || 'no row'}</span>
    </p>
  ));
}
