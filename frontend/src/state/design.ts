/** The drawing, with undo. Everything that changes it goes through here, so that one edit is one step back. */

import { temporal } from 'zundo';
import { create } from 'zustand';
import type { Design } from '../generated/protocol';
import { emptyDesign } from '../lib/design';

const UNDO_STEPS_MAX = 200;

interface DesignState {
  design: Design;
  /** Replaces the drawing by `change` of it: one undo step. A change that gives the same object is none. */
  edit(change: (design: Design) => Design): void;
}

/** The store of the drawing; `useDesign.temporal` holds the steps back and forth. */
export const useDesign = create<DesignState>()(
  temporal(
    (set) => ({
      design: emptyDesign(),
      edit: (change) =>
        set((state) => {
          const design = change(state.design);
          return design === state.design ? state : { design };
        }),
    }),
    {
      limit: UNDO_STEPS_MAX,
      partialize: (state) => ({ design: state.design }),
      equality: (past, current) => past.design === current.design,
    },
  ),
);

/** The drawing as it is now, for code outside React. */
export const drawing = (): Design => useDesign.getState().design;

/** Changes the drawing: one undo step. */
export const edit = (change: (design: Design) => Design): void => useDesign.getState().edit(change);

/** Takes the last edit back. */
export const undo = (): void => useDesign.temporal.getState().undo();

/** Does again what was taken back. */
export const redo = (): void => useDesign.temporal.getState().redo();

/** Shows `design` without a step back to what was before: another document, or the engine's state after a seek. */
export function show(design: Design, options: { forgetSteps: boolean }): void {
  const history = useDesign.temporal.getState();
  history.pause();
  useDesign.setState({ design });
  history.resume();
  if (options.forgetSteps) history.clear();
}
