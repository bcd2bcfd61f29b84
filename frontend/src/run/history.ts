/** The recorded series behind the charts. They arrive in buckets on request; only what is missing is asked for. */

import type { History } from '../generated/protocol';

/** Columns of equal length, one value a bucket. */
export class Series {
  bucketNs = 1e8;
  length = 0;
  columns = new Map<string, (number | null)[]>();
  /** Grows whenever something arrived; charts compare it with what they drew. */
  version = 0;
  private listeners = new Set<() => void>();

  /** Forgets everything, or all buckets from `from` on (a branch: that future is gone). */
  cut(from = 0): void {
    this.length = Math.min(this.length, from);
    if (from === 0) this.columns.clear();
    for (const column of this.columns.values()) column.length = Math.min(column.length, from);
    this.changed();
  }

  /** Takes a part of the record over. */
  take(history: History): void {
    this.bucketNs = history.bucket_ns;
    const lengths = Object.values(history.columns).map((column) => column.length);
    const end = history.first + Math.max(0, ...lengths);
    for (const [name, values] of Object.entries(history.columns)) {
      let column = this.columns.get(name);
      if (!column) {
        column = [];
        this.columns.set(name, column);
      }
      while (column.length < history.first) column.push(null);
      column.length = history.first;
      for (const value of values) column.push(value);
    }
    this.length = end;
    for (const column of this.columns.values()) while (column.length < end) column.push(null);
    this.changed();
  }

  /** The values called `name`, or nulls. */
  column(name: string): (number | null)[] {
    return this.columns.get(name) ?? new Array<null>(this.length).fill(null);
  }

  /** The names that begin with `prefix`, without it. */
  names(prefix: string): string[] {
    return [...this.columns.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  }

  /** Seconds at the end of each bucket. */
  times(): number[] {
    return Array.from({ length: this.length }, (_, index) => ((index + 1) * this.bucketNs) / 1e9);
  }

  /** Calls `listen` after each change; gives the way to stop. */
  onChange(listen: () => void): () => void {
    this.listeners.add(listen);
    return () => this.listeners.delete(listen);
  }

  private changed(): void {
    this.version += 1;
    for (const listen of this.listeners) listen();
  }
}

/** The series of the run that the page shows. */
export const series = new Series();
