/** What stands in the way of running the drawing, calmly: a list of what is still missing. */

import { CircleAlert, Undo } from 'lucide-react';
import { reveal } from '../canvas/commands';
import { useProblems } from '../canvas/marks';
import { arrangedAs } from '../lib/sync';
import { drawing, edit } from '../state/design';
import { useSession } from '../state/session';
import { BUTTON } from '../ui/looks';

/** The list; nothing when the drawing can run. */
export function Problems() {
  const problems = useProblems();
  const refused = useSession((state) => state.refusal.length > 0);
  const running = useSession((state) => state.running);
  if (!problems.length) return null;
  return (
    <section
      aria-label="What is missing"
      data-testid="problems"
      className="mx-3.5 mb-3 rounded-lg border border-warn/60 p-2.5"
    >
      <h3 className="mb-1 flex items-center gap-1.5 text-xs font-semibold">
        <CircleAlert size={14} className="text-warn" aria-hidden />
        {refused ? 'The engine did not take this change' : 'Before this can run'}
      </h3>
      <ul className="flex max-h-56 flex-col gap-1 overflow-y-auto text-xs text-ink-2">
        {problems.map((problem) => (
          <li key={`${problem.where}-${problem.message}`}>
            {problem.block ? (
              <button
                type="button"
                className="text-left underline decoration-line-strong hover:text-ink"
                onClick={() => reveal(problem.block!)}
              >
                {problem.message}
              </button>
            ) : (
              problem.message
            )}
            {problem.accepted && !problem.message.includes(problem.accepted) && (
              <span className="text-ink-3"> Accepted: {problem.accepted}.</span>
            )}
          </li>
        ))}
      </ul>
      {running && (
        <button
          type="button"
          data-testid="revert"
          className={`${BUTTON} mt-2 text-xs`}
          onClick={() => edit(() => arrangedAs(running, drawing()))}
        >
          <Undo size={13} aria-hidden /> Back to what runs
        </button>
      )}
    </section>
  );
}
