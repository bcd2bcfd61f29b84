/** The small tools at the corner of the canvas. */

import { LayoutGrid, Maximize, Minus, Plus, Redo2, Undo2 } from 'lucide-react';
import { useStore } from 'zustand';
import { redo, undo, useDesign } from '../state/design';
import { IconButton } from '../ui/IconButton';
import { arrange, fit, zoom } from './commands';
import { Legend } from './Legend';

/** Undo, redo, arrange, fit, zoom, and what the drawing's signs mean. */
export function CanvasTools() {
  const back = useStore(useDesign.temporal, (state) => state.pastStates.length);
  const forth = useStore(useDesign.temporal, (state) => state.futureStates.length);
  return (
    <div
      className="absolute bottom-3 left-3 z-[5] flex rounded-lg border border-line bg-panel p-0.5 shadow-sm"
      role="toolbar"
      aria-label="Canvas tools"
    >
      <IconButton label="Undo" keys="Ctrl Z" testId="undo" disabled={!back} onClick={undo} icon={<Undo2 size={15} />} />
      <IconButton
        label="Redo"
        keys="Ctrl Shift Z"
        testId="redo"
        disabled={!forth}
        onClick={redo}
        icon={<Redo2 size={15} />}
      />
      <span className="mx-0.5 w-px bg-line" />
      <IconButton label="Arrange" keys="L" testId="arrange" onClick={arrange} icon={<LayoutGrid size={15} />} />
      <IconButton label="Show all" keys="F" testId="fit" onClick={fit} icon={<Maximize size={15} />} />
      <IconButton label="Zoom out" keys="-" testId="zoom-out" onClick={() => zoom(false)} icon={<Minus size={15} />} />
      <IconButton label="Zoom in" keys="+" testId="zoom-in" onClick={() => zoom(true)} icon={<Plus size={15} />} />
      <span className="mx-0.5 w-px bg-line" />
      <Legend />
    </div>
  );
}
