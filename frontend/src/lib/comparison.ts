/**
 * Watched figures with a fix and without it, from the record of one run.
 *
 * Samples and the times at which the fix was turned are both virtual; which sample belongs to which side is worked out when it is asked
 * for. A run repeats itself to the last event, so going back in time hides the samples of the future and throws none away.
 */

import type { Watch } from '../generated/protocol';
import type { SwitchState } from './switches';

/** From `at` (virtual ns) on the fix stands like this, until the next one. */
export interface Stretch {
  at: number;
  state: SwitchState | null;
}

/** What the watched figures read at the virtual time `t`, ns. */
export interface Sample {
  t: number;
  /** One value a watched figure; NaN where the engine reports none. */
  values: number[];
  /** The highest that each was since the sample before; NaN where nobody watches for it. */
  highest: number[];
}

/** For so long after a fix was turned a gauge still tells of the other side: many look back over the last second or two. */
const SETTLING_NS = 2e9;

/** A figure of one side; null before there is anything to tell. */
export type Figure = number | null;

/** What a watched figure came to without the fix and with it. */
export interface Compared {
  off: Figure;
  on: Figure;
}

/**
 * What each of `watch` came to until `now`, by how the fix stood; `samples` and `stretches` are in the order of time, and `stretches`
 * begin at 0. A step between two samples in which the fix was turned belongs to neither side.
 */
export function compare(
  watch: readonly Watch[],
  samples: readonly Sample[],
  stretches: readonly Stretch[],
  now: number,
): Compared[] {
  const sides = watch.map(() => ({ off: new Side(), on: new Side() }));
  let stretch = 0;
  let before: Sample = { t: 0, values: watch.map(() => 0), highest: [] };
  let untilTurn: Sample | null = null;
  for (const sample of samples) {
    if (sample.t > now) break;
    let begins = false;
    while (stretch + 1 < stretches.length && stretches[stretch + 1]!.at <= before.t) {
      stretch += 1;
      begins = true;
    }
    if (begins)
      for (const [index, { off, on }] of sides.entries())
        for (const side of [off, on]) side.begin((untilTurn ?? before).values[index]!, before.t);
    const turned = stretch + 1 < stretches.length && stretches[stretch + 1]!.at < sample.t;
    const state = stretches[stretch]?.state;
    if (!turned && (state === 'on' || state === 'off')) {
      for (const [index, side] of sides.entries()) side[state].take(before, sample, index);
    }
    untilTurn = turned ? before : null;
    before = sample;
  }
  return watch.map(({ show }, index) => ({ off: sides[index]!.off.figure(show), on: sides[index]!.on.figure(show) }));
}

function larger(a: number, b: number): number {
  if (Number.isNaN(a)) return b;
  return Number.isNaN(b) ? a : Math.max(a, b);
}

/** One figure on one side. */
class Side {
  private grown = 0;
  private ns = 0;
  private highest = Number.NaN;
  private last = Number.NaN;
  /** What the figure read when this side began, until it reads something else. */
  private carried = Number.NaN;
  /** The highest counts from here on. */
  private settled = 0;

  /** The fix was turned while the figure read `value`: until that changes, it tells of the other side. */
  begin(value: number, at: number): void {
    this.carried = value;
    this.settled = at + SETTLING_NS;
  }

  take(before: Sample, sample: Sample, index: number): void {
    const value = sample.values[index]!;
    if (Number.isNaN(value)) return;
    const from = before.values[index]!;
    // A counter below itself began anew: its block was taken out and drawn again.
    this.grown += Number.isNaN(from) || value < from ? value : value - from;
    this.ns += sample.t - before.t;
    if (before.t >= this.settled) this.highest = larger(this.highest, sample.highest[index]!);
    if (value === this.carried) return;
    this.carried = Number.NaN;
    this.last = value;
  }

  figure(show: Watch['show']): Figure {
    if (this.ns <= 0) return null;
    switch (show) {
      case 'total':
        return this.grown;
      case 'rate':
        return (this.grown * 1e9) / this.ns;
      case 'highest':
        return Number.isNaN(this.highest) ? null : this.highest;
      case 'last':
        return Number.isNaN(this.last) ? null : this.last;
    }
  }
}
