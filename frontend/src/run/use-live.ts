/** Figures in panels: read from the live run a few times a second, rendered only where the text changed. */

import { useEffect, useState } from 'react';
import { type Live, live } from './live';

const EVERY_MS = 200;

/** What `read` gives now, looked at again every `every` milliseconds. It must give a primitive, so that equal means unchanged. */
export function useLive<T extends string | number | boolean | null | undefined>(
  read: (live: Live) => T,
  every = EVERY_MS,
): T {
  const [, look] = useState<T>();
  useEffect(() => {
    const timer = setInterval(() => look(() => read(live)), every);
    return () => clearInterval(timer);
  }, [read, every]);
  return read(live);
}
