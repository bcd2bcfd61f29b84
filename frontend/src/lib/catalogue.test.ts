import { describe, expect, it } from 'vitest';
import { param } from '../test/samples';
import { accepted, grouped, readValue, shownParams } from './catalogue';

describe('forms from the catalogue', () => {
  it('says what a number takes, with bounds, unit and off', () => {
    const ttl = param('ttl_s', { unit: 's', minimum: 1, maximum: 60, nullable: true });
    expect(accepted(ttl)).toBe('a number from 1 to 60 s, or off');
  });

  it.each(['', 'many', 'NaN', '1e999', '0', '1001', '2.5'])(
    'refuses “%s” for a whole number from 1 to 1000',
    (typed) => {
      const workers = param('workers', { kind: 'integer', minimum: 1, maximum: 1000 });
      expect(readValue(workers, typed)).toHaveProperty('problem');
    },
  );

  it('reads numbers with spaces between thousands', () => {
    expect(readValue(param('rate_per_s'), ' 35 000 ')).toEqual({ value: 35000 });
  });

  it('hides what has no effect', () => {
    const kind = param('keys', { kind: 'choice', default: 'zipf' });
    const exponent = param('exponent', { shown_when: { keys: ['zipf'] } });
    expect(shownParams([kind, exponent], {})).toHaveLength(2);
    expect(shownParams([kind, exponent], { keys: 'uniform' })).toHaveLength(1);
  });

  it('keeps groups in the order of their first parameter', () => {
    const params = [param('a', { group: 'One' }), param('b', { group: 'Two' }), param('c', { group: 'One' })];
    expect(grouped(params).map(([name, members]) => [name, members.length])).toEqual([
      ['One', 2],
      ['Two', 1],
    ]);
  });
});
