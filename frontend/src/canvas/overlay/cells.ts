/** The cells of a card: keys, servers, bits. One path a look, made again only when the cells changed. */

import type { Cells } from '../../generated/protocol';
import { CELL_ROLES, CELL_SHAPES, cellGrid, type Look, MARK_SHAPE, MARKED } from '../../lib/cells';
import { traceShape } from '../../lib/shapes';
import { CARD_WIDTH, CELLS_HEIGHT, PAD } from '../card';
import type { Colours } from './colours';

interface Drawn {
  cells: Uint8Array;
  looks: Map<Look, Path2D>;
  marks: Path2D | null;
}

/** Width of the cells' place, canvas pixels. */
export const CELLS_WIDTH = CARD_WIDTH - 2 * PAD;

/** Draws the cells of all cards. */
export class CellPainter {
  private drawn = new Map<string, Drawn>();

  /** Draws `cells` of `block` with the corner of their place at (x, y). */
  draw(
    context: CanvasRenderingContext2D,
    block: string,
    spec: Cells,
    cells: Uint8Array,
    at: { x: number; y: number },
    colours: Colours,
  ): void {
    let drawn = this.drawn.get(block);
    if (!drawn || !same(drawn.cells, cells)) {
      drawn = build(spec, cells);
      this.drawn.set(block, drawn);
    }
    context.translate(at.x, at.y);
    for (const [look, path] of drawn.looks) {
      context.fillStyle = colours[CELL_ROLES[look]];
      context.fill(path, 'evenodd');
    }
    if (drawn.marks) {
      context.fillStyle = colours.ink;
      context.fill(drawn.marks, 'evenodd');
    }
    context.translate(-at.x, -at.y);
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

function build(spec: Cells, cells: Uint8Array): Drawn {
  const grid = cellGrid(cells.length, CELLS_WIDTH, CELLS_HEIGHT);
  const looks = new Map<Look, Path2D>();
  let marks: Path2D | null = null;
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index]!;
    const state = spec.states[cell & (MARKED - 1)];
    if (!state) continue;
    let path = looks.get(state.look);
    if (!path) {
      path = new Path2D();
      looks.set(state.look, path);
    }
    const x = (index % grid.columns) * grid.pitch + (grid.pitch - grid.size) / 2;
    const y = grid.top + Math.floor(index / grid.columns) * grid.pitch + (grid.pitch - grid.size) / 2;
    traceShape(path, CELL_SHAPES[state.look], x, y, grid.size);
    if (cell < MARKED) continue;
    marks ??= new Path2D();
    traceShape(marks, MARK_SHAPE, x, y, grid.size);
  }
  return { cells, looks, marks };
}
