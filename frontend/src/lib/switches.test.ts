import { describe, expect, it } from 'vitest';
import type { Switch } from '../generated/protocol';
import { CATALOGUE, design } from '../test/samples';
import { changeTitle } from './changes';
import { withBlock, withEdge, without, withParam } from './design';
import { fixState, switchState, withSwitch } from './switches';

const set = (target: string, param: string, value: number) => ({ target, param, value });
const FIX: Switch = {
  label: 'More workers',
  help: '',
  on: [set('server', 'workers', 50), set('client', 'rate_per_s', 10)],
  off: [set('server', 'workers', 10), set('client', 'rate_per_s', 100)],
};
const drawn = () => ({ ...design(), switches: [FIX] });
const state = (of = drawn()) => switchState(CATALOGUE, of, FIX);

describe('a fix', () => {
  it('is off where all that it sets is at what it is without it, defaults included', () => {
    expect(state()).toBe('off');
  });

  it('is on where all of its settings hold, and mixed where some do', () => {
    const on = withSwitch(CATALOGUE, drawn(), FIX, true);
    expect(state(on)).toBe('on');
    expect(state(withParam(on, 'server', 'workers', 51))).toBe('mixed');
    expect(state(withSwitch(CATALOGUE, on, FIX, false))).toBe('off');
  });

  it('works on what is left of the drawing, and is gone with the last of it', () => {
    const some = without(drawn(), new Set(['server']));
    expect(state(withSwitch(CATALOGUE, some, FIX, true))).toBe('on');
    expect(state(without(some, new Set(['client'])))).toBeNull();
  });
});

describe('several fixes', () => {
  const other: Switch = {
    label: 'Many workers',
    help: '',
    on: [set('server', 'workers', 500)],
    off: [set('server', 'workers', 10)],
  };
  const both = () => ({ ...design(), switches: [FIX, other] });
  const all = (of: ReturnType<typeof both>) => fixState(CATALOGUE, of, of.switches);

  it('are on where one of them is, off where none is', () => {
    expect(all(both())).toBe('off');
    expect(all(withSwitch(CATALOGUE, both(), other, true))).toBe('on');
    expect(all(withSwitch(CATALOGUE, both(), FIX, true))).toBe('on');
    expect(all(withParam(both(), 'server', 'workers', 7))).toBe('mixed');
    expect(fixState(CATALOGUE, without(both(), new Set(['server', 'client'])), [FIX, other])).toBeNull();
  });

  it('each is called by its own name where they set the same parameter', () => {
    const on = withSwitch(CATALOGUE, both(), other, true);
    expect(changeTitle(CATALOGUE, both(), on, both())).toBe('Many workers: on');
    expect(changeTitle(CATALOGUE, on, both(), both())).toBe('Many workers: off');
  });
});

describe('a change in words', () => {
  const title = (after: ReturnType<typeof drawn>, before = drawn()) => changeTitle(CATALOGUE, before, after, before);

  it('turning a fix is called by its name', () => {
    const on = withSwitch(CATALOGUE, drawn(), FIX, true);
    expect(title(on)).toBe('More workers: on');
    expect(title(drawn(), on)).toBe('More workers: off');
  });

  it('a parameter says whose it is, what it was and what it is', () => {
    expect(title(withParam(drawn(), 'server', 'workers', 20))).toBe('App server: workers 10 → 20');
    expect(title(withParam(drawn(), 'b', 'latency_ms', 2))).toBe('App server → SQL database: latency_ms 0.5 → 2');
  });

  it('a fix with something else beside it is not just the fix', () => {
    const more = withParam(withSwitch(CATALOGUE, drawn(), FIX, true), 'server', 'seats', 3);
    expect(title(more)).toContain('workers');
  });

  it('names what was added and taken out', () => {
    const { design: more, id } = withBlock(drawn(), CATALOGUE, 'server', { x: 0, y: 0 });
    const wired = withEdge(more, { block: 'client', port: 'out' }, { block: id, port: 'in' }).design;
    expect(title(wired as ReturnType<typeof drawn>)).toBe('App server 2 added');
    expect(title(without(drawn(), new Set(['database'])))).toBe('SQL database taken out');
    expect(title(without(drawn(), new Set(['a'])))).toBe('Client → App server disconnected');
  });
});
