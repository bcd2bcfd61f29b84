import { describe, expect, it } from 'vitest';
import { CATALOGUE, param } from '../test/samples';
import { accepted, foundKinds, grouped, readValue, ruleProblems, shownParams } from './catalogue';

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

  const NO_MORE = { plus: [], least: 0, when: {}, above_zero: [] as string[] };

  it('a relation of a sum, and one with a number, hold only when they are meant to', () => {
    const loop = param('loop_s', { label: 'Loop', unit: 's', default: 10 });
    const retry = param('retry_s', { label: 'Retry', unit: 's', default: 10 });
    const ttl = param('ttl_s', { label: 'Lease', unit: 's', default: 30 });
    const level = param('level', { kind: 'choice', default: 'on' });
    const replicas = param('replicas', { label: 'Replicas', default: 0 });
    const sum = {
      ...NO_MORE,
      lesser: 'loop_s',
      plus: ['retry_s'],
      greater: 'ttl_s',
      strict: true,
      help: 'two leaders',
    };
    const some = { ...NO_MORE, lesser: '', least: 1, greater: 'replicas', strict: false, help: 'nobody to wait for' };
    const spec = {
      ...CATALOGUE.blocks[0]!,
      params: [loop, retry, ttl, level, replicas],
      rules: [sum, { ...some, when: { level: ['remote_apply'] } }],
    };
    expect(ruleProblems(spec, {}).size).toBe(0);
    expect(ruleProblems(spec, { retry_s: 20 }).get('ttl_s')).toBe(
      'Lease has to be more than Loop + Retry (30 s): two leaders',
    );
    expect([...ruleProblems(spec, { level: 'remote_apply' })]).toEqual([
      ['replicas', 'Replicas has to be at least 1: nobody to wait for'],
    ]);
  });

  it('a relation that does not hold is said at both of its parameters', () => {
    const soft = param('soft_s', { label: 'Soft TTL', unit: 's', default: null, nullable: true });
    const hard = param('hard_s', { label: 'Hard TTL', unit: 's', default: 60 });
    const rules = [{ lesser: 'soft_s', greater: 'hard_s', help: 'else it never counts', strict: true, ...NO_MORE }];
    const spec = { ...CATALOGUE.blocks[0]!, params: [soft, hard], rules };
    expect(ruleProblems(spec, {}).size).toBe(0);
    expect(ruleProblems(spec, { soft_s: 59 }).size).toBe(0);
    const problems = ruleProblems(spec, { soft_s: 60 });
    expect(problems.get('soft_s')).toBe('Soft TTL has to be less than Hard TTL (60 s): else it never counts');
    expect(problems.get('hard_s')).toBe('Hard TTL has to be more than Soft TTL (60 s): else it never counts');
    expect(ruleProblems({ ...spec, rules: [{ ...rules[0]!, strict: false }] }, { soft_s: 60 }).size).toBe(0);
  });

  it('a relation that depends on a third parameter holds only beside that one', () => {
    const params = [param('timeout_s', { default: 2 }), param('period_s', { default: 1 }), param('probes')];
    const rules = [
      {
        lesser: 'timeout_s',
        greater: 'period_s',
        help: 'too long',
        strict: false,
        ...NO_MORE,
        when: { probes: [true] },
      },
    ];
    const spec = { ...CATALOGUE.blocks[0]!, params, rules };
    expect(ruleProblems(spec, { probes: false }).size).toBe(0);
    expect([...ruleProblems(spec, { probes: true }).keys()]).toEqual(['timeout_s', 'period_s']);
  });

  it('a relation that asks for a number above 0 does not hold beside a 0', () => {
    const params = [param('ttl_s', { default: 9 }), param('kept_s', { default: 5 }), param('share', { default: 0 })];
    const rules = [
      { lesser: 'ttl_s', greater: 'kept_s', help: 'longer', strict: false, ...NO_MORE, above_zero: ['share'] },
    ];
    const spec = { ...CATALOGUE.blocks[0]!, params, rules };
    expect(ruleProblems(spec, {}).size).toBe(0);
    expect([...ruleProblems(spec, { share: 0.1 }).keys()]).toEqual(['ttl_s', 'kept_s']);
  });

  it('weights of which none is above 0 are told at each of them', () => {
    const params = [param('read', { label: 'Reads', default: 1 }), param('write', { label: 'Writes', default: 0 })];
    const any_above_zero = [{ params: ['read', 'write'], help: 'ask for something' }];
    const spec = { ...CATALOGUE.blocks[0]!, params, any_above_zero };
    expect(ruleProblems(spec, {}).size).toBe(0);
    expect(ruleProblems(spec, { read: 0, write: 0.1 }).size).toBe(0);
    const problems = ruleProblems(spec, { read: 0 });
    expect([...problems.keys()]).toEqual(['read', 'write']);
    expect(problems.get('write')).toBe('One of Reads, Writes has to be above 0: ask for something');
  });

  it('keeps groups in the order of their first parameter', () => {
    const params = [param('a', { group: 'One' }), param('b', { group: 'Two' }), param('c', { group: 'One' })];
    expect(grouped(params).map(([name, members]) => [name, members.length])).toEqual([
      ['One', 2],
      ['Two', 1],
    ]);
  });
});

describe('searching the palette', () => {
  const kind = (title: string, summary: string, order: number) => ({ ...CATALOGUE.blocks[0]!, title, summary, order });
  const specs = [kind('Browser', 'has a cache', 1), kind('Cache', 'keeps items', 3), kind('Browser cache', '', 2)];
  const titles = (query: string) => foundKinds(specs, query).map(({ title }) => title);

  it('finds what is called so before what only mentions it', () => {
    expect(titles('cache')).toEqual(['Cache', 'Browser cache', 'Browser']);
  });

  it('without a query everything is there in its order', () => {
    expect(titles('')).toEqual(['Browser', 'Browser cache', 'Cache']);
  });

  it('all words must fit', () => {
    expect(titles('browser keeps')).toEqual([]);
  });
});
