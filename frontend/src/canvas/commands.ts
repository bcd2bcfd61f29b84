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
import { drawing, edit } from '../state/design';
import { catalogue } from '../state/session';
import { select, useUi } from '../state/ui';
import { CARD_WIDTH, cardOf } from './card';

/** Marks a dragged palette entry. */
export const BLOCK_MIME = 'application/x-playground-block';

/** How everything is shown at once: close to the edges, but never blown up. */
export const FIT = { padding: 0.07, maxZoom: 1.15 };

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
  const canvas = document.querySelector('[data-testid=canvas]')?.getBoundingClientRect();
  if (!flow || !canvas) return { x: 0, y: 0 };
  const middle = flow.screenToFlowPosition({ x: canvas.left + canvas.width / 2, y: canvas.top + canvas.height / 2 });
  return { x: middle.x - CARD_WIDTH / 2, y: middle.y - 50 };
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
  requestAnimationFrame(() => requestAnimationFrame(fit));
}

/** Brings a drawing that was just opened into view, once its cards are there. An empty canvas stays where it is. */
export function fitSoon(): void {
  fitWanted = flow === null;
  if (flow && drawing().blocks.length) requestAnimationFrame(() => requestAnimationFrame(fit));
}

/** Shows everything. */
export function fit(): void {
  void flow?.fitView({ ...FIT, duration: calm() ? 0 : 250 });
}

/** Zooms by a step. */
export function zoom(closer: boolean): void {
  void (closer ? flow?.zoomIn({ duration: calm() ? 0 : 120 }) : flow?.zoomOut({ duration: calm() ? 0 : 120 }));
}

/** Brings a block into view without changing the zoom, and selects it. */
export function reveal(id: string): void {
  const block = drawing().blocks.find((candidate) => candidate.id === id);
  if (!block && !drawing().edges.some((edge) => edge.id === id)) return;
  select([id]);
  if (!block || !flow) return;
  const { width, height } = { width: CARD_WIDTH, height: cardOf(catalogue(), block.kind).height };
  const canvas = document.querySelector('[data-testid=canvas]')?.getBoundingClientRect();
  const corner = flow.flowToScreenPosition(block.position);
  if (
    canvas &&
    corner.x > canvas.left &&
    corner.x < canvas.right - 80 &&
    corner.y > canvas.top &&
    corner.y < canvas.bottom - 60
  )
    return;
  void flow.setCenter(block.position.x + width / 2, block.position.y + height / 2, {
    zoom: flow.getZoom(),
    duration: calm() ? 0 : 250,
  });
}

function calm(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
