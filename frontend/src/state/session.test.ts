import { describe, expect, it } from 'vitest';
import type { Happened } from '../generated/protocol';
import { design } from '../test/samples';
import { designsBefore, eventsWith, interventions, scenarioOf, useSession, wholeLog } from './session';

function event(seq: number, at_ns: number, what: Happened['what'] = 'intervention'): Happened {
  const action = { type: 'clear_faults' as const, target: 'server' };
  const intervention = what === 'intervention' ? { at_ns, actor: 'you', action } : null;
  return { type: 'happened', seq, at_ns, what, intervention, notable: null, design: null, detail: '' };
}

describe('what happened', () => {
  it('a branch takes the future that it replaced out', () => {
    const events = [event(1, 10), event(2, 20), event(3, 30)];
    const left = eventsWith(events, event(4, 15, 'branch'));
    expect(left.map(({ seq }) => seq)).toEqual([1, 4]);
  });

  it('a reset takes everything out', () => {
    expect(eventsWith([event(1, 10)], event(2, 0, 'reset')).map(({ seq }) => seq)).toEqual([2]);
  });

  it('interventions come in virtual time', () => {
    expect(interventions([event(1, 20), event(2, 10)]).map(({ at_ns }) => at_ns)).toEqual([10, 20]);
  });

  it('what ran before a change follows from what the run began with, in virtual time', () => {
    const set = (seq: number, at_ns: number, value: number): Happened => ({
      ...event(seq, at_ns),
      intervention: { at_ns, actor: 'you', action: { type: 'set_param', target: 'server', param: 'workers', value } },
    });
    const before = designsBefore([set(1, 20, 30), set(2, 10, 20), event(3, 15)], design());
    expect(before.get(2)!.blocks[1]!.params).toEqual({});
    expect(before.get(1)!.blocks[1]!.params).toEqual({ workers: 20 });
    expect(before.has(3)).toBe(false);
  });
});

describe('what a scenario does by itself', () => {
  const crash = (target: string, at_ns: number) => ({
    at_ns,
    actor: 'scenario',
    action: { type: 'fault' as const, target, fault: 'crash', params: {} },
  });

  it('belongs to each run of the drawing, as far as it is drawn', () => {
    useSession.setState({ script: [crash('server', 20), crash('gone', 30)] });
    expect(scenarioOf(design()).interventions).toEqual([crash('server', 20)]);
  });

  it('follows what was done, in every future', () => {
    useSession.setState({ script: [crash('server', 5), crash('server', 20), crash('gone', 30)] });
    const done = event(1, 10);
    expect(wholeLog([done], design())).toEqual([done.intervention, crash('server', 20)]);
    expect(wholeLog([done, event(2, 10, 'branch')], design())).toEqual([done.intervention, crash('server', 20)]);
  });
});
