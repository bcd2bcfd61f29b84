/** Who watches, and which engine runs: said only where it is not the usual. */

import { useEffect, useState } from 'react';
import type { EngineStatus } from '../generated/protocol';
import { getEngine } from '../lib/api';
import { useSession } from '../state/session';

const EVERY_MS = 3_000;

/** How far the compiled engine's build is, asked while the run is on the interpreted one. */
function useBuild(wanted: boolean): EngineStatus | null {
  const [status, setStatus] = useState<EngineStatus | null>(null);
  useEffect(() => {
    if (!wanted) return;
    const look = () => {
      getEngine().then(setStatus, () => setStatus(null));
    };
    look();
    const timer = setInterval(look, EVERY_MS);
    return () => clearInterval(timer);
  }, [wanted]);
  return wanted ? status : null;
}

function buildText(status: EngineStatus | null): string {
  if (!status?.building) return 'not compiled';
  return status.progress === null ? 'compiling' : `compiling ${Math.round(100 * status.progress)} %`;
}

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
      {interpreted && (
        <span
          className="num hidden whitespace-nowrap rounded border border-line-strong px-1.5 text-2xs text-ink-2 2xl:inline"
          title={
            status?.error
              ? `The engine runs as plain Python, slower with the same results, because its build failed: ${status.error}`
              : 'The engine runs as plain Python: slower, same results. The compiled one takes its place as soon as it is built.'
          }
          data-testid="engine-note"
        >
          {buildText(status)}
        </span>
      )}
    </>
  );
}
