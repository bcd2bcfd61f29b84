/** The canvas: structure by React Flow, everything that moves by the overlay. */

import {
  Background,
  BackgroundVariant,
  type Connection,
  type EdgeChange,
  type FinalConnectionState,
  ReactFlow,
  type ReactFlowInstance,
  SelectionMode,
  useReactFlow,
} from '@xyflow/react';
import { type DragEvent, type MouseEvent, useCallback, useEffect } from 'react';
import type { End } from '../generated/protocol';
import { GRID, withEdge } from '../lib/design';
import { connectionRefusal } from '../lib/ports';
import { ask } from '../run/controller';
import { drawing, edit } from '../state/design';
import { catalogue } from '../state/session';
import { select, toast, useUi } from '../state/ui';
import { BlockNode, type BlockNodeType } from './BlockNode';
import { CanvasTools } from './CanvasTools';
import { ConnectionHint } from './ConnectionHint';
import { CornerMap } from './CornerMap';
import { addBlock, BLOCK_MIME, inspect, setFlow } from './commands';
import { EmptyCanvas } from './EmptyCanvas';
import { FlowEdge, type FlowEdgeType } from './FlowEdge';
import { useFlowEdges, useFlowNodes } from './flow-graph';
import { Overlay, pick } from './Overlay';

const NODE_TYPES = { block: BlockNode };
const EDGE_TYPES = { flow: FlowEdge };

/** Both ends of a connection that React Flow offers. */
function ends(
  connection:
    | Connection
    | { source: string; target: string; sourceHandle?: string | null; targetHandle?: string | null },
): [End, End] {
  return [
    { block: connection.source, port: connection.sourceHandle ?? '' },
    { block: connection.target, port: connection.targetHandle ?? '' },
  ];
}

function refusalOf(state: FinalConnectionState): string | null {
  const { fromHandle, toHandle } = state;
  // A connection that was made is over as well.
  if (state.isValid || !fromHandle || !toHandle) return null;
  const [out, into] = fromHandle.type === 'source' ? [fromHandle, toHandle] : [toHandle, fromHandle];
  return connectionRefusal(
    catalogue(),
    drawing(),
    { block: out.nodeId, port: out.id ?? '' },
    { block: into.nodeId, port: into.id ?? '' },
  );
}

/** A click on a particle asks where that request's time went. */
function openTraceAt(event: MouseEvent<HTMLElement>): void {
  if ((event.target as HTMLElement).closest('.react-flow__node, button, .react-flow__panel')) return;
  const bounds = event.currentTarget.getBoundingClientRect();
  const trace = pick.trace(event.clientX - bounds.left, event.clientY - bounds.top);
  if (trace === null) return;
  event.stopPropagation();
  useUi.setState({ right: 'trace' });
  void ask({ type: 'ask_trace', trace });
}

/** The canvas with everything on it; fills its parent. */
export function Canvas() {
  const { nodes, onNodesChange } = useFlowNodes();
  const edges = useFlowEdges();
  const flow = useReactFlow();
  useEffect(() => setFlow(flow as unknown as ReactFlowInstance), [flow]);

  const onEdgesChange = useCallback((changes: EdgeChange<FlowEdgeType>[]) => {
    const picked = new Set(useUi.getState().selected);
    for (const change of changes) {
      if (change.type !== 'select') continue;
      if (change.selected) picked.add(change.id);
      else picked.delete(change.id);
    }
    select(picked);
  }, []);

  const onDrop = (event: DragEvent) => {
    const kind = event.dataTransfer.getData(BLOCK_MIME);
    if (!kind) return;
    event.preventDefault();
    const at = flow.screenToFlowPosition({ x: event.clientX - 60, y: event.clientY - 20 }, { snapToGrid: false });
    addBlock(kind, at);
  };

  return (
    <section
      className="relative h-full min-h-0 w-full"
      aria-label="Canvas"
      data-testid="canvas"
      onClickCapture={openTraceAt}
    >
      <ReactFlow<BlockNodeType, FlowEdgeType>
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onConnect={(connection) => edit((design) => withEdge(design, ...ends(connection)).design)}
        isValidConnection={(connection) => connectionRefusal(catalogue(), drawing(), ...ends(connection)) === null}
        onConnectEnd={(_, state) => {
          const refusal = refusalOf(state);
          if (refusal) toast(refusal, 'bad');
        }}
        onPaneClick={() => select([])}
        onNodeClick={(event, node) => !event.shiftKey && !event.ctrlKey && !event.metaKey && inspect(node.id)}
        onNodeDoubleClick={(_, node) => useUi.setState({ renaming: node.id })}
        onNodeContextMenu={(event, node) => openMenu(event, node.id)}
        onEdgeContextMenu={(event, edge) => openMenu(event, edge.id)}
        onPaneContextMenu={(event) => openMenu(event as MouseEvent, null)}
        onDragOver={(event) => {
          if (event.dataTransfer.types.includes(BLOCK_MIME)) event.preventDefault();
        }}
        onDrop={onDrop}
        snapToGrid
        snapGrid={[GRID / 2, GRID / 2]}
        selectionMode={SelectionMode.Partial}
        multiSelectionKeyCode={['Shift', 'Meta', 'Control']}
        deleteKeyCode={null}
        connectionRadius={28}
        minZoom={0.1}
        maxZoom={2.5}
        proOptions={{ hideAttribution: true }}
        zoomOnDoubleClick={false}
      >
        <Background variant={BackgroundVariant.Dots} gap={GRID} size={1.2} color="var(--dots)" />
        <CornerMap />
        <Overlay />
        <ConnectionHint />
      </ReactFlow>
      <CanvasTools />
      <EmptyCanvas />
    </section>
  );
}

function openMenu(event: MouseEvent, target: string | null): void {
  event.preventDefault();
  if (target && !useUi.getState().selected.has(target)) select([target]);
  useUi.setState({ menu: { target, x: event.clientX, y: event.clientY } });
}
