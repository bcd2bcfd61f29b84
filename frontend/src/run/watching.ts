/** The figures that the design watches, from the run's record, and what they came to with its fix and without it. */

import type { Happened, Watch } from '../generated/protocol';
import { type Compared, compare, type Sample, type Stretch } from '../lib/comparison';
import { fixState } from '../lib/switches';
import { applied } from '../lib/sync';
import { drawing } from '../state/design';
import { changesInTime, useSession } from '../state/session';
import { type Series, series } from './history';
import { live } from './live';

/** What the record has of `watch`: a sample at the end of each bucket. Who comes later gets the same from it as who was there. */
export function samplesOf(record: Series, watch: readonly Watch[]): Sample[] {
  const columns = watch.map(({ target, metric }) => record.column(`watch.${target}.${metric}`));
  const highest = watch.map(({ target, metric }) => record.column(`highest.${target}.${metric}`));
  return Array.from({ length: record.length }, (_, bucket) => ({
    t: (bucket + 1) * record.bucketNs,
    values: columns.map((column) => column[bucket] ?? Number.NaN),
    highest: highest.map((column) => column[bucket] ?? Number.NaN),
  }));
}

let stretched: { events: readonly Happened[]; origin: unknown; fixes: unknown; stretches: Stretch[] } | null = null;

/** How the design's fixes stood, from the start on; without any, everything is without. */
function stretches(): Stretch[] {
  const { events, origin, catalogue } = useSession.getState();
  const { switches } = drawing();
  if (stretched?.events === events && stretched.origin === origin && stretched.fixes === switches)
    return stretched.stretches;
  const found: Stretch[] = [];
  let design = origin;
  const note = (at: number) => {
    const state = !switches.length ? 'off' : catalogue && design ? fixState(catalogue, design, switches) : null;
    if (state !== found.at(-1)?.state) found.push({ at, state });
  };
  note(0);
  for (const event of changesInTime(events)) {
    design = design && applied(design, event.intervention!);
    note(event.at_ns);
  }
  stretched = { events, origin, fixes: switches, stretches: found };
  return found;
}

let cached: { recorded: number; now: number; watch: unknown; stretches: unknown; compared: Compared[] } | null = null;

/** What each watched figure came to up to the moment that is shown. */
export function compared(): Compared[] {
  const known = stretches();
  const { watch } = drawing();
  const recorded = series.version;
  // Between the ends of two buckets nothing changes.
  const now = Math.floor((live.frame?.t ?? 0) / series.bucketNs) * series.bucketNs;
  if (cached?.recorded !== recorded || cached.now !== now || cached.watch !== watch || cached.stretches !== known) {
    cached = { recorded, now, watch, stretches: known, compared: compare(watch, samplesOf(series, watch), known, now) };
  }
  return cached.compared;
}
