/** The same schedule in the lab and on a real PostgreSQL, side by side. */

import { Check, TriangleAlert } from 'lucide-react';
import { useLab } from './store';
import { outcomeText, rowsText } from './words';

/** Both outcomes in two columns; differences are marked. */
export function Beside() {
  const compared = useLab((state) => state.compared);
  const comparing = useLab((state) => state.comparing);
  const failure = useLab((state) => state.compareFailure);
  return (
    <div className="p-4" data-testid="lab-beside">
      <div className="mb-3 flex items-center gap-3">
        <button
          type="button"
          data-testid="lab-to-schedule"
          className="text-xs text-ink-2 underline"
          onClick={() => useLab.setState({ view: 'schedule' })}
        >
          Back to the schedule
        </button>
        <Verdict />
      </div>
      {comparing && !compared && <p className="text-sm text-ink-2">Taking the same steps on the server …</p>}
      {failure && (
        <p className="text-sm text-bad" role="alert">
          {failure}
        </p>
      )}
      {compared && <Table />}
    </div>
  );
}

function Verdict() {
  const compared = useLab((state) => state.compared);
  if (!compared) return null;
  const { differences, order } = compared;
  return (
    <p className="flex items-center gap-1.5 text-sm" role="status" data-testid="lab-verdict">
      {differences.length ? (
        <TriangleAlert size={15} className="text-bad" aria-hidden />
      ) : (
        <Check size={15} className="text-ok" aria-hidden />
      )}
      {differences.length
        ? `${differences.length} ${differences.length === 1 ? 'difference' : 'differences'} from the server`
        : 'The server did the same, statement by statement'}
      {order && <span className="text-ink-2">(several went on at once: {order})</span>}
    </p>
  );
}

function Table() {
  const compared = useLab((state) => state.compared)!;
  const { lab, statements, differences, final } = compared;
  const differ = new Set(differences.map((one) => one.statement));
  return (
    <table className="w-full table-fixed border-collapse text-xs">
      <thead>
        <tr className="text-left text-2xs text-ink-2">
          <th scope="col" className="w-9 p-1.5 font-normal" aria-label="Step" />
          <th scope="col" className="p-1.5 font-normal">
            Statement
          </th>
          <th scope="col" className="p-1.5 font-normal">
            {lab.server}, the lab
          </th>
          <th scope="col" className="p-1.5 font-normal">
            The PostgreSQL server
          </th>
        </tr>
      </thead>
      <tbody>
        {lab.statements.map((statement, at) => (
          <tr
            key={statement.index}
            data-testid={`lab-beside-${at + 1}`}
            data-differs={differ.has(at)}
            className="border-t border-line align-top data-[differs=true]:bg-bad/10"
          >
            <td className="num p-1.5 text-right text-2xs text-ink-2">{at + 1}</td>
            <td className="num p-1.5 break-words">
              <span className="text-ink-2">{statement.session}:</span> {statement.text}
            </td>
            <td className="p-1.5 break-words">{outcomeText(statement)}</td>
            <td className="p-1.5 break-words">
              {differ.has(at) && <TriangleAlert size={12} className="mr-1 inline text-bad" aria-label="differs" />}
              {outcomeText(statements[at]!)}
            </td>
          </tr>
        ))}
        {Object.entries(final).map(([table, rows]) => (
          <tr key={table} className="border-t border-line-strong align-top">
            <td />
            <td className="p-1.5 text-ink-2">{table} at the end</td>
            <td className="num p-1.5">{rowsText(lab.final[table] ?? [])}</td>
            <td className="num p-1.5" data-testid={`lab-beside-final-${table}`}>
              {rowsText(rows)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
