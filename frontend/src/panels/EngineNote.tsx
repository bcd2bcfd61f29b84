/** Who watches, and which engine runs: said only where it is not the usual. */

import { useBuild } from '../run/use-build';
import { useSession } from '../state/session';

/** The notes left of the panel buttons. */
export function EngineNote() {
  const viewers = useSession((session) => session.state?.viewers ?? 0);
  const interpreted = useSession((session) => session.state?.engine === 'interpreted');
  const status = useBuild(interpreted);
  return (
    <>
      {viewers > 1 && (
        <span className="hidden whitespace-nowrap px-1 text-xs text-ink-2 2xl:inline" data-testid="viewers">
          {viewers} watching
        </span>
      )}
      {interpreted && !status?.building && (
        <span
          className="num hidden whitespace-nowrap rounded border border-line-strong px-1.5 text-2xs text-ink-2 2xl:inline"
          title={
            status?.error
              ? `The engine runs as plain Python, slower with the same results, because its build failed: ${status.error}`
              : 'The engine runs as plain Python: slower, same results.'
          }
          data-testid="engine-note"
        >
          not compiled
        </span>
      )}
    </>
  );
}
