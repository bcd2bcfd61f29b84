/** The schedule: a row for each statement in the order of the steps, a column for each session, with what became of it. */

import { CircleAlert, Hourglass } from 'lucide-react';
import { useEffect, useRef } from 'react';
import type { LabResult, LabStatement } from '../generated/protocol';
import { goTo, useLab } from './store';
import { anomaliesOf, rowsText, waitOf } from './words';

const ROWS_SHOWN = 6;
const NOW = 'border-b-accent bg-panel';

/** The grid in the middle of the page. */
export function Schedule() {
  const result = useLab((state) => state.result);
  const stale = useLab((state) => state.problems.length > 0);
  const current = useRef<HTMLDivElement>(null);
  const step = result?.step ?? 0;
  useEffect(() => {
    if (step) current.current?.scrollIntoView({ block: 'nearest' });
  }, [step]);
  if (!result) return <p className="p-4 text-sm text-ink-2">Nothing has run yet: the script can’t be read.</p>;
  return (
    <div
      data-testid="lab-schedule"
      data-stale={stale}
      className="grid min-w-fit content-start pb-6 data-[stale=true]:opacity-45"
      style={{ gridTemplateColumns: `44px repeat(${result.sessions.length}, minmax(132px, 1fr))` }}
    >
      <div className="sticky top-0 z-10 border-b border-line bg-bg" />
      {result.sessions.map((session) => (
        <Head key={session} session={session} result={result} />
      ))}
      {result.statements.map((statement) => (
        <Row
          key={statement.index}
          statement={statement}
          result={result}
          at={statement.index === step - 1 ? current : undefined}
        />
      ))}
    </div>
  );
}

const STATES: Record<string, string> = {
  committed: 'text-ok',
  aborted: 'text-bad',
  failed: 'text-bad',
  active: 'text-accent',
};

function Head({ session, result }: { session: string; result: LabResult }) {
  const transaction = result.transactions.filter((one) => one.session === session).at(-1);
  return (
    <div
      className="sticky top-0 z-10 border-b border-l border-line bg-bg px-2.5 py-1.5"
      data-testid={`lab-head-${session}`}
    >
      <div className="flex items-baseline gap-2">
        <span className="text-sm font-semibold">{transaction?.name ?? session}</span>
        {transaction && (
          <span
            className={`text-2xs ${STATES[transaction.state] ?? 'text-ink-2'}`}
            data-testid={`lab-state-${session}`}
          >
            {transaction.state}
          </span>
        )}
      </div>
      <div className="text-2xs text-ink-3">
        {transaction ? `${transaction.level}${transaction.is_read_only ? ', read only' : ''}` : 'not begun'}
      </div>
    </div>
  );
}

function Row({
  statement,
  result,
  at,
}: {
  statement: LabStatement;
  result: LabResult;
  at: React.RefObject<HTMLDivElement | null> | undefined;
}) {
  const { index } = statement;
  const now = index === result.step - 1;
  const taken = index < result.step;
  return (
    <>
      <div
        ref={at}
        className={`flex items-start justify-end border-b border-line/60 p-1 ${now ? 'border-b-accent bg-accent-soft' : ''}`}
      >
        <button
          type="button"
          data-testid={`lab-goto-${index + 1}`}
          aria-label={`To after step ${index + 1}`}
          aria-current={now ? 'step' : undefined}
          onClick={() => goTo(index + 1)}
          className={`num rounded px-1.5 py-0.5 text-2xs hover:bg-hover hover:text-ink ${now ? 'font-semibold text-ink' : 'text-ink-2'}`}
        >
          {index + 1}
        </button>
      </div>
      {result.sessions.map((session) => (
        <div
          key={session}
          className={`relative min-h-7 border-b border-l border-line/60 py-1 pr-2 pl-3.5 ${now ? NOW : ''}`}
        >
          {taken && <Life session={session} index={index} result={result} />}
          {session === statement.session && <Cell statement={statement} result={result} taken={taken} />}
        </div>
      ))}
    </>
  );
}

/** The line down a column: solid while a transaction is open, hatched while its session waits. */
function Life({ session, index, result }: { session: string; index: number; result: LabResult }) {
  const waits = result.statements.some((one) => {
    const wait = one.session === session ? waitOf(one, result.step) : null;
    return wait !== null && index >= wait.from && index <= wait.to && (index < wait.to || one.step_done === null);
  });
  const open = result.transactions.find(
    (one) =>
      one.session === session && index >= one.begun_with && index <= (one.ended_in_step ?? Number.POSITIVE_INFINITY),
  );
  if (waits) {
    return (
      <span
        aria-hidden
        data-testid={`lab-waiting-${session}-${index + 1}`}
        className="absolute inset-y-0 left-1 w-1.5"
        style={{
          background: 'repeating-linear-gradient(135deg, var(--warn) 0 3px, transparent 3px 6px)',
        }}
      />
    );
  }
  if (!open) return null;
  const tone = open.state === 'committed' ? 'bg-ok' : open.state === 'active' ? 'bg-accent' : 'bg-bad';
  return <span aria-hidden className={`absolute inset-y-0 left-1.5 w-0.5 ${tone}`} />;
}

function Cell({ statement, result, taken }: { statement: LabStatement; result: LabResult; taken: boolean }) {
  const marked = useLab((state) => state.marked.has(statement.index));
  const names = anomaliesOf(result, statement.index);
  return (
    <div
      data-testid={`lab-statement-${statement.index + 1}`}
      data-status={statement.status}
      data-marked={marked}
      title={statement.plan ? `Plan: ${statement.plan}` : undefined}
      className={`rounded-md px-1 data-[marked=true]:outline-2 data-[marked=true]:outline-bad ${taken ? 'text-ink' : 'text-ink-3'}`}
    >
      <code className="num text-xs leading-snug break-words whitespace-pre-wrap">{statement.text}</code>
      {names.map((name) => (
        <span key={name} className="ml-1.5 rounded border border-bad px-1 text-2xs font-semibold text-bad">
          {name}
        </span>
      ))}
      {taken && <Outcome statement={statement} taken={result.step} />}
    </div>
  );
}

function Outcome({ statement, taken }: { statement: LabStatement; taken: number }) {
  const wait = waitOf(statement, taken);
  const still = statement.status === 'waits';
  return (
    <div className="text-2xs" data-testid={`lab-outcome-${statement.index + 1}`}>
      {wait && (
        <p className="flex items-start gap-1 text-warn">
          <Hourglass size={11} className="mt-0.5 shrink-0" aria-hidden />
          {still ? `waits for ${wait.for.join(', ')}` : `waited for ${wait.for.join(', ')}, till step ${wait.to + 1}`}
        </p>
      )}
      {statement.status === 'postponed' && (
        <p className="text-ink-2">its turn comes when {statement.session} waits no more</p>
      )}
      {statement.notice && <p className="text-ink-2">{statement.notice}</p>}
      {statement.status === 'done' && statement.columns.length > 0 && <Rows statement={statement} />}
      {statement.status === 'done' && statement.columns.length === 0 && !isEnd(statement.tag) && (
        <p className="num text-ink-2">{statement.tag}</p>
      )}
      {statement.status === 'done' && statement.tag === 'ROLLBACK' && /commit/i.test(statement.text) && (
        <p className="num text-bad">ROLLBACK</p>
      )}
      {statement.error && (
        <p className="flex items-start gap-1 text-bad" title={statement.error.detail || undefined}>
          <CircleAlert size={11} className="mt-0.5 shrink-0" aria-hidden />
          <span>
            <span className="num">{statement.error.code}</span> {statement.error.message}
          </span>
        </p>
      )}
    </div>
  );
}

const isEnd = (tag: string) => ['BEGIN', 'COMMIT', 'ROLLBACK'].includes(tag);

function Rows({ statement }: { statement: LabStatement }) {
  const { columns, rows } = statement;
  if (!rows.length) return <p className="text-ink-2">no row</p>;
  if (rows.length > ROWS_SHOWN) return <p className="num text-ink-2">{rowsText(rows)}</p>;
  return (
    <table className="num mt-0.5 mb-0.5 text-2xs">
      <thead>
        <tr>
          {columns.map((name) => (
            <th key={name} scope="col" className="pr-3 text-left font-normal text-ink-3">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.join()}>
            {row.map((value, at) => (
              <td key={columns[at]} className="pr-3 text-ink">
                {value ?? 'null'}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
