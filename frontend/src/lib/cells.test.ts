import { describe, expect, it } from 'vitest';
import { CATALOGUE, design } from '../test/samples';
import { CELL_ROLES, CELL_SHAPES, cellAt, cellCounts, cellGrid, cssColour, MARKED, stateLabels } from './cells';
import { svgPath } from './shapes';

describe('cells on a card', () => {
  it('all 128 fit into their place, and none overlaps another', () => {
    for (const count of [1, 4, 8, 12, 16, 24, 32, 48, 64, 100, 128]) {
      const grid = cellGrid(count, 164, 24);
      const rows = Math.ceil(count / grid.columns);
      expect(grid.columns * grid.pitch).toBeLessThanOrEqual(164.001);
      expect(rows * grid.pitch).toBeLessThanOrEqual(24.001);
      expect(grid.size).toBeLessThan(grid.pitch);
      expect(grid.size).toBeGreaterThan(4);
    }
  });

  it('a few are drawn larger than many', () => {
    expect(cellGrid(6, 164, 24).size).toBeGreaterThan(2 * cellGrid(128, 164, 24).size);
  });

  it('the pointer finds the cell that is drawn under it', () => {
    const grid = cellGrid(40, 164, 24);
    for (const index of [0, 7, grid.columns, 39]) {
      const x = (index % grid.columns) * grid.pitch + grid.size / 2;
      const y = grid.top + Math.floor(index / grid.columns) * grid.pitch + grid.size / 2;
      expect(cellAt(grid, 40, x, y)).toBe(index);
    }
    expect(cellAt(grid, 40, -1, 5)).toBe(-1);
    expect(cellAt(grid, 40, 500, 5)).toBe(-1);
  });

  it('counts states and marks apart', () => {
    expect(cellCounts(Uint8Array.of(0, 1, 1, 2, 1 + MARKED, 9), 3)).toEqual({ of: [1, 3, 1], marked: 1 });
  });

  it('no two looks are told apart by colour alone', () => {
    const drawn = Object.values(CELL_SHAPES).map((shape) => svgPath(shape, 0, 0, 10));
    expect(new Set(drawn).size).toBe(drawn.length);
  });

  it('colours are the style sheet’s', () => {
    expect(cssColour(CELL_ROLES.good)).toBe('var(--ok)');
    expect(cssColour(CELL_ROLES.absent)).toBe('var(--ink-2)');
    expect(cssColour(CELL_ROLES.empty)).toBe('var(--line-strong)');
  });
});

describe('what a cell stands for', () => {
  const state = (name: string, callee: number | null) => ({ name, label: name, look: 'first' as const, callee });
  const cells = {
    label: '',
    help: '',
    marked: '',
    states: [state('none', null), state('first', 0), state('second', 1)],
  };

  function called(...regions: { label: string; region?: string }[]) {
    const drawn = design();
    const blocks = regions.map(({ label, region }, index) => ({
      ...drawn.blocks[1]!,
      id: `region-${index}`,
      label,
      params: (region ? { region } : {}) as Record<string, string>,
    }));
    const edges = regions.map((_, index) => ({
      ...drawn.edges[0]!,
      id: `to-${index}`,
      to: { block: `region-${index}`, port: 'in' },
    }));
    return { ...drawn, blocks: [drawn.blocks[0]!, ...blocks], edges: edges.reverse() };
  }

  it('is named as whom the block calls, in the order of the edges’ ids, with the region', () => {
    const drawn = called({ label: 'Balancer EU', region: 'eu' }, { label: 'Backup', region: 'us' });
    expect(stateLabels(CATALOGUE, drawn, 'client', cells)).toEqual(['none', 'Balancer EU', 'Backup (US)']);
  });

  it('has no name where nobody is drawn, and the last one stands for all further ones', () => {
    expect(stateLabels(CATALOGUE, called({ label: 'One' }), 'client', cells)).toEqual(['none', 'One', null]);
    const three = called({ label: 'One' }, { label: 'Two' }, { label: 'Three' });
    expect(stateLabels(CATALOGUE, three, 'client', cells)).toEqual(['none', 'One', 'Two or further']);
  });
});
