/** What can be done to the drawing by menu, key or palette: each one a single step back. */

import type { ReactFlowInstance } from '@xyflow/react';
import type { Position } from '../generated/protocol';
import {
  freePlace,
  freeShift,
  GRID,
  type Piece,
  pieceOf,
  withBlock,
  withEdge,
  without,
  withPiece,
  withPlaces,
} from '../lib/design';
import { arranged } from '../lib/layout';
import type { Offer } from '../lib/ports';
import { isScenario } from '../lib/switches';
import { drawing, edit } from '../state/design';
import { catalogue } from '../state/session';
import { makeRoom, select, useUi, wide } from '../state/ui';
import { CARD_WIDTH, cardOf } from './card';

/** Marks a dragged palette entry. */
export const BLOCK_MIME = 'application/x-playground-block';

/** How everything is shown at once: close to the edges, but never blown up. */
export const FIT = { padding: 0.07, maxZoom: 1.15 };
/** From here on the smallest text on a card is 11 pixels high. */
const ZOOM_READABLE = 0.88;
/** Up to this width of the window a drawing is shown from its start on, as large as it can be read, instead of all at once. */
const NARROW = 1100;
/** Screen pixels between a card that is brought into view and the edge of the canvas. */
const MARGIN = 20;

let flow: ReactFlowInstance | null = null;
let fitWanted = false;
let clipboard: Piece | null = null;

/** Takes over the canvas that these commands work on. */
export function setFlow(instance: ReactFlowInstance): void {
  flow = instance;
  if (fitWanted) fitSoon();
}

/** Adds a block and selects it: at `at`, else right of the selected block, else in the middle of the view; never on another one. */
export function addBlock(kind: string, at?: Position): void {
  const design = drawing();
  const place = freePlace(design, at ?? besideSelection() ?? middleOfView());
  const made = withBlock(design, catalogue(), kind, place);
  edit(() => made.design);
  select([made.id]);
}

function besideSelection(): Position | null {
  const { selected } = useUi.getState();
  const block = drawing().blocks.find((candidate) => selected.has(candidate.id));
  return block ? { x: block.position.x + CARD_WIDTH + 5 * GRID, y: block.position.y } : null;
}

function middleOfView(): Position {
  const canvas = canvasBounds();
  if (!flow || !canvas) return { x: 0, y: 0 };
  const middle = flow.screenToFlowPosition({ x: canvas.left + canvas.width / 2, y: canvas.top + canvas.height / 2 });
  return { x: middle.x - CARD_WIDTH / 2, y: middle.y - 50 };
}

function canvasBounds(): DOMRect | undefined {
  return document.querySelector('[data-testid=canvas]')?.getBoundingClientRect();
}

/** Deletes what is selected. */
export function deleteSelected(): void {
  const { selected } = useUi.getState();
  if (!selected.size) return;
  edit((design) => without(design, selected));
  select([]);
}

/** Puts the selected blocks on the clipboard. */
export function copySelected(): void {
  const piece = pieceOf(drawing(), useUi.getState().selected);
  if (piece.blocks.length) clipboard = piece;
}

/** Adds what is on the clipboard where there is room below it. */
export function paste(): void {
  if (clipboard) add(clipboard);
}

/** Adds a copy of the selected blocks. */
export function duplicateSelected(): void {
  const piece = pieceOf(drawing(), useUi.getState().selected);
  if (piece.blocks.length) add(piece);
}

function add(piece: Piece): void {
  const made = withPiece(drawing(), piece, freeShift(drawing(), piece));
  edit(() => made.design);
  select(made.added);
}

/** Selects every block. */
export function selectAll(): void {
  select(drawing().blocks.map((block) => block.id));
}

/** Draws the connection that `offer` describes. */
export function connect(offer: Offer): void {
  edit((design) => withEdge(design, offer.from, offer.to).design);
}

/** Arranges all blocks, callers left of their callees, and shows them all. */
export function arrange(): void {
  const size = (kind: string) => ({ width: CARD_WIDTH, height: cardOf(catalogue(), kind).height });
  edit((design) => withPlaces(design, arranged(design, size)));
  onceDrawn(fit);
}

/** Shows a drawing that was just opened, a scenario with the room that it needs. */
export function present(): void {
  makeRoom(isScenario(drawing()));
  fitSoon();
}

/** Brings everything into view, once its cards are there. An empty canvas stays where it is. */
export function fitSoon(): void {
  fitWanted = flow === null;
  const look = wide(NARROW) ? fit : begin;
  if (flow && drawing().blocks.length) onceDrawn(look);
}

/** On a narrow screen: as much from the callers on as can be read; the rest is a swipe away. */
async function begin(): Promise<void> {
  await flow?.fitView({ ...FIT, minZoom: ZOOM_READABLE });
  const canvas = canvasBounds();
  if (!flow || !canvas) return;
  const all = flow.getNodesBounds(flow.getNodes());
  const { x, y, zoom } = flow.getViewport();
  const start = { x: Math.max(x, MARGIN - all.x * zoom), y: Math.max(y, MARGIN - all.y * zoom) };
  if (start.x !== x || start.y !== y) void flow.setViewport({ ...start, zoom });
}

/** Shows everything. */
export function fit(): void {
  void flow?.fitView({ ...FIT, duration: calm() ? 0 : 250 });
}

/** Zooms by a step. */
export function zoom(closer: boolean): void {
  void (closer ? flow?.zoomIn({ duration: calm() ? 0 : 120 }) : flow?.zoomOut({ duration: calm() ? 0 : 120 }));
}

/** Selects a block or a connection; a block is brought into view, by the shortest way and without changing the zoom. */
export function reveal(id: string): void {
  const block = drawing().blocks.find((candidate) => candidate.id === id);
  if (!block && !drawing().edges.some((edge) => edge.id === id)) return;
  select([id]);
  const canvas = canvasBounds();
  if (!block || !flow || !canvas) return;
  const { x, y, zoom } = flow.getViewport();
  const height = cardOf(catalogue(), block.kind).height;
  const shift = {
    x: intoView(x + block.position.x * zoom, CARD_WIDTH * zoom, canvas.width),
    y: intoView(y + block.position.y * zoom, height * zoom, canvas.height),
  };
  if (shift.x || shift.y)
    void flow.setViewport({ x: x + shift.x, y: y + shift.y, zoom }, { duration: calm() ? 0 : 250 });
}

/** How far a card at `at`, `size` long, has to be moved to lie within `room`. */
function intoView(at: number, size: number, room: number): number {
  if (at < 0) return MARGIN - at;
  return at + size > room ? Math.max(room - MARGIN - at - size, MARGIN - at) : 0;
}

/** Opens the inspector for a block that was clicked, where it does not lie over the canvas. */
export function inspect(id: string): void {
  if (useUi.getState().right || !wide(NARROW)) return;
  useUi.setState({ right: 'inspector' });
  onceDrawn(() => reveal(id));
}

/** Two frames on, what was just changed is on the page and has been measured. */
function onceDrawn(act: () => void): void {
  requestAnimationFrame(() => requestAnimationFrame(act));
}

function calm(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
