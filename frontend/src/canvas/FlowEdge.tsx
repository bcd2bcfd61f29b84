/** A connection as structure: the line that can be hovered, focused and selected. Its flow is drawn by the overlay. */

import { BaseEdge, type Edge, type EdgeProps, getBezierPath } from '@xyflow/react';
import { memo } from 'react';
import { useIssues, usePending } from './marks';

/** An edge of the drawing on the canvas. */
export type FlowEdgeType = Edge<Record<string, never>, 'flow'>;

/** The line of one edge. */
export const FlowEdge = memo(function FlowEdge(props: EdgeProps<FlowEdgeType>) {
  const { id, selected } = props;
  const [path] = getBezierPath(props);
  const pending = usePending(id);
  const wrong = useIssues(id) !== null;
  const colour = wrong ? 'var(--bad)' : selected ? 'var(--accent)' : 'var(--line-strong)';
  return (
    <g data-testid={`edge-${id}`} data-pending={pending || undefined}>
      <BaseEdge
        path={path}
        interactionWidth={18}
        className="edge-line"
        style={{
          stroke: colour,
          strokeWidth: selected ? 2.5 : 1.5,
          strokeDasharray: pending ? '5 5' : undefined,
          fill: 'none',
        }}
      />
    </g>
  );
});
