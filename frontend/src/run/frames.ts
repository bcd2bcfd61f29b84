/** Frames as they come off the socket: MessagePack, with the figures as packed float64 (see playground/protocol/frames.py). */

import { decode } from '@msgpack/msgpack';
import { type FrameTotals, HOP_FIELDS, type Frame as PackedFrame } from '../generated/protocol';

/** A frame with its figures as numbers. Arrays are never written to, so that they may be held on to. */
export interface Frame {
  number: number;
  epoch: number;
  /** Virtual time and the furthest one reached, ns. */
  t: number;
  furthest: number;
  events: number;
  /** Virtual seconds per second that the engine reached lately. */
  speed: number;
  blocks: Float64Array;
  edges: Float64Array;
  totals: FrameTotals;
  hops: Float64Array;
  /** By block id, one byte a cell: the number of its state, + 128 where it is marked. */
  cells: Record<string, Uint8Array>;
  buckets: number;
}

/** A sampled call or reply on an edge. Times in virtual ns. */
export interface Hop {
  trace: number;
  edge: number;
  reply: boolean;
  left: number;
  arrives: number;
  /** Index into the layout's outcomes, -1 while under way. */
  outcome: number;
  attempt: number;
  /** What the answer was: 0 ordinary, 1 not modified, 2 stale, 3 absent. */
  look: number;
}

/** Decodes a binary message. Throws where it is not a frame. */
export function decodeFrame(data: ArrayBuffer): Frame {
  const packed = decode(new Uint8Array(data)) as PackedFrame;
  return {
    number: packed.n,
    epoch: packed.e,
    t: packed.t,
    furthest: packed.f,
    events: packed.ev,
    speed: packed.sp,
    blocks: floats(packed.b),
    edges: floats(packed.ed),
    totals: packed.tot,
    hops: floats(packed.h),
    cells: packed.c,
    buckets: packed.bk,
  };
}

/** A copy, because the bytes lie anywhere in the message and a Float64Array must start at a multiple of eight. */
function floats(bytes: Uint8Array): Float64Array {
  return new Float64Array(bytes.slice().buffer);
}

/** The hop at `index` of a frame. */
export function hopAt(frame: Frame, index: number): Hop {
  const at = index * HOP_FIELDS;
  const { hops } = frame;
  return {
    trace: hops[at]!,
    edge: hops[at + 1]!,
    reply: hops[at + 2] === 1,
    left: hops[at + 3]!,
    arrives: hops[at + 4]!,
    outcome: hops[at + 5]!,
    attempt: hops[at + 7]!,
    look: hops[at + 8]!,
  };
}

/** How many hops a frame carries. */
export function hopCount(frame: Frame): number {
  return Math.floor(frame.hops.length / HOP_FIELDS);
}
