import { describe, expect, it } from 'vitest';
import type { Watch } from '../generated/protocol';
import { compare, type Sample, type Stretch } from './comparison';

const S = 1e9;
const watch = (show: Watch['show']): Watch => ({ target: 'cache', metric: 'rebuilds', label: '', show, law: '' });
const OFF: Stretch[] = [{ at: 0, state: 'off' }];
const TURNED: Stretch[] = [...OFF, { at: 10 * S, state: 'on' }];

const sampled = (...values: number[]): Sample[] =>
  values.map((value, index) => ({ t: (index + 1) * S, values: [value], highest: [value] }));

/** A counter that grows by 100 a second until 10 s and by 1 a second after it, sampled each second. */
const RUN = sampled(...Array.from({ length: 20 }, (_, index) => (index < 10 ? 100 * (index + 1) : 1000 + (index - 9))));

describe('figures with the fix and without it', () => {
  it('a total is what the counter grew by on each side', () => {
    expect(compare([watch('total')], RUN, TURNED, 20 * S)).toEqual([{ off: 1000, on: 10 }]);
  });

  it('a rate is that per virtual second', () => {
    expect(compare([watch('rate')], RUN, TURNED, 20 * S)).toEqual([{ off: 100, on: 1 }]);
  });

  it('a side that never was has no figure', () => {
    expect(compare([watch('total')], RUN, OFF, 20 * S)).toEqual([{ off: 1010, on: null }]);
  });

  it('a step in which the fix was turned belongs to neither side', () => {
    const stretches: Stretch[] = [...OFF, { at: 9.5 * S, state: 'on' }];
    expect(compare([watch('total')], RUN, stretches, 20 * S)).toEqual([{ off: 900, on: 10 }]);
  });

  it('partly on is neither', () => {
    const stretches: Stretch[] = [...TURNED, { at: 15 * S, state: 'mixed' }];
    expect(compare([watch('total')], RUN, stretches, 20 * S)).toEqual([{ off: 1000, on: 5 }]);
  });

  it('turning back and forth adds up', () => {
    const stretches: Stretch[] = [...TURNED, { at: 15 * S, state: 'off' }];
    expect(compare([watch('total')], RUN, stretches, 20 * S)).toEqual([{ off: 1005, on: 5 }]);
  });

  it('what comes after the moment that is shown does not count, and is there again when that moment is', () => {
    expect(compare([watch('total')], RUN, TURNED, 5 * S)).toEqual([{ off: 500, on: null }]);
    expect(compare([watch('total')], RUN, TURNED, 20 * S)).toEqual([{ off: 1000, on: 10 }]);
  });

  it('a counter that begins anew counts from nothing', () => {
    const samples = sampled(40, Number.NaN, 5, 2);
    expect(compare([watch('total')], samples, OFF, 9 * S)).toEqual([{ off: 47, on: null }]);
  });

  it('a gauge shows its highest and its last value on each side', () => {
    const samples = sampled(30, 90, 80, 60, 20, 7, 4);
    const stretches: Stretch[] = [...OFF, { at: 3 * S, state: 'on' }];
    // What it reads in the first two seconds looks back on the other side.
    expect(compare([watch('highest')], samples, stretches, 5 * S)).toEqual([{ off: 90, on: null }]);
    expect(compare([watch('highest')], samples, stretches, 9 * S)).toEqual([{ off: 90, on: 7 }]);
    expect(compare([watch('last')], samples, stretches, 9 * S)).toEqual([{ off: 80, on: 4 }]);
  });

  it('what a gauge still reads from the other side is not its last value on this one', () => {
    const samples = sampled(0, 2025, 2025, 2025, 1, 1, 1);
    const stretches: Stretch[] = [...OFF, { at: 3 * S, state: 'on' }];
    expect(compare([watch('last')], samples, stretches, 4 * S)).toEqual([{ off: 2025, on: null }]);
    expect(compare([watch('last')], samples, stretches, 5 * S)).toEqual([{ off: 2025, on: 1 }]);
    const back: Stretch[] = [...stretches, { at: 5.5 * S, state: 'off' }];
    expect(compare([watch('last')], samples, back, 7 * S)).toEqual([{ off: 2025, on: 1 }]);
  });
});
