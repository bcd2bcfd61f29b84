/** The small cells on a card: what each look is drawn as, and where each cell stands. */

import type { Block, Catalogue, CellState, Cells, Design } from '../generated/protocol';
import { nameOf } from './catalogue';
import { circle, rectangle, type Shape } from './shapes';

/** How a cell can look. */
export type Look = CellState['look'];
/** A colour by its role, as `overlay/colours.ts` and the style sheet name it. */
export type Role = 'ok' | 'warn' | 'bad' | 'flow' | 'stale' | 'ink2' | 'ink3' | 'lineStrong';

/** Shapes in a unit square. No two are alike, so that they can be told apart without their colours. */
export const CELL_SHAPES: Record<Look, Shape> = {
  empty: [rectangle(0, 0, 1, 1), rectangle(0.18, 0.18, 0.82, 0.82)],
  good: [rectangle(0, 0, 1, 1)],
  fading: [rectangle(0, 0.5, 1, 1), rectangle(0, 0, 0.2, 0.5), rectangle(0.8, 0, 1, 0.5)],
  bad: [[0, 0.2, 0.2, 0, 0.5, 0.3, 0.8, 0, 1, 0.2, 0.7, 0.5, 1, 0.8, 0.8, 1, 0.5, 0.7, 0.2, 1, 0, 0.8, 0.3, 0.5]],
  locked: [rectangle(0, 0, 1, 0.36), rectangle(0, 0.64, 1, 1)],
  absent: [circle(0.5, 0.5, 0.26)],
  busy: [[0, 0, 1, 1, 0, 1]],
  first: [circle(0.5, 0.5, 0.52)],
  second: [[0.5, -0.08, 1.08, 0.5, 0.5, 1.08, -0.08, 0.5]],
  third: [[0.5, 0, 1.04, 1, -0.04, 1]],
  fourth: [[-0.04, 0, 1.04, 0, 0.5, 1]],
};

/** The colour of each look. */
export const CELL_ROLES: Record<Look, Role> = {
  empty: 'lineStrong',
  good: 'ok',
  fading: 'stale',
  bad: 'bad',
  locked: 'warn',
  absent: 'ink2',
  busy: 'warn',
  first: 'flow',
  second: 'stale',
  third: 'ok',
  fourth: 'warn',
};

/** Where a mark is: around the cell. */
export const MARK_SHAPE: Shape = [rectangle(-0.3, -0.3, 1.3, 1.3), rectangle(-0.1, -0.1, 1.1, 1.1)];

/** A role as the style sheet's variable. */
export function cssColour(role: Role): string {
  return `var(--${role
    .replace(/([A-Z])/, '-$1')
    .replace('2', '-2')
    .replace('3', '-3')
    .toLowerCase()})`;
}

/** Set in a cell's byte where the cell is marked; the rest is the number of its state. */
export const MARKED = 128;

/** Cells in rows: how many a row, from one cell to the next, and the cell itself, canvas pixels. */
export interface CellGrid {
  columns: number;
  pitch: number;
  size: number;
  /** From the top of the cells' place to the first row: they stand in its middle. */
  top: number;
}

const LARGEST = 15;

/** The grid in which `count` cells are as large as `width` x `height` lets them be. */
export function cellGrid(count: number, width: number, height: number): CellGrid {
  let best: CellGrid = { columns: 1, pitch: 0, size: 0, top: 0 };
  for (let rows = 1; rows <= 5; rows++) {
    const columns = Math.ceil(count / rows);
    const pitch = Math.min(LARGEST * 1.25, width / columns, height / rows);
    // Fewer rows unless more of them make the cells clearly larger: a row of servers is read as a row.
    if (pitch <= best.pitch * 1.15) continue;
    best = { columns, pitch, size: pitch * 0.8, top: (height - rows * pitch) / 2 };
  }
  return best;
}

/** The number of the cell at (x, y) from the corner of the cells' place; -1 between and outside the cells. */
export function cellAt(grid: CellGrid, count: number, x: number, y: number): number {
  const column = Math.floor(x / grid.pitch);
  const row = Math.floor((y - grid.top) / grid.pitch);
  if (column < 0 || column >= grid.columns || row < 0) return -1;
  const index = row * grid.columns + column;
  return index < count ? index : -1;
}

/** How many cells are in each of `states` states, and how many are marked. */
export function cellCounts(cells: Uint8Array, states: number): { of: number[]; marked: number } {
  const of = new Array<number>(states).fill(0);
  let marked = 0;
  for (const cell of cells) {
    const state = cell & (MARKED - 1);
    if (state < states) of[state]! += 1;
    if (cell >= MARKED) marked += 1;
  }
  return { of, marked };
}

/** The name of each of `cells`' states at `block`: what a state stands for is called as it is drawn; null where nobody is there. */
export function stateLabels(catalogue: Catalogue, design: Design, block: string, cells: Cells): (string | null)[] {
  const byId = new Map(design.blocks.map((candidate) => [candidate.id, candidate]));
  const callees = design.edges
    .filter((edge) => edge.from.block === block)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((edge) => byId.get(edge.to.block));
  const last = Math.max(...cells.states.map(({ callee }) => callee ?? -1));
  return cells.states.map(({ label, callee }) => {
    if (callee === null) return label;
    const called = callees[callee];
    if (!called) return null;
    const more = callee === last && callees.length > last + 1 ? ' or further' : '';
    return placeName(catalogue, called) + more;
  });
}

/** A block's name with its region, unless the name says it already. */
function placeName(catalogue: Catalogue, block: Block): string {
  const name = nameOf(catalogue, block);
  const region = typeof block.params.region === 'string' ? block.params.region.toUpperCase() : '';
  return !region || name.toUpperCase().split(/\W+/).includes(region) ? name : `${name} (${region})`;
}
