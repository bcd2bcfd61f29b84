/**
 * What changes many times a second. It lives outside React on purpose: the canvas overlay reads it in each animation frame,
 * panels a few times a second, and no card renders again because a number moved.
 */

import type { Layout } from '../generated/protocol';
import type { Frame } from './frames';

const KEPT_FRAMES = 64;
const SPARK_POINTS = 40;
const SPARK_EVERY_MS = 250;

/** The present frame with the few before it, and how to read them. */
export class Live {
  layout: Layout | null = null;
  frame: Frame | null = null;
  /** The frame that rates are measured from. */
  private base: Frame | null = null;
  /** `performance.now()` when `frame` came. */
  receivedAt = 0;
  /** Grows with each frame; readers compare it with what they drew. */
  version = 0;
  playing = false;
  private kept: Frame[] = [];
  private rowOf = new Map<string, { start: number; names: Map<string, number> }>();
  private edgeRow = new Map<string, number>();
  private edgeNames = new Map<string, number>();
  private sparks = new Map<string, number[]>();
  private sparkedAt = 0;
  private frameListeners = new Set<(frame: Frame, before: Frame | null) => void>();

  /** Takes over how to read the frames of a new epoch. */
  setLayout(layout: Layout): void {
    this.layout = layout;
    this.rowOf.clear();
    let start = 0;
    for (const block of layout.blocks) {
      this.rowOf.set(block.id, { start, names: new Map(block.metrics.map((name, index) => [name, index])) });
      start += block.metrics.length;
    }
    this.edgeRow = new Map(layout.edges.map((id, index) => [id, index * layout.edge_metrics.length]));
    this.edgeNames = new Map(layout.edge_metrics.map((name, index) => [name, index]));
    this.dropFrames();
    for (const id of this.sparks.keys()) if (!this.rowOf.has(id)) this.sparks.delete(id);
  }

  /** Forgets everything, when another run is opened. */
  clear(): void {
    this.layout = null;
    this.rowOf.clear();
    this.edgeRow.clear();
    this.sparks.clear();
    this.dropFrames();
    this.version += 1;
  }

  /** Takes a frame; one of another epoch than the layout's is skipped and gives false. */
  push(frame: Frame, now: number): boolean {
    if (!this.layout || frame.epoch !== this.layout.epoch) return false;
    const before = this.frame;
    // A seek or a reset: differences across it would be nonsense.
    if (before && frame.t < before.t) {
      this.dropFrames();
      this.sparks.clear();
    }
    this.frame = frame;
    this.receivedAt = now;
    this.version += 1;
    this.kept.push(frame);
    if (this.kept.length > KEPT_FRAMES) this.kept.shift();
    this.chooseBase();
    if (now - this.sparkedAt > SPARK_EVERY_MS && frame.t !== before?.t) {
      this.sparkedAt = now;
      this.sampleSparks();
    }
    for (const listen of this.frameListeners) listen(frame, before && before.t <= frame.t ? before : null);
    return true;
  }

  /** Calls `listen` with each frame and the one before it (null after a jump); gives the way to stop. */
  onFrame(listen: (frame: Frame, before: Frame | null) => void): () => void {
    this.frameListeners.add(listen);
    return () => this.frameListeners.delete(listen);
  }

  /** Virtual time now, ns: between two frames it is carried on at the reached speed, so that motion is smooth. */
  timeNow(now: number): number {
    if (!this.frame) return 0;
    if (!this.playing) return this.frame.t;
    const ahead = Math.min(now - this.receivedAt, 120);
    return this.frame.t + ahead * 1e6 * this.frame.speed;
  }

  /** The figure `metric` of a block, undefined where the engine does not report it. */
  value(block: string, metric: string): number | undefined {
    return this.read(this.frame, block, metric);
  }

  /** The figure `metric` of a block on average since rates are measured from: what a block is like, not what it is just now. */
  mean(block: string, metric: string): number | undefined {
    const row = this.rowOf.get(block);
    const index = row?.names.get(metric);
    if (!row || index === undefined || !this.frame) return undefined;
    const from = this.base?.t ?? this.frame.t;
    let sum = 0;
    let frames = 0;
    for (let at = this.kept.length - 1; at >= 0 && this.kept[at]!.t >= from; at -= 1) {
      sum += this.kept[at]!.blocks[row.start + index]!;
      frames += 1;
    }
    return sum / frames;
  }

  /** How fast a block's counter grows, per virtual second. */
  rate(block: string, metric: string): number | undefined {
    return this.slope(this.read(this.frame, block, metric), this.read(this.base, block, metric));
  }

  /** What a block costs an hour as it runs now, neutral units: its cost of the last virtual seconds at that pace. */
  costPerHour(block: string): number | undefined {
    const perSecond = this.rate(block, 'cost');
    return perSecond === undefined ? undefined : perSecond * 3600;
  }

  /** The figure `metric` of an edge. */
  edgeValue(edge: string, metric: string): number | undefined {
    return this.readEdge(this.frame, edge, metric);
  }

  /** How fast an edge's counter grows, per virtual second. */
  edgeRate(edge: string, metric: string): number | undefined {
    return this.slope(this.readEdge(this.frame, edge, metric), this.readEdge(this.base, edge, metric));
  }

  /** How fast one of the whole design's counters grows, per virtual second. */
  totalRate(name: 'offered' | 'completed' | 'failed' | 'cost'): number | undefined {
    return this.slope(this.frame?.totals[name], this.base?.totals[name]);
  }

  /** The cells of a block now, undefined where it has none. */
  cells(block: string): Uint8Array | undefined {
    return this.frame?.cells[block];
  }

  /** The last values of a block's throughput, oldest first. */
  spark(block: string): readonly number[] {
    return this.sparks.get(block) ?? [];
  }

  private dropFrames(): void {
    this.kept = [];
    this.frame = null;
    this.base = null;
  }

  private chooseBase(): void {
    const frame = this.frame!;
    const window = Math.min(60e9, Math.max(0.05e9, frame.speed * 1e9));
    this.base = this.kept.find((old) => old.t >= frame.t - window && old.t < frame.t) ?? this.base;
  }

  private slope(now: number | undefined, then: number | undefined): number | undefined {
    if (now === undefined || then === undefined || !this.frame || !this.base) return undefined;
    const seconds = (this.frame.t - this.base.t) / 1e9;
    return seconds > 0 ? Math.max(0, now - then) / seconds : undefined;
  }

  private read(frame: Frame | null, block: string, metric: string): number | undefined {
    const row = this.rowOf.get(block);
    const index = row?.names.get(metric);
    return row && index !== undefined ? frame?.blocks[row.start + index] : undefined;
  }

  private readEdge(frame: Frame | null, edge: string, metric: string): number | undefined {
    const row = this.edgeRow.get(edge);
    const index = this.edgeNames.get(metric);
    return row !== undefined && index !== undefined ? frame?.edges[row + index] : undefined;
  }

  private sampleSparks(): void {
    for (const id of this.rowOf.keys()) {
      const rate = this.rate(id, 'completed');
      if (rate === undefined) continue;
      const points = this.sparks.get(id) ?? [];
      points.push(rate);
      if (points.length > SPARK_POINTS) points.shift();
      this.sparks.set(id, points);
    }
  }
}

/** The run that the page shows. */
export const live = new Live();
