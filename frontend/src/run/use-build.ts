/** How far the compiled engine's build is, asked while the run is on the interpreted one. */

import { useEffect, useState } from 'react';
import type { EngineStatus } from '../generated/protocol';
import { getEngine } from '../lib/api';

const EVERY_MS = 3_000;

/** The build's state, null while it is not `wanted` or not known. */
export function useBuild(wanted: boolean): EngineStatus | null {
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
