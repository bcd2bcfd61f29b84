/** What the page must say before anything else: a lost connection, a run that ended, a drawing that differs from what runs. */

import { type ReactNode, useEffect, useState } from 'react';
import { runsAlike } from '../lib/sync';
import { openSocket, startDrawing } from '../run/controller';
import { useBuild } from '../run/use-build';
import { useDesign } from '../state/design';
import { atEnd, useSession } from '../state/session';
import { useUi } from '../state/ui';
import { BUTTON } from '../ui/looks';

const PENDING_SHOWN_AFTER_MS = 700;

/** One line under the top bar; the most important thing that there is to say, or nothing. */
export function Banner() {
  const { phase, connection, runId, failure, mayControl, problems, refusal, state, saveNote } = useSession();
  const differs = useDiffers();
  const build = useBuild(state?.engine === 'interpreted');
  if (runId && connection === 'lost') {
    return (
      <Line tone="warn" testId="banner-lost">
        The connection is lost. Trying again; nothing is lost meanwhile, and you can go on drawing.
        <button type="button" className={BUTTON} onClick={() => openSocket()?.retryNow()}>
          Try now
        </button>
      </Line>
    );
  }
  if (runId && connection === 'ended') {
    return (
      <Line tone="warn" testId="banner-ended">
        This run has ended{failure ? `: ${failure}` : ''}. The drawing is all here.
        <button type="button" className={BUTTON} onClick={() => startDrawing(true)}>
          Run it afresh
        </button>
      </Line>
    );
  }
  if (phase === 'open' && runId && !mayControl) {
    return (
      <Line tone="info" testId="banner-watching">
        You are watching somebody’s run. What you change here stays with you.
        <button type="button" className={BUTTON} onClick={() => startDrawing(true)}>
          Run it as your own
        </button>
      </Line>
    );
  }
  if (differs && (problems.length || refusal.length)) {
    return (
      <Line tone="warn" testId="banner-differs">
        {refusal.length
          ? 'The engine did not take the last change'
          : 'The drawing can’t run as it is, and time waits until it can'}
        : {(refusal[0] ?? problems[0])!.message}
        <button type="button" className={BUTTON} onClick={showList}>
          Show the list
        </button>
      </Line>
    );
  }
  if (differs) {
    return (
      <Line tone="info" testId="banner-pending">
        Telling the engine about the change …
      </Line>
    );
  }
  if (state?.restoring) {
    return (
      <Line tone="warn" testId="banner-restoring">
        The engine process that carried this run is gone. Another one brings the run back, event for event.
      </Line>
    );
  }
  if (state && atEnd(state)) {
    return (
      <Line tone="info" testId="banner-end">
        The run has reached its end. Play shows it again from the start; on the timeline you can go back to any moment.
      </Line>
    );
  }
  if (state?.stopped) {
    const reason = String(state.stopped.reason ?? 'stopped').replaceAll('_', ' ');
    return (
      <Line tone="info" testId="banner-stopped">
        The run stopped: {reason}. Its results so far are kept.
        <button type="button" className={BUTTON} onClick={() => startDrawing(true)}>
          Run afresh
        </button>
      </Line>
    );
  }
  if (saveNote) return <Line tone="info">{saveNote}</Line>;
  return build?.building ? <Building progress={build.progress} /> : null;
}

/** A first start works at once, on the engine as plain Python; why time then crawls must be said. */
function Building({ progress }: { progress: number | null }) {
  const share = progress === null ? '' : `: ${Math.round(100 * progress)} %`;
  return (
    <Line tone="info" testId="banner-building">
      The engine is being compiled{share}. Until then it runs as plain Python: much slower, same results.
    </Line>
  );
}

function showList(): void {
  useUi.setState({ right: 'inspector', selected: new Set() });
}

/** Whether drawing and engine have differed for longer than telling takes. */
function useDiffers(): boolean {
  const catalogue = useSession((state) => state.catalogue);
  const running = useSession((state) => state.running);
  const mayControl = useSession((state) => state.mayControl);
  const design = useDesign((state) => state.design);
  const now = catalogue !== null && running !== null && mayControl && !runsAlike(catalogue, running, design);
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    setLasting(false);
    if (!now) return;
    const timer = setTimeout(() => setLasting(true), PENDING_SHOWN_AFTER_MS);
    return () => clearTimeout(timer);
  }, [now]);
  return now && lasting;
}

function Line({ tone, children, testId }: { tone: 'warn' | 'info'; children: ReactNode; testId?: string }) {
  return (
    <div
      role="status"
      data-testid={testId}
      className={`pointer-events-auto absolute left-1/2 top-2.5 z-10 flex max-w-[min(720px,92%)] -translate-x-1/2 items-center gap-3 rounded-lg border bg-panel px-3 py-1.5 text-xs text-ink shadow-lg ${
        tone === 'warn' ? 'border-warn' : 'border-line-strong'
      }`}
    >
      {children}
    </div>
  );
}
