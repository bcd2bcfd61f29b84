/** Places for all blocks, callers left of their callees, worked out by dagre. */

import dagre from '@dagrejs/dagre';
import type { Design, Position } from '../generated/protocol';
import { GRID } from './design';

/** Where each block should stand. `size` gives a card's width and height. */
export function arranged(
  design: Design,
  size: (kind: string) => { width: number; height: number },
): Map<string, Position> {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 3 * GRID, ranksep: 6 * GRID, marginx: 2 * GRID, marginy: 2 * GRID });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const block of design.blocks) graph.setNode(block.id, { ...size(block.kind) });
  for (const edge of design.edges) graph.setEdge(edge.from.block, edge.to.block);
  dagre.layout(graph);
  const places = new Map<string, Position>();
  for (const block of design.blocks) {
    const node = graph.node(block.id) as { x: number; y: number; width: number; height: number };
    const x = Math.round((node.x - node.width / 2) / GRID) * GRID;
    const y = Math.round((node.y - node.height / 2) / GRID) * GRID;
    places.set(block.id, { x, y });
  }
  return places;
}
