/** Figures in panels: read from the live run a few times a second, rendered only where the text changed. */

import { useCallback, useSyncExternalStore } from 'react';
import { type Live, live } from './live';

const EVERY_MS = 200;

/**
 * What `read` gives now, looked at again every `every` milliseconds. It must give a primitive, so that equal means unchanged: from
 * what is on the screen, which may have been rendered for another reason since the last look.
 */
export function useLive<T extends string | number | boolean | null | undefined>(
  read: (live: Live) => T,
  every = EVERY_MS,
): T {
  const looking = useCallback(
    (look: () => void) => {
      const timer = setInterval(look, every);
      return () => clearInterval(timer);
    },
    [every],
  );
  return useSyncExternalStore(looking, () => read(live));
}
