import { describe, expect, it } from 'vitest';
import type { Action, Happened } from '../generated/protocol';
import { CATALOGUE, design } from '../test/samples';
import { eventTitle } from './events';

function done(action: Action): Happened {
  const intervention = { at_ns: 0, actor: 'owner', action };
  return {
    type: 'happened',
    seq: 1,
    at_ns: 0,
    what: 'intervention',
    intervention,
    notable: null,
    design: null,
    detail: '',
  };
}

const title = (action: Action) => eventTitle(done(action), CATALOGUE, design());

describe('what happened, in words', () => {
  it('names a parameter as its form does, with its value and unit', () => {
    const [client] = CATALOGUE.blocks;
    const rate = client!.params[0]!;
    const catalogue = {
      ...CATALOGUE,
      blocks: [{ ...client!, params: [{ ...rate, label: 'Peak rate', unit: 'per_s' }] }],
    };
    const set = done({ type: 'set_param', target: 'client', param: 'rate_per_s', value: 35_000 });
    expect(eventTitle(set, catalogue, design())).toBe('Client: Peak rate 35\u2009000 /s');
  });

  it('still says something about a block that is no longer drawn', () => {
    expect(title({ type: 'set_param', target: 'gone', param: 'queue_max', value: null })).toBe('queue max off');
    expect(title({ type: 'fault', target: 'gone', fault: 'slow_down', params: {} })).toBe('slow down');
  });
});
