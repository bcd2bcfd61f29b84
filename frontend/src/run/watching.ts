/** Follows the run's frames for the figures that the design watches, and tells what they came to with its fix and without it. */

import type { Happened, Watch } from '../generated/protocol';
import { type Compared, Comparison, type Stretch } from '../lib/comparison';
import { switchState } from '../lib/switches';
import { applied } from '../lib/sync';
import { drawing, useDesign } from '../state/design';
import { changesInTime, useSession } from '../state/session';
import { live } from './live';

let watch: readonly Watch[] = [];
let comparison = new Comparison(0);
/** Events come again after a reconnect; what they cut off is not cut off twice. */
let heard = 0;

function begin(): void {
  ({ watch } = drawing());
  comparison = new Comparison(watch.length);
  cached = null;
}

live.onFrame((frame) => {
  if (!watch.length) return;
  comparison.add(
    frame.t,
    watch.map(({ target, metric }) => live.value(target, metric) ?? live.edgeValue(target, metric) ?? Number.NaN),
  );
});
useDesign.subscribe((state, before) => {
  if (state.design.watch !== before.design.watch && JSON.stringify(state.design.watch) !== JSON.stringify(watch))
    begin();
});
useSession.subscribe((state, before) => {
  if (state.runId !== before.runId) {
    heard = 0;
    begin();
  }
  if (state.events === before.events) return;
  for (const event of state.events) {
    if (event.seq <= heard) continue;
    heard = event.seq;
    if (event.what === 'branch') comparison.cut(event.at_ns);
    if (event.what === 'reset') begin();
  }
});

let stretched: { events: readonly Happened[]; origin: unknown; fixes: unknown; stretches: Stretch[] } | null = null;

/**
 * How the design's first fix stood, from the start on; without a fix, everything is without it. Where the page does not know what the
 * run began with, it knows how the fix stood only from the last change on.
 */
function stretches(): Stretch[] {
  const { events, origin, running, catalogue } = useSession.getState();
  const { switches } = drawing();
  if (stretched?.events === events && stretched.origin === origin && stretched.fixes === switches)
    return stretched.stretches;
  const [fix] = switches;
  const found: Stretch[] = [];
  const changes = changesInTime(events);
  let design = origin ?? (changes.length ? null : running);
  const note = (at: number) => {
    const state = !fix ? 'off' : catalogue && design ? switchState(catalogue, design, fix) : null;
    if (state !== found.at(-1)?.state) found.push({ at, state });
  };
  note(0);
  for (const event of changes) {
    if (origin) design = design && applied(design, event.intervention!);
    else if (event === changes.at(-1)) design = running;
    note(event.at_ns);
  }
  stretched = { events, origin, fixes: switches, stretches: found };
  return found;
}

let cached: { version: number; stretches: unknown; compared: Compared[] } | null = null;

/** What each watched figure came to up to the moment that is shown. */
export function compared(): Compared[] {
  const known = stretches();
  if (cached?.version !== live.version || cached.stretches !== known) {
    const found = comparison.compare(watch, known, live.frame?.t ?? 0);
    cached = { version: live.version, stretches: known, compared: found };
  }
  return cached.compared;
}
