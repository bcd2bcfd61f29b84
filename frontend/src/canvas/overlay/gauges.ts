/** The figures on the cards: values, bar, queue, throughput line, and the state by shape and colour. */

import type { Catalogue } from '../../generated/protocol';
import { specOf } from '../../lib/catalogue';
import { count } from '../../lib/format';
import type { Health } from '../../lib/health';
import type { Live } from '../../run/live';
import { CARD_WIDTH, type Card, cardOf, PAD } from '../card';
import type { CellPainter } from './cells';
import type { Colours } from './colours';
import type { CardFigures, FigureBook } from './figures';
import type { Placed, Scene } from './scene';

const QUEUE_DOTS = 18;
/** Below this zoom text could not be read, so cards show their state as an area instead. */
const TEXT_ZOOM_MIN = 0.42;
const FONT = '500 12.5px "JetBrains Mono Variable", monospace';
const SMALL = '500 11px "JetBrains Mono Variable", monospace';

function colourOf(health: Health, colours: Colours): string {
  return { idle: colours.ink3, well: colours.ok, strained: colours.warn, failing: colours.bad, down: colours.bad }[
    health
  ];
}

/** Draws what all cards of the scene show. The context is in canvas pixels. */
export function drawGauges(
  context: CanvasRenderingContext2D,
  scene: Scene,
  catalogue: Catalogue,
  book: FigureBook,
  painter: CellPainter,
  live: Live,
  colours: Colours,
): void {
  context.textBaseline = 'middle';
  for (const block of scene.blocks) {
    const figures = book.of(block.id);
    if (!figures) continue;
    const card = cardOf(catalogue, block.kind);
    if (scene.zoom < TEXT_ZOOM_MIN) {
      drawFar(context, block, figures, colours);
      continue;
    }
    drawNear(context, block, card, figures, live.spark(block.id), colours);
    const cells = card.cellsY === null ? undefined : live.cells(block.id);
    const spec = cells && specOf(catalogue, block.kind)?.cells;
    if (cells && spec)
      painter.draw(context, block.id, spec, cells, { x: block.x + PAD, y: block.y + card.cellsY! }, colours);
  }
}

/** A state as a shape: ring idle, disc well, diamond strained, square failing, cross down. */
export function drawState(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  r: number,
  health: Health,
  colours: Colours,
): void {
  context.fillStyle = colourOf(health, colours);
  context.strokeStyle = context.fillStyle;
  context.beginPath();
  if (health === 'well' || health === 'idle') {
    context.arc(x, y, health === 'idle' ? r - 0.8 : r, 0, Math.PI * 2);
  } else if (health === 'strained') {
    context.moveTo(x, y - r * 1.25);
    context.lineTo(x + r * 1.25, y);
    context.lineTo(x, y + r * 1.25);
    context.lineTo(x - r * 1.25, y);
    context.closePath();
  } else if (health === 'failing') {
    context.rect(x - r, y - r, r * 2, r * 2);
  } else {
    context.moveTo(x - r, y - r);
    context.lineTo(x + r, y + r);
    context.moveTo(x + r, y - r);
    context.lineTo(x - r, y + r);
  }
  if (health === 'idle' || health === 'down') {
    context.lineWidth = health === 'down' ? r * 0.55 : r * 0.4;
    context.stroke();
  } else context.fill();
}

function drawNear(
  context: CanvasRenderingContext2D,
  block: Placed,
  card: Card,
  figures: CardFigures,
  spark: readonly number[],
  colours: Colours,
): void {
  const { x, y } = block;
  const right = x + CARD_WIDTH - PAD;
  drawState(context, right - 4, y + 18, 4.2, figures.health, colours);
  if (figures.health === 'down') drawDown(context, block, colours);
  context.font = FONT;
  context.textAlign = 'right';
  for (let index = 0; index < card.rows.length; index++) {
    const row = card.rows[index]!;
    context.fillStyle = row === card.bar && figures.health === 'strained' ? colours.warn : colours.ink;
    context.fillText(figures.rows[index] ?? '–', right, y + row.y + 0.5);
  }
  if (card.barY !== null) drawBar(context, x + PAD, y + card.barY, CARD_WIDTH - 2 * PAD, figures, colours);
  if (card.queueY !== null && figures.queue >= 0) drawQueue(context, x + PAD, y + card.queueY, figures.queue, colours);
  drawSpark(context, x + PAD, y + card.sparkY, CARD_WIDTH - 2 * PAD, card.sparkHeight, spark, colours);
}

function drawDown(context: CanvasRenderingContext2D, block: Placed, colours: Colours): void {
  context.setLineDash([5, 4]);
  context.strokeStyle = colours.bad;
  context.lineWidth = 1.5;
  context.beginPath();
  context.roundRect(block.x + 0.75, block.y + 0.75, block.width - 1.5, block.height - 1.5, 9.5);
  context.stroke();
  context.setLineDash([]);
}

function drawBar(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  figures: CardFigures,
  colours: Colours,
): void {
  context.fillStyle = colours.line;
  context.beginPath();
  context.roundRect(x, y, width, 5, 2.5);
  context.fill();
  if (figures.bar <= 0) return;
  const whole = figures.bar >= 1 ? colours.ok : colours.warn;
  context.fillStyle = figures.fullIsWell ? whole : colourOf(figures.health, colours);
  context.beginPath();
  context.roundRect(x, y, Math.max(3, width * figures.bar), 5, 2.5);
  context.fill();
}

/** One dot a waiting call up to the width of the card; a longer queue is full dots and its number. */
function drawQueue(context: CanvasRenderingContext2D, x: number, y: number, queue: number, colours: Colours): void {
  const over = queue > QUEUE_DOTS;
  const dots = over ? QUEUE_DOTS - 5 : QUEUE_DOTS;
  const pitch = (CARD_WIDTH - 2 * PAD + 2) / QUEUE_DOTS;
  for (let full = 0; full < 2; full++) {
    context.beginPath();
    for (let dot = 0; dot < dots; dot++) {
      if (dot < queue === (full === 1)) {
        const centre = x + dot * pitch + 3;
        context.moveTo(centre + 2.6, y + 4);
        context.arc(centre, y + 4, 2.6, 0, Math.PI * 2);
      }
    }
    context.fillStyle = full ? colours.warn : colours.line;
    context.fill();
  }
  if (!over) return;
  context.font = SMALL;
  context.textAlign = 'right';
  context.fillStyle = colours.warn;
  context.fillText(count(queue), x + CARD_WIDTH - 2 * PAD, y + 4.5);
}

function drawSpark(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  points: readonly number[],
  colours: Colours,
): void {
  if (points.length < 2) return;
  let most = 0;
  for (const point of points) if (point > most) most = point;
  if (most <= 0) return;
  const step = width / 39;
  const start = x + width - (points.length - 1) * step;
  context.beginPath();
  for (let index = 0; index < points.length; index++) {
    const px = start + index * step;
    const py = y + height - (points[index]! / most) * (height - 2) - 1;
    if (index) context.lineTo(px, py);
    else context.moveTo(px, py);
  }
  context.strokeStyle = colours.flow;
  context.globalAlpha = 0.75;
  context.lineWidth = 1.25;
  context.lineJoin = 'round';
  context.stroke();
  context.lineTo(x + width, y + height);
  context.lineTo(start, y + height);
  context.closePath();
  context.globalAlpha = 0.1;
  context.fillStyle = colours.flow;
  context.fill();
  context.globalAlpha = 1;
}

/** From afar: the state as a large shape and the bar as the card's filling. */
function drawFar(context: CanvasRenderingContext2D, block: Placed, figures: CardFigures, colours: Colours): void {
  const middle = block.y + block.height / 2 + 14;
  drawState(context, block.x + block.width / 2, middle, 14, figures.health, colours);
  if (figures.bar > 0)
    drawBar(context, block.x + PAD, block.y + block.height - 14, block.width - 2 * PAD, figures, colours);
}
