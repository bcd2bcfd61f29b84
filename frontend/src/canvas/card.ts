/** The geometry of a block's card. React writes its labels and the overlay its figures, so both read it from here. */

import type { Catalogue, Metric } from '../generated/protocol';
import { metricsOf, specOf } from '../lib/catalogue';

/** Width of every card and the room at its sides, canvas pixels. */
export const CARD_WIDTH = 188;
export const PAD = 12;
const HEADER = 36;
const ROW = 20;
const BAR = 9;
const QUEUE = 13;
const SPARK = 22;
/** The cells' place: as high whatever their number is, so that a card never grows while it is looked at. */
export const CELLS_HEIGHT = 24;
const CELLS = CELLS_HEIGHT + 8;
const ROWS_MAX = 3;

/** One figure on a card; `full` is the gauge that it fills up towards. */
export interface CardRow {
  metric: Metric;
  full: Metric | null;
  /** Middle of the line, from the card's top. */
  y: number;
}

/** Where everything on a card stands; offsets from its top left corner, null where it has none of that. */
export interface Card {
  height: number;
  rows: CardRow[];
  barY: number | null;
  bar: CardRow | null;
  queueY: number | null;
  cellsY: number | null;
  sparkY: number;
  sparkHeight: number;
}

const made = new WeakMap<Catalogue, Map<string, Card>>();

/** The card of `kind`: up to three headline figures, a bar for the first that has a maximum, its queue, its cells, its throughput. */
export function cardOf(catalogue: Catalogue, kind: string): Card {
  let cards = made.get(catalogue);
  if (!cards) {
    cards = new Map();
    made.set(catalogue, cards);
  }
  let card = cards.get(kind);
  if (!card) {
    card = build(metricsOf(catalogue, kind), specOf(catalogue, kind)?.cells != null);
    cards.set(kind, card);
  }
  return card;
}

function build(metrics: Metric[], hasCells: boolean): Card {
  const byName = new Map(metrics.map((metric) => [metric.name, metric]));
  const headlines = metrics.filter((metric) => metric.headline).slice(0, ROWS_MAX);
  let y = HEADER;
  const rows = headlines.map((metric) => {
    const row = { metric, full: (metric.maximum_metric && byName.get(metric.maximum_metric)) || null, y: y + ROW / 2 };
    y += ROW;
    return row;
  });
  const bar = rows.find((row) => row.full) ?? null;
  const barY = bar ? y + 2 : null;
  if (bar) y += BAR;
  const queueY = byName.has('queue') ? y + 2 : null;
  if (queueY !== null) y += QUEUE;
  const cellsY = hasCells ? y + 4 : null;
  if (hasCells) y += CELLS;
  const sparkY = y + 2;
  return { height: y + SPARK, rows, bar, barY, queueY, cellsY, sparkY, sparkHeight: SPARK - 4 };
}
