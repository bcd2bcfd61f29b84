import { describe, expect, it } from 'vitest';
import { clock, compact, count, duration, moment, plural, setting, withUnit } from './format';

describe('figures as people read them', () => {
  it.each([
    [0, '0'],
    [0.0312, '0.031'],
    [9.996, '10.0'],
    [412, '412'],
    [999.96, '1.00 k'],
    [34_980, '35.0 k'],
    [1_200_000, '1.20 M'],
    [Number.NaN, '–'],
  ])('%d is %s', (value, text) => expect(compact(value)).toBe(text));

  it('counts below ten thousand in full', () => expect(count(1940)).toBe('1\u2009940'));

  it.each([
    [0.0000123, '12.3 µs'],
    [0.00184, '1.84 ms'],
    [2.5, '2.50 s'],
    [200, '3 min 20 s'],
  ])('%d s is %s', (seconds, text) => expect(duration(seconds)).toBe(text));

  it('never rounds a percentage that is not quite 100 up to it', () => {
    expect(withUnit(99.9996, '%')).toBe('99.999 %');
  });

  it('writes an absent figure as a dash', () => expect(withUnit(null, 'ms')).toBe('–'));

  it('shows virtual time as a clock', () => {
    expect(clock(12_480_000_000)).toBe('00:12.480');
    expect(clock(3_723_004_000_000)).toBe('1:02:03.004');
    expect(moment(6_021_000_000)).toBe('6.02');
    expect(moment(66_552_000_000)).toBe('01:06.5');
  });

  it.each([
    [35_000, 'per_s', '35\u2009000 /s'],
    [1e-6, 'ms', '0.000001 ms'],
    [null, 's', 'off'],
    [true, '', 'on'],
  ])('the setting %s %s is written %s', (value, unit, text) => expect(setting(value, unit)).toBe(text));

  it('counts one thing and several', () => {
    expect([plural(1, 'block'), plural(2, 'block')]).toEqual(['1 block', '2 blocks']);
  });
});
