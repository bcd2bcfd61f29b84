import { describe, expect, it } from 'vitest';
import type { History } from '../generated/protocol';
import { Series } from './history';
import { samplesOf } from './watching';

const part = (first: number, columns: History['columns']): History => ({
  type: 'history',
  ref: null,
  bucket_ns: 1e8,
  first,
  columns,
});

describe('recorded series', () => {
  it('grow by the parts that arrive', () => {
    const series = new Series();
    series.take(part(0, { offered: [1, 2] }));
    series.take(part(2, { offered: [3], 'failed.timeout': [4] }));
    expect(series.column('offered')).toEqual([1, 2, 3]);
    expect(series.column('failed.timeout')).toEqual([null, null, 4]);
    expect(series.names('failed.')).toEqual(['timeout']);
    expect(series.times()).toEqual([0.1, 0.2, 0.3].map((time) => expect.closeTo(time)));
  });

  it('lose the future that a branch replaced', () => {
    const series = new Series();
    series.take(part(0, { offered: [1, 2, 3, 4] }));
    series.cut(2);
    expect(series.column('offered')).toEqual([1, 2]);
    series.take(part(2, { offered: [9] }));
    expect(series.column('offered')).toEqual([1, 2, 9]);
  });

  it('have what the design watches, one sample at the end of each bucket', () => {
    const watch = ['rebuilds', 'gone'].map((metric) => ({
      target: 'cache',
      metric,
      label: '',
      show: 'total' as const,
      law: '',
    }));
    const inParts = new Series();
    inParts.take(part(0, { 'watch.cache.rebuilds': [3], 'highest.cache.gone': [8] }));
    inParts.take(part(1, { 'watch.cache.rebuilds': [null, 9] }));
    const atOnce = new Series();
    atOnce.take(part(0, { 'watch.cache.rebuilds': [3, null, 9], 'highest.cache.gone': [8, null, null] }));
    const expected = [3, Number.NaN, 9].map((value, bucket) => ({
      t: (bucket + 1) * 1e8,
      values: [value, Number.NaN],
      highest: [Number.NaN, bucket === 0 ? 8 : Number.NaN],
    }));
    expect(samplesOf(inParts, watch)).toEqual(expected);
    expect(samplesOf(atOnce, watch)).toEqual(expected);
  });
});
