/** The texts and shares that cards show, worked out when figures came and a few times a second at most: readable, not flickering. */

import type { Catalogue, Metric } from '../../generated/protocol';
import { compact, withUnit } from '../../lib/format';
import { type Health, healthOf } from '../../lib/health';
import type { WhyFigures } from '../../lib/why';
import type { Live } from '../../run/live';
import { cardOf } from '../card';
import type { Placed } from './scene';

const EVERY_MS = 120;

/** What one card shows now. */
export interface CardFigures {
  health: Health;
  rows: string[];
  /** Share of the bar, 0 to 1. */
  bar: number;
  /** A full bar is how it should be; else it is coloured as the block's health is. */
  fullIsWell: boolean;
  /** Calls that wait; -1 where nothing could, so that no empty queue is drawn. */
  queue: number;
}

/** What a metric reads: a gauge's value, or how fast a counter grows. */
export function reading(live: Live, block: string, metric: Metric): number | undefined {
  return metric.kind === 'counter' ? live.rate(block, metric.name) : live.value(block, metric.name);
}

/** A metric's reading as text; counters are shown per second. */
export function readingText(live: Live, block: string, metric: Metric, full: Metric | null): string {
  const value = reading(live, block, metric);
  if (value === undefined) return '–';
  if (metric.kind === 'counter') {
    // What something costs is told by the hour.
    if (metric.unit === 'units') return `${compact(value * 3600)}/h`;
    return metric.unit === 'bytes' ? `${withUnit(value, 'bytes')}/s` : withUnit(value, 'per_s');
  }
  if (!full) return withUnit(value, metric.unit);
  const limit = live.value(block, full.name);
  return limit ? `${withUnit(value, metric.unit)} / ${withUnit(limit, full.unit)}` : withUnit(value, metric.unit);
}

/** The figures that every block reports, of the last second or so, so that a state is not one of a moment; rates per virtual second. */
export function commonFigures(live: Live, block: string): WhyFigures {
  return {
    health: live.value(block, 'health') ?? 0,
    offered: live.rate(block, 'offered') ?? 0,
    failed: live.rate(block, 'failed') ?? 0,
    busy: live.mean(block, 'busy') ?? 0,
    capacity: live.value(block, 'capacity') ?? 0,
    queue: live.mean(block, 'queue') ?? 0,
    completed: live.rate(block, 'completed') ?? 0,
  };
}

/** The state of a block, from its latest figures. */
export function liveHealth(live: Live, block: string): Health {
  return healthOf(commonFigures(live, block));
}

/** Keeps the figures of all cards. */
export class FigureBook {
  private figures = new Map<string, CardFigures>();
  private version = -1;
  private workedOutAt = 0;

  /** The figures of `block`. */
  of(block: string): CardFigures | undefined {
    return this.figures.get(block);
  }

  /** Works out what `blocks` show, if something came and it is time. */
  update(blocks: readonly Placed[], catalogue: Catalogue, live: Live, now: number): boolean {
    if (live.version === this.version || now - this.workedOutAt < EVERY_MS) return false;
    this.version = live.version;
    this.workedOutAt = now;
    if (!live.frame) this.figures.clear();
    else for (const block of blocks) this.figures.set(block.id, work(block, catalogue, live));
    return true;
  }
}

function work(block: Placed, catalogue: Catalogue, live: Live): CardFigures {
  const card = cardOf(catalogue, block.kind);
  const barValue = card.bar ? reading(live, block.id, card.bar.metric) : undefined;
  const barFull = card.bar?.full ? live.value(block.id, card.bar.full.name) : undefined;
  return {
    health: liveHealth(live, block.id),
    rows: card.rows.map((row) => readingText(live, block.id, row.metric, row.full)),
    bar: barValue !== undefined && barFull ? Math.min(1, barValue / barFull) : 0,
    fullIsWell: card.bar?.metric.full_is_well ?? false,
    queue: queueShown(block, live),
  };
}

function queueShown(block: Placed, live: Live): number {
  const queue = live.value(block.id, 'queue') ?? 0;
  return queue > 0 || (live.value(block.id, 'capacity') ?? 0) > 0 ? queue : -1;
}
