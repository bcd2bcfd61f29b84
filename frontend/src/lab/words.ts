/** What became of a statement, and why two transactions depend on one another, in words. */

import type { LabDependency, LabOutcome, LabResult, LabStatement, Problem } from '../generated/protocol';

/** Rows as `(1, 10) (2, 20)`. */
export function rowsText(rows: readonly (readonly (number | null)[])[]): string {
  return rows.map((row) => `(${row.map((value) => value ?? 'null').join(', ')})`).join(' ') || 'no row';
}

/** What became of a statement, in one line. Steps count from 1. */
export function outcomeText(outcome: LabOutcome): string {
  const parts = outcome.waits.map((wait) => `waits for ${wait.for.join(', ')} (step ${wait.step + 1})`);
  const late = parts.length && outcome.step_done !== null ? ` (step ${outcome.step_done + 1})` : '';
  if (outcome.status === 'error') parts.push(`${outcome.error?.code}: ${outcome.error?.message}${late}`);
  else if (outcome.status === 'done')
    parts.push((outcome.columns.length ? rowsText(outcome.rows) : outcome.tag) + late);
  else if (outcome.status === 'postponed') parts.push('never had its turn');
  else if (outcome.status === 'waits') parts.push('is never done');
  return parts.join(', then ');
}

/** A dependency as a sentence. */
export function dependencyText(edge: LabDependency): string {
  const row = `${edge.table} ${edge.key}`;
  if (edge.kind === 'ww') return `${edge.to} overwrote ${row} as ${edge.from} had written it`;
  if (edge.kind === 'wr') {
    return edge.is_by_predicate
      ? `${edge.to}’s condition saw what ${edge.from} had done to ${row}`
      : `${edge.to} read ${row} as ${edge.from} had written it`;
  }
  return edge.is_by_predicate
    ? `${edge.from}’s condition did not see what ${edge.to} then did to ${row}`
    : `${edge.from} read ${row} before ${edge.to} changed it`;
}

/** From which step to which a statement waited, up to now where it still does; null where it didn't. Steps count from 0. */
export function waitOf(statement: LabStatement, taken: number): { from: number; to: number; for: string[] } | null {
  const [first] = statement.waits;
  if (!first) return null;
  const names = [...new Set(statement.waits.flatMap((wait) => wait.for))];
  return { from: first.step, to: statement.step_done ?? taken - 1, for: names };
}

/** Where in the text a problem is, if it says so. Both count from 1. */
export function placeOf(problem: Problem): { line: number; column: number } | null {
  const found = /^line (\d+), column (\d+)$/.exec(problem.where);
  return found ? { line: Number(found[1]), column: Number(found[2]) } : null;
}

/** The names of the anomalies that a statement's read is part of. */
export function anomaliesOf(result: LabResult, index: number): string[] {
  return [...new Set(result.anomalies.filter((one) => one.statements.includes(index)).map((one) => one.name))];
}

/** Things by what `key` says of each, in the order in which each key came first. */
export function grouped<T>(things: readonly T[], key: (thing: T) => string): [string, T[]][] {
  const found = new Map<string, T[]>();
  for (const thing of things) found.set(key(thing), [...(found.get(key(thing)) ?? []), thing]);
  return [...found];
}
