/** The map of the canvas, there only while part of the drawing is out of view: else it would lie on what it shows. */

import { MiniMap, type ReactFlowState, useStore } from '@xyflow/react';

/** The map in the lower right corner; must be inside React Flow. */
export function CornerMap() {
  const needed = useStore(isCutOff);
  if (!needed) return null;
  return (
    <MiniMap
      pannable
      zoomable
      position="bottom-right"
      style={{ width: 132, height: 84 }}
      ariaLabel="Map of the canvas"
    />
  );
}

/** Whether some card lies outside the view, wholly or in part. */
function isCutOff({ nodeLookup, transform: [left, top, zoom], width, height }: ReactFlowState): boolean {
  for (const node of nodeLookup.values()) {
    const { x, y } = node.internals.positionAbsolute;
    const right = (x + (node.measured.width ?? node.width ?? 0)) * zoom + left;
    const bottom = (y + (node.measured.height ?? node.height ?? 0)) * zoom + top;
    if (x * zoom + left < 0 || y * zoom + top < 0 || right > width || bottom > height) return true;
  }
  return false;
}
