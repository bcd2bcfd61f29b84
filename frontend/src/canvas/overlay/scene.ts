/** What stands on the canvas at this moment, read from React Flow once per animation frame, without rendering anything. */

import type { ReactFlowState } from '@xyflow/react';
import { type Curve, curveBetween } from './geometry';

/** A card on the canvas, canvas pixels. */
export interface Placed {
  id: string;
  kind: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Everything the overlay draws on, in canvas pixels; `zoom`, `left` and `top` turn them into screen pixels. */
export interface Scene {
  zoom: number;
  left: number;
  top: number;
  width: number;
  height: number;
  blocks: Placed[];
  /** By edge id. */
  curves: Map<string, Curve>;
}

/** Reads the scene; curves of edges whose ends did not move are kept. */
export class SceneReader {
  private curves = new Map<string, Curve>();

  /** The scene of `state`. Blocks wholly outside the view are left out. */
  read(state: ReactFlowState): Scene {
    const [left, top, zoom] = state.transform;
    const { width, height } = state;
    const blocks: Placed[] = [];
    for (const node of state.nodeLookup.values()) {
      const { x, y } = node.internals.positionAbsolute;
      const w = node.measured.width ?? node.width ?? 0;
      const h = node.measured.height ?? node.height ?? 0;
      const screenX = x * zoom + left;
      const screenY = y * zoom + top;
      if (screenX > width || screenY > height || screenX + w * zoom < 0 || screenY + h * zoom < 0) continue;
      blocks.push({ id: node.id, kind: (node.data as { kind: string }).kind, x, y, width: w, height: h });
    }
    const curves = new Map<string, Curve>();
    for (const edge of state.edges) {
      const from = this.port(state, edge.source, 'source', edge.sourceHandle ?? null);
      const to = this.port(state, edge.target, 'target', edge.targetHandle ?? null);
      if (!from || !to) continue;
      const old = this.curves.get(edge.id);
      const same = old && old.sx === from.x && old.sy === from.y && old.tx === to.x && old.ty === to.y;
      curves.set(edge.id, same ? old : curveBetween(from.x, from.y, to.x, to.y));
    }
    this.curves = curves;
    return { zoom, left, top, width, height, blocks, curves };
  }

  private port(state: ReactFlowState, id: string, side: 'source' | 'target', name: string | null) {
    const node = state.nodeLookup.get(id);
    const handle = node?.internals.handleBounds?.[side]?.find((candidate) => candidate.id === name);
    if (!node || !handle) return null;
    const { x, y } = node.internals.positionAbsolute;
    return { x: x + handle.x + (side === 'source' ? handle.width : 0), y: y + handle.y + handle.height / 2 };
  }
}
