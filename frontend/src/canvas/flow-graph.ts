/** The drawing as React Flow takes it, and its changes as edits of the drawing. */

import { applyNodeChanges, type NodeChange } from '@xyflow/react';
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { Position } from '../generated/protocol';
import { edgeName, nameOf, specOf } from '../lib/catalogue';
import { withPlaces } from '../lib/design';
import { edit, useDesign } from '../state/design';
import { useSession } from '../state/session';
import { select, useUi } from '../state/ui';
import type { BlockNodeType } from './BlockNode';
import { CARD_WIDTH, cardOf } from './card';
import type { FlowEdgeType } from './FlowEdge';

/** Nodes of the drawing. While a card is dragged its place is React Flow's alone; where it is let go becomes one edit. */
export function useFlowNodes() {
  const blocks = useDesign((state) => state.design.blocks);
  const catalogue = useSession((state) => state.catalogue)!;
  const selected = useUi((state) => state.selected);
  const [nodes, setNodes] = useState<BlockNodeType[]>([]);

  useEffect(() => {
    setNodes((old) => {
      const known = new Map(old.map((node) => [node.id, node]));
      return blocks.map((block) => {
        const before = known.get(block.id);
        const title = specOf(catalogue, block.kind)?.title ?? block.kind;
        const node: BlockNodeType = {
          ...(before ?? { width: CARD_WIDTH, height: cardOf(catalogue, block.kind).height }),
          id: block.id,
          type: 'block',
          position: before?.dragging ? before.position : block.position,
          data: before?.data.kind === block.kind ? before.data : { kind: block.kind },
          selected: selected.has(block.id),
          ariaLabel: `${nameOf(catalogue, block)}, ${title}`,
        };
        return before && unchanged(before, node) ? before : node;
      });
    });
  }, [blocks, catalogue, selected]);

  const onNodesChange = useCallback((changes: NodeChange<BlockNodeType>[]) => {
    const places = new Map<string, Position>();
    const picked = new Set(useUi.getState().selected);
    const others: NodeChange<BlockNodeType>[] = [];
    for (const change of changes) {
      if (change.type === 'select') {
        if (change.selected) picked.add(change.id);
        else picked.delete(change.id);
        continue;
      }
      if (change.type === 'remove') continue;
      if (change.type === 'position' && change.position && !change.dragging) places.set(change.id, change.position);
      others.push(change);
    }
    if (others.length) setNodes((old) => applyNodeChanges(others, old));
    select(picked);
    if (places.size) edit((design) => (moved(design.blocks, places) ? withPlaces(design, places) : design));
  }, []);

  return { nodes, onNodesChange };
}

function unchanged(before: BlockNodeType, now: BlockNodeType): boolean {
  return (
    before.position.x === now.position.x &&
    before.position.y === now.position.y &&
    before.data === now.data &&
    before.selected === now.selected &&
    before.ariaLabel === now.ariaLabel
  );
}

function moved(blocks: readonly { id: string; position: Position }[], places: ReadonlyMap<string, Position>): boolean {
  return blocks.some((block) => {
    const place = places.get(block.id);
    return place && (place.x !== block.position.x || place.y !== block.position.y);
  });
}

/** Edges of the drawing. */
export function useFlowEdges(): FlowEdgeType[] {
  const blocks = useDesign((state) => state.design.blocks);
  const edges = useDesign((state) => state.design.edges);
  const catalogue = useSession((state) => state.catalogue)!;
  const selected = useUi((state) => state.selected);
  return useMemo(
    () =>
      edges.map((edge) => ({
        id: edge.id,
        type: 'flow',
        source: edge.from.block,
        sourceHandle: edge.from.port,
        target: edge.to.block,
        targetHandle: edge.to.port,
        selected: selected.has(edge.id),
        ariaLabel: `Connection ${edgeName(catalogue, blocks, edge)}`,
      })),
    [edges, blocks, catalogue, selected],
  );
}
