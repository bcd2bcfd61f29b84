/**
 * Watched figures with a fix and without it, from the frames of one run.
 *
 * Samples are kept by virtual time, and so is when the fix was turned; which sample belongs to which is only worked out when it is
 * asked for. A run repeats itself to the last event, so going back in time hides the samples of the future and does not throw them
 * away; only another future (a branch) does.
 */

import type { Watch } from '../generated/protocol';
import type { SwitchState } from './switches';

/** More are thinned out: every second one goes into the next. */
const SAMPLES_MAX = 4_000;

/** From `at` (virtual ns) on the fix stands like this, until the next one. */
export interface Stretch {
  at: number;
  state: SwitchState | null;
}

interface Sample {
  t: number;
  /** One value a watched figure; NaN where the engine reports none. */
  values: number[];
  /** The highest since the sample before. */
  highest: number[];
}

/** A figure of one side; null before there is anything to tell. */
export type Figure = number | null;

/** What a watched figure came to without the fix and with it. */
export interface Compared {
  off: Figure;
  on: Figure;
}

/** The samples of one run. */
export class Comparison {
  private samples: Sample[] = [];
  /** When the fix was turned, as far as was asked: samples there are never thinned out. */
  private turns: number[] = [];

  constructor(
    private readonly figures: number,
    private readonly max = SAMPLES_MAX,
  ) {}

  /** Takes what the figures read at the virtual time `t`. What is there for that time already stays: it was the same. */
  add(t: number, values: readonly number[]): void {
    const { samples } = this;
    let at = samples.length;
    while (at > 0 && samples[at - 1]!.t > t) at -= 1;
    if (at > 0 && samples[at - 1]!.t === t) {
      // Nothing passed, but a block may have been drawn or a gauge set at this moment.
      samples[at - 1]!.values = [...values];
      return;
    }
    samples.splice(at, 0, { t, values: [...values], highest: [...values] });
    if (samples.length > this.max) this.thin();
  }

  /** Another future begins at `t`: what was sampled after it never happened. */
  cut(t: number): void {
    this.samples = this.samples.filter((sample) => sample.t <= t);
  }

  /**
   * What each of `watch` came to until `now`, by how the fix stood. `stretches` are in the order of time and begin at 0. A step between
   * two samples in which the fix was turned belongs to neither side.
   */
  compare(watch: readonly Watch[], stretches: readonly Stretch[], now: number): Compared[] {
    this.turns = stretches.map(({ at }) => at);
    const sides = watch.map(() => ({ off: new Side(), on: new Side() }));
    let stretch = 0;
    let before: Sample = { t: 0, values: new Array<number>(this.figures).fill(0), highest: [] };
    let untilTurn: Sample | null = null;
    for (const sample of this.samples) {
      if (sample.t > now) break;
      let begins = false;
      while (stretch + 1 < stretches.length && stretches[stretch + 1]!.at <= before.t) {
        stretch += 1;
        begins = true;
      }
      if (begins)
        for (const [index, { off, on }] of sides.entries())
          for (const side of [off, on]) side.begin((untilTurn ?? before).values[index]!);
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

  private thin(): void {
    const kept: Sample[] = [];
    for (let at = 0; at < this.samples.length; at++) {
      const sample = this.samples[at]!;
      const next = this.samples[at + 1];
      // The newest ones stay as they are: a fix may have been turned between them, and is not known of yet.
      const old = at % 2 === 0 && next && at < this.samples.length - this.max / 4;
      if (old && !this.turns.some((turn) => turn >= sample.t && turn < next.t)) {
        next.highest = next.highest.map((value, index) => larger(value, sample.highest[index]!));
      } else kept.push(sample);
    }
    this.samples = kept;
  }
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

  /** The fix was turned while the figure read `value`: until that changes, it tells of the other side. */
  begin(value: number): void {
    this.carried = value;
  }

  take(before: Sample, sample: Sample, index: number): void {
    const value = sample.values[index]!;
    if (Number.isNaN(value)) return;
    const from = before.values[index]!;
    // A counter below itself began anew: its block was taken out and drawn again.
    this.grown += Number.isNaN(from) || value < from ? value : value - from;
    this.ns += sample.t - before.t;
    this.highest = larger(this.highest, sample.highest[index]!);
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
