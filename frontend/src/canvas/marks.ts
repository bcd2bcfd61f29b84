/** What is marked on the drawing: things that the engine does not run as drawn, and things that are wrong. */

import { useMemo } from 'react';
import type { Problem } from '../generated/protocol';
import { pendingTargets } from '../lib/sync';
import { drawing, useDesign } from '../state/design';
import { useSession } from '../state/session';

const NONE: ReadonlySet<string> = new Set();
let last: { design: unknown; running: unknown; pending: ReadonlySet<string> } | null = null;

/** Ids of what is drawn but not running so; worked out once for all cards. */
function pendingNow(): ReadonlySet<string> {
  const { catalogue, running } = useSession.getState();
  if (!catalogue || !running) return NONE;
  const design = drawing();
  if (last?.design !== design || last.running !== running) {
    last = { design, running, pending: pendingTargets(catalogue, running, design) };
  }
  return last.pending;
}

/** Whether a block or an edge waits to be taken over by the engine. */
export function usePending(id: string): boolean {
  const byDrawing = useDesign(() => pendingNow().has(id));
  const byEngine = useSession(() => pendingNow().has(id));
  return byDrawing && byEngine;
}

/** Problems of the drawing and of the last refused change, most recent first. */
export function useProblems(): Problem[] {
  const problems = useSession((state) => state.problems);
  const refusal = useSession((state) => state.refusal);
  return useMemo(() => [...refusal, ...problems], [problems, refusal]);
}

/** What is wrong with a block or an edge, or null. */
export function useIssues(id: string): string | null {
  return useSession((state) => {
    const found = [...state.refusal, ...state.problems].find((problem) => concerns(problem, id));
    return found ? found.message : null;
  });
}

/** Whether `problem` is about the block or edge `id`. */
export function concerns(problem: Problem, id: string): boolean {
  return problem.block === id || problem.where.includes(`[${id}]`);
}
