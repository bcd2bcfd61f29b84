import { describe, expect, it } from 'vitest';
import type { Watch } from '../generated/protocol';
import { Comparison, type Stretch } from './comparison';

const S = 1e9;
const watch = (show: Watch['show']): Watch => ({ target: 'cache', metric: 'rebuilds', label: '', show, law: '' });
const OFF: Stretch[] = [{ at: 0, state: 'off' }];
const TURNED: Stretch[] = [...OFF, { at: 10 * S, state: 'on' }];

/** A counter that grows by 100 a second until 10 s and by 1 a second after it, sampled each second. */
function run(until = 20, max?: number): Comparison {
  const comparison = new Comparison(1, max);
  for (let s = 1; s <= until; s++) comparison.add(s * S, [s <= 10 ? 100 * s : 1000 + (s - 10)]);
  return comparison;
}

describe('figures with the fix and without it', () => {
  it('a total is what the counter grew by on each side', () => {
    expect(run().compare([watch('total')], TURNED, 20 * S)).toEqual([{ off: 1000, on: 10 }]);
  });

  it('a rate is that per virtual second', () => {
    expect(run().compare([watch('rate')], TURNED, 20 * S)).toEqual([{ off: 100, on: 1 }]);
  });

  it('a side that never was has no figure', () => {
    expect(run().compare([watch('total')], OFF, 20 * S)).toEqual([{ off: 1010, on: null }]);
  });

  it('a step in which the fix was turned belongs to neither side', () => {
    const stretches: Stretch[] = [...OFF, { at: 9.5 * S, state: 'on' }];
    expect(run().compare([watch('total')], stretches, 20 * S)).toEqual([{ off: 900, on: 10 }]);
  });

  it('partly on is neither', () => {
    const stretches: Stretch[] = [...TURNED, { at: 15 * S, state: 'mixed' }];
    expect(run().compare([watch('total')], stretches, 20 * S)).toEqual([{ off: 1000, on: 5 }]);
  });

  it('turning back and forth adds up', () => {
    const stretches: Stretch[] = [...TURNED, { at: 15 * S, state: 'off' }];
    expect(run().compare([watch('total')], stretches, 20 * S)).toEqual([{ off: 1005, on: 5 }]);
  });

  it('what comes after the moment that is shown does not count, and is there again when that moment is', () => {
    const comparison = run();
    expect(comparison.compare([watch('total')], TURNED, 5 * S)).toEqual([{ off: 500, on: null }]);
    comparison.add(5.5 * S, [550]);
    expect(comparison.compare([watch('total')], TURNED, 20 * S)).toEqual([{ off: 1000, on: 10 }]);
  });

  it('another future takes the place of the one before', () => {
    const comparison = run();
    comparison.cut(12 * S);
    comparison.add(13 * S, [1002]);
    expect(comparison.compare([watch('total')], TURNED, 20 * S)).toEqual([{ off: 1000, on: 2 }]);
  });

  it('a counter that begins anew counts from nothing', () => {
    const comparison = new Comparison(1);
    comparison.add(1 * S, [40]);
    comparison.add(2 * S, [Number.NaN]);
    comparison.add(3 * S, [5]);
    comparison.add(4 * S, [2]);
    expect(comparison.compare([watch('total')], OFF, 9 * S)).toEqual([{ off: 47, on: null }]);
  });

  it('a gauge shows its highest and its last value on each side', () => {
    const comparison = new Comparison(1);
    for (const [s, value] of [30, 90, 20, 7, 4].entries()) comparison.add((s + 1) * S, [value]);
    const stretches: Stretch[] = [...OFF, { at: 3 * S, state: 'on' }];
    expect(comparison.compare([watch('highest')], stretches, 9 * S)).toEqual([{ off: 90, on: 7 }]);
    expect(comparison.compare([watch('last')], stretches, 9 * S)).toEqual([{ off: 20, on: 4 }]);
  });

  it('what a gauge still reads from the other side is not its last value on this one', () => {
    const comparison = new Comparison(1);
    for (const [s, value] of [0, 2025, 2025, 2025, 1, 1, 1].entries()) comparison.add((s + 1) * S, [value]);
    const stretches: Stretch[] = [...OFF, { at: 3 * S, state: 'on' }];
    expect(comparison.compare([watch('last')], stretches, 4 * S)).toEqual([{ off: 2025, on: null }]);
    expect(comparison.compare([watch('last')], stretches, 5 * S)).toEqual([{ off: 2025, on: 1 }]);
    const back: Stretch[] = [...stretches, { at: 5.5 * S, state: 'off' }];
    expect(comparison.compare([watch('last')], back, 7 * S)).toEqual([{ off: 2025, on: 1 }]);
  });

  it('a long run is thinned out without losing anything', () => {
    const comparison = run(9, 40);
    comparison.compare([watch('total')], TURNED, 9 * S);
    const peak = new Comparison(1, 40);
    for (let s = 1; s <= 500; s++) {
      comparison.add((9 + s) * S, [s === 1 ? 1000 : 1000 + s - 1]);
      peak.add(s * S, [s === 123 ? 9 : 1]);
    }
    expect(comparison.compare([watch('total')], TURNED, 600 * S)).toEqual([{ off: 1000, on: 499 }]);
    expect(peak.compare([watch('highest')], OFF, 600 * S)).toEqual([{ off: 9, on: null }]);
  });
});
