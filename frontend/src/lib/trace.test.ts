import { describe, expect, it } from 'vitest';
import type { Span } from '../generated/protocol';
import { explain, waterfall } from './trace';

function span(call: number, parent: number, callee: string, times: number[], outcome = 'ok'): Span {
  const [sent, arrived, started, replied, ended] = times as [number, number, number, number, number];
  const edge = `${parent}-${call}`;
  return {
    call,
    parent,
    edge,
    caller: '',
    callee,
    operation: 'read',
    key: 17,
    attempt: 1,
    sent,
    arrived,
    started,
    replied,
    ended,
    outcome,
    remark: '',
  };
}

describe('where a request’s time went', () => {
  const spans = [span(2, 1, 'db', [30, 35, 60, 75, 80]), span(1, -1, 'app', [0, 10, 20, 90, 100])];

  it('puts callers above their callees', () => {
    expect(waterfall(spans).map((bar) => [bar.span.callee, bar.depth])).toEqual([
      ['app', 0],
      ['db', 1],
    ]);
  });

  it('splits a span into network, queue, work and waiting without gaps', () => {
    const [root] = waterfall(spans);
    expect(root!.parts.map(({ what, from, to }) => [what, from, to])).toEqual([
      ['network', 0, 10],
      ['queue', 10, 20],
      ['work', 20, 30],
      ['waiting', 30, 80],
      ['work', 80, 90],
      ['network', 90, 100],
    ]);
  });

  it('shows a call that timed out in the queue as waiting there until its caller gave up', () => {
    const [bar] = waterfall([span(1, -1, 'app', [0, 10, -1, -1, 100], 'timeout')]);
    expect(bar!.parts.at(-1)).toEqual({ what: 'queue', from: 10, to: 100 });
  });

  it('names what took longest first', () => {
    const said = explain(waterfall(spans), (id) => id);
    expect(said[0]).toContain('100 ns');
    expect(said[1]).toContain('waiting for a worker at db');
  });
});
