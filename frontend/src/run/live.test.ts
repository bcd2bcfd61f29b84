import { encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import type { Layout } from '../generated/protocol';
import { decodeFrame, hopAt, hopCount } from './frames';
import { Live } from './live';

const LAYOUT: Layout = {
  type: 'layout',
  epoch: 1,
  blocks: [
    { id: 'client', kind: 'client', metrics: ['offered', 'health'] },
    { id: 'server', kind: 'server', metrics: ['offered', 'health', 'queue'] },
  ],
  edges: ['a'],
  edge_metrics: ['attempts', 'failed'],
  outcomes: ['ok', 'timeout'],
  bucket_ns: 1e8,
};

function packed(t: number, offered: number, epoch = 1, queue = 7): ArrayBuffer {
  const bytes = (...values: number[]) => new Uint8Array(new Float64Array(values).buffer);
  const totals = {
    offered,
    completed: offered,
    failed: 0,
    in_flight: 0,
    p50_ms: 1,
    p95_ms: null,
    p99_ms: 3,
    rate_per_s: 1,
    failed_by: {},
    cost: t / 1e9,
  };
  const data = encode({
    n: t,
    e: epoch,
    t,
    f: t,
    ev: 9,
    sp: 1,
    b: bytes(offered, 0, offered, 1, queue),
    ed: bytes(offered * 2, 1),
    tot: totals,
    h: bytes(5, 0, 1, t - 10, t, 1, 0, 2, 0),
    c: {},
    bk: 3,
  });
  return data.slice().buffer;
}

describe('frames', () => {
  it('come out of MessagePack with their figures in place', () => {
    const frame = decodeFrame(packed(1e9, 40));
    expect([...frame.blocks]).toEqual([40, 0, 40, 1, 7]);
    expect(frame.totals.p99_ms).toBe(3);
    expect(hopCount(frame)).toBe(1);
    expect(hopAt(frame, 0)).toMatchObject({ trace: 5, edge: 0, reply: true, outcome: 1, attempt: 2 });
  });

  it('give gauges on average over the time that rates are measured over', () => {
    const live = new Live();
    live.setLayout(LAYOUT);
    expect(live.mean('server', 'queue')).toBeUndefined();
    live.push(decodeFrame(packed(1e9, 0, 1, 500)), 0);
    expect(live.mean('server', 'queue')).toBe(500);
    live.push(decodeFrame(packed(3e9, 40, 1, 0)), 10);
    live.push(decodeFrame(packed(3.5e9, 60, 1, 4)), 20);
    expect(live.mean('server', 'queue')).toBe(2);
    expect(live.mean('client', 'queue')).toBeUndefined();
  });

  it('are read by block and metric', () => {
    const live = new Live();
    live.setLayout(LAYOUT);
    live.push(decodeFrame(packed(1e9, 40)), 0);
    expect(live.value('server', 'queue')).toBe(7);
    expect(live.value('server', 'unheard of')).toBeUndefined();
    expect(live.edgeValue('a', 'attempts')).toBe(80);
  });

  it('give rates in virtual time, whatever the speed of the wall clock', () => {
    const live = new Live();
    live.setLayout(LAYOUT);
    live.push(decodeFrame(packed(1e9, 40)), 0);
    live.push(decodeFrame(packed(1.5e9, 140)), 5_000);
    expect(live.rate('client', 'offered')).toBeCloseTo(200);
    expect(live.edgeRate('a', 'attempts')).toBeCloseTo(400);
    expect(live.totalRate('completed')).toBeCloseTo(200);
  });

  it('tell what a block costs an hour as it runs now, not since the start', () => {
    const live = new Live();
    live.setLayout({
      ...LAYOUT,
      blocks: [
        { id: 'client', kind: 'client', metrics: ['cost', 'health'] },
        { id: 'server', kind: 'server', metrics: ['offered', 'health', 'queue'] },
      ],
    });
    // Two servers at 0.1 an hour for ten minutes, then twenty of them.
    live.push(decodeFrame(packed(600e9, (0.2 * 600) / 3600)), 0);
    expect(live.costPerHour('client')).toBeUndefined();
    live.push(decodeFrame(packed(601e9, (0.2 * 600 + 2.0) / 3600)), 1000);
    expect(live.costPerHour('client')).toBeCloseTo(2.0);
    expect(live.costPerHour('server')).toBeUndefined();
    expect(live.frame?.totals.cost).toBe(601);
  });

  it('of another epoch are skipped', () => {
    const live = new Live();
    live.setLayout(LAYOUT);
    expect(live.push(decodeFrame(packed(1e9, 40, 2)), 0)).toBe(false);
    expect(live.frame).toBeNull();
  });

  it('after a jump back give no rate across it', () => {
    const live = new Live();
    live.setLayout(LAYOUT);
    live.push(decodeFrame(packed(5e9, 400)), 0);
    live.push(decodeFrame(packed(1e9, 40)), 33);
    expect(live.rate('client', 'offered')).toBeUndefined();
  });

  it('are carried on between two arrivals while the run plays', () => {
    const live = new Live();
    live.setLayout(LAYOUT);
    live.push(decodeFrame(packed(1e9, 40)), 100);
    expect(live.timeNow(110)).toBe(1e9);
    live.playing = true;
    expect(live.timeNow(110)).toBe(1e9 + 10e6);
  });
});
