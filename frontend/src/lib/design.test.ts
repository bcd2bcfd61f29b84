import { describe, expect, it } from 'vitest';
import { CATALOGUE, design } from '../test/samples';
import { freePlace, freeShift, pieceOf, withBlock, withEdge, without, withParam, withPiece } from './design';

describe('edits of a drawing', () => {
  it('a second block of a kind gets an id and a label of its own', () => {
    const { design: next, id } = withBlock(design(), CATALOGUE, 'server', { x: 13, y: 27 });
    expect(id).toBe('server-2');
    const block = next.blocks.at(-1)!;
    expect(block.label).toBe('App server 2');
    expect(block.position).toEqual({ x: 20, y: 20 });
  });

  it('an edit leaves the design that it began with as it was', () => {
    const before = design();
    withParam(before, 'server', 'workers', 5);
    withEdge(before, { block: 'server', port: 'out' }, { block: 'server', port: 'in' });
    expect(before).toEqual(design());
  });

  it('deleting a block takes its connections and objectives with it', () => {
    const slo = [{ metric: 'p99_ms' as const, block: 'server', at_most: 100, at_least: null }];
    const next = without({ ...design(), slo }, new Set(['server']));
    expect(next.blocks.map((block) => block.id)).toEqual(['client', 'database']);
    expect(next.edges).toEqual([]);
    expect(next.slo).toEqual([]);
  });

  it('taking a default back removes the parameter from the design', () => {
    const set = withParam(design(), 'server', 'workers', 5);
    expect(set.blocks[1]!.params).toEqual({ workers: 5 });
    expect(withParam(set, 'server', 'workers', undefined).blocks[1]!.params).toEqual({});
  });

  it('a pasted piece keeps its inner connections under fresh ids', () => {
    const piece = pieceOf(design(), new Set(['server', 'database']));
    const { design: next, added } = withPiece(design(), piece, { x: 40, y: 40 });
    expect(added).toEqual(['server-2', 'database-2']);
    const copied = next.edges.at(-1)!;
    expect(copied.from.block).toBe('server-2');
    expect(copied.to.block).toBe('database-2');
    expect(new Set(next.edges.map((edge) => edge.id)).size).toBe(next.edges.length);
  });

  it('a new block never covers one that is there', () => {
    expect(freePlace(design(), { x: 300, y: 0 }).y).toBeGreaterThan(100);
  });

  it('copies land where they cover nothing, however often they are pasted', () => {
    let drawn = design();
    const piece = pieceOf(drawn, new Set(['client', 'server']));
    for (let copy = 0; copy < 3; copy += 1) drawn = withPiece(drawn, piece, freeShift(drawn, piece)).design;
    const places = drawn.blocks.map(({ position }) => `${position.x} ${position.y}`);
    expect(new Set(places).size).toBe(drawn.blocks.length);
    expect(freeShift(drawn, piece).y).toBeGreaterThan(3 * 170);
  });
});
