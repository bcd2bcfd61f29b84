/** Notable moments for those who don't see the canvas: read out, the latest of each second and a half. */

import { useEffect, useRef, useState } from 'react';
import { eventDetail, eventTitle } from '../lib/events';
import { drawing } from '../state/design';
import { catalogue, designsBefore, useSession } from '../state/session';

const EVERY_MS = 1_500;

/** A live region that nobody sees. */
export function Announcer() {
  const [text, setText] = useState('');
  const said = useRef(0);
  useEffect(() => {
    const timer = setInterval(() => {
      const latest = useSession.getState().events.at(-1);
      if (!latest || latest.seq <= said.current) return;
      said.current = latest.seq;
      const before = designsBefore(useSession.getState().events, useSession.getState().origin);
      setText(`${eventTitle(latest, catalogue(), drawing(), before.get(latest.seq))}. ${eventDetail(latest)}`);
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <div className="sr-only" aria-live="polite" data-testid="announcer">
      {text}
    </div>
  );
}
