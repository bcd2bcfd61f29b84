/** Row locks, and what SERIALIZABLE takes its transactions to have read. */

import type { LabRowLock } from '../generated/protocol';
import { Section } from '../ui/Section';
import { useLab } from './store';
import { grouped } from './words';

const TABLE = 'w-full text-left text-xs';
const HEAD = 'pr-2 pb-0.5 text-2xs font-normal text-ink-3';

const keyOf = ({ table, key, by, mode, is_granted }: LabRowLock) => [table, key, by, mode, is_granted].join();

/** Who has locked which rows, and who asks for it. */
export function Locks() {
  const result = useLab((state) => state.result);
  if (!result) return null;
  // On PostgreSQL an update locks the version that it ends, and may have locked it before: that says the same twice.
  const locks = grouped(result.state.row_locks, keyOf).map(([, same]) => same[0]!);
  return (
    <Section title="Row locks">
      {!locks.length && <p className="text-xs text-ink-2">No row is locked.</p>}
      {locks.length > 0 && (
        <table className={TABLE} data-testid="lab-locks">
          <thead>
            <tr>
              <th scope="col" className={HEAD}>
                Row
              </th>
              <th scope="col" className={HEAD}>
                By
              </th>
              <th scope="col" className={HEAD}>
                Mode
              </th>
            </tr>
          </thead>
          <tbody>
            {locks.map((lock) => (
              <tr key={keyOf(lock)} className={lock.is_granted ? '' : 'text-warn'}>
                <td className="num pr-2">
                  {lock.table} {lock.key ?? 'behind the last'}
                </td>
                <td className="pr-2">{lock.by}</td>
                <td>
                  {lock.mode}
                  {!lock.is_granted && ' (waits)'}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

/** SIREAD locks and rw-conflicts; nothing where no transaction is tracked. */
export function ReadLocks() {
  const result = useLab((state) => state.result);
  if (!result) return null;
  const { siread_locks: locks, rw_conflicts: conflicts, doomed } = result.state;
  if (!locks.length && !conflicts.length) return null;
  return (
    <Section title="What SERIALIZABLE keeps">
      <table className={TABLE} data-testid="lab-reads">
        <thead>
          <tr>
            <th scope="col" className={HEAD}>
              Taken to have read
            </th>
            <th scope="col" className={HEAD}>
              By
            </th>
          </tr>
        </thead>
        <tbody>
          {locks.map((lock) => (
            <tr key={`${lock.by}${lock.on}${lock.granularity}${lock.number}`}>
              <td className="num pr-2">
                {lock.granularity} {lock.granularity === 'relation' ? '' : `${lock.number} of `}
                {lock.on}
              </td>
              <td>{lock.by}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <ul className="mt-1.5 text-xs text-ink-2">
        {conflicts.map(({ reader, writer }) => (
          <li key={`${reader}${writer}`} data-testid={`lab-conflict-${reader}-${writer}`}>
            {reader} read what {writer} changed (rw)
          </li>
        ))}
        {doomed.map((name) => (
          <li key={name} className="text-bad">
            {name} has to fail
          </li>
        ))}
      </ul>
    </Section>
  );
}
