/** A block's card: what does not change per frame. Figures are drawn by the overlay in the places that `card.ts` names. */

import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { memo, type PointerEvent, useEffect, useRef } from 'react';
import type { BlockSpec, Cells, Port } from '../generated/protocol';
import { specOf } from '../lib/catalogue';
import { cellAt, cellGrid, MARKED, stateLabels } from '../lib/cells';
import { withLabel } from '../lib/design';
import { BlockIcon } from '../lib/icons';
import { live } from '../run/live';
import { drawing, edit, useDesign } from '../state/design';
import { useSession } from '../state/session';
import { useUi } from '../state/ui';
import { CARD_WIDTH, CELLS_HEIGHT, cardOf, PAD } from './card';
import { useIssues, usePending } from './marks';
import { registerCard } from './states';

/** A block on the canvas; `kind` decides how its card looks. */
export type BlockNodeType = Node<{ kind: string }, 'block'>;

/** The card of one block. */
export const BlockNode = memo(function BlockNode({ id, data, selected }: NodeProps<BlockNodeType>) {
  const catalogue = useSession((state) => state.catalogue)!;
  const spec = specOf(catalogue, data.kind);
  const card = cardOf(catalogue, data.kind);
  const pending = usePending(id);
  const issue = useIssues(id);
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => registerCard(id, ref.current!), [id]);
  return (
    <div
      ref={ref}
      data-testid={`block-${id}`}
      data-kind={data.kind}
      data-state="idle"
      data-pending={pending || undefined}
      className={`card relative rounded-[10px] border bg-panel ${frame(selected, issue !== null)}`}
      style={{ width: CARD_WIDTH, height: card.height }}
    >
      <div className="flex h-9 items-center gap-2 px-2.5">
        <span className="grid size-6 shrink-0 place-items-center rounded-md border border-line bg-raised text-ink-2">
          <BlockIcon name={spec?.icon ?? 'box'} size={14} />
        </span>
        <BlockName id={id} title={spec?.title ?? data.kind} />
      </div>
      {card.rows.map((row) => (
        <span
          key={row.metric.name}
          className="absolute left-3 text-[12.5px] leading-none text-ink-2"
          style={{ top: row.y - 6 }}
          title={row.metric.help}
        >
          {row.metric.label.toLowerCase()}
        </span>
      ))}
      {card.cellsY !== null && spec?.cells && <CellsPlace id={id} cells={spec.cells} top={card.cellsY} />}
      <span className="sr-only" data-words />
      {pending && <Mark tone="wait" text="not in the engine yet" />}
      {issue && <Mark tone="bad" text={issue} />}
      {spec && <Ports id={id} spec={spec} height={card.height} />}
    </div>
  );
});

/** Where the overlay draws the cells: it only says what the one under the pointer is. */
function CellsPlace({ id, cells, top }: { id: string; cells: Cells; top: number }) {
  const width = CARD_WIDTH - 2 * PAD;
  const say = (event: PointerEvent<HTMLElement>) => {
    const now = live.cells(id);
    const { offsetX, offsetY } = event.nativeEvent;
    const at = now ? cellAt(cellGrid(now.length, width, CELLS_HEIGHT), now.length, offsetX, offsetY) : -1;
    const cell = now?.[at];
    const catalogue = useSession.getState().catalogue!;
    const state = cell === undefined ? null : stateLabels(catalogue, drawing(), id, cells)[cell & (MARKED - 1)];
    const mark = cell !== undefined && cell >= MARKED ? `; ${cells.marked}` : '';
    event.currentTarget.title = state ? `${cells.label}, no. ${at + 1}: ${state}${mark}` : cells.help;
  };
  return (
    <span
      className="absolute"
      data-testid={`cells-of-${id}`}
      style={{ left: PAD, top, width, height: CELLS_HEIGHT }}
      onPointerMove={say}
    />
  );
}

function frame(selected: boolean | undefined, wrong: boolean): string {
  if (selected) return 'border-accent ring-3 ring-accent-soft';
  return wrong ? 'border-bad' : 'border-line-strong';
}

function Mark({ tone, text }: { tone: 'wait' | 'bad'; text: string }) {
  const look = tone === 'bad' ? 'border-bad text-bad' : 'border-dashed border-line-strong text-ink-2';
  return (
    <span
      className={`absolute -top-2.5 left-2 max-w-[160px] truncate rounded border bg-panel px-1.5 text-[10px] leading-4 ${look}`}
      title={text}
    >
      {tone === 'bad' ? `! ${text}` : text}
    </span>
  );
}

function BlockName({ id, title }: { id: string; title: string }) {
  const label = useDesign((state) => state.design.blocks.find((block) => block.id === id)?.label ?? '');
  const renaming = useUi((state) => state.renaming === id);
  if (!renaming) {
    return (
      <span
        className="min-w-0 flex-1 truncate pr-4 text-base font-semibold"
        title={`${label || title} · double-click to rename`}
        data-testid={`name-${id}`}
      >
        {label || title}
      </span>
    );
  }
  const finish = (text: string) => {
    useUi.setState({ renaming: null });
    if (text.trim() && text !== label) edit((design) => withLabel(design, id, text.trim()));
  };
  return (
    <input
      className="nodrag z-10 w-full min-w-0 rounded border border-accent bg-raised px-1 text-sm font-semibold"
      aria-label="Name of the block"
      data-testid={`rename-${id}`}
      defaultValue={label || title}
      maxLength={200}
      ref={(input) => input?.select()}
      onBlur={(event) => finish(event.currentTarget.value)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === 'Enter') event.currentTarget.blur();
        if (event.key === 'Escape') useUi.setState({ renaming: null });
      }}
    />
  );
}

function Ports({ id, spec, height }: { id: string; spec: BlockSpec; height: number }) {
  const side = (direction: 'in' | 'out') => spec.ports.filter((port) => port.direction === direction);
  return (
    <>
      {side('in').map((port, index, all) => (
        <PortHandle key={port.name} id={id} port={port} top={place(index, all.length, height)} />
      ))}
      {side('out').map((port, index, all) => (
        <PortHandle key={port.name} id={id} port={port} top={place(index, all.length, height)} />
      ))}
    </>
  );
}

function place(index: number, ports: number, height: number): number {
  return (height * (index + 1)) / (ports + 1);
}

function PortHandle({ id, port, top }: { id: string; port: Port; top: number }) {
  const out = port.direction === 'out';
  return (
    <Handle
      id={port.name}
      type={out ? 'source' : 'target'}
      position={out ? Position.Right : Position.Left}
      style={{ top }}
      className="group/port"
      data-testid={`port-${id}-${port.name}`}
      title={port.help}
    >
      <span
        className={`pointer-events-none absolute top-1/2 z-20 hidden -translate-y-1/2 whitespace-nowrap rounded border border-line-strong bg-panel px-1.5 py-0.5 text-2xs text-ink shadow group-hover/port:block ${
          out ? 'left-4' : 'right-4'
        }`}
      >
        {port.label} <span className="text-ink-3">{port.type}</span>
      </span>
    </Handle>
  );
}
