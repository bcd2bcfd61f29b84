/** Keeps engine and drawing together: what is drawn is checked, told to the engine, and shown as pending until it happened. */

import type { Design } from '../generated/protocol';
import { checkDesign } from '../lib/api';
import { arrangedAs, planSync, runsAlike } from '../lib/sync';
import { drawing, show, useDesign } from '../state/design';
import { catalogue, useSession } from '../state/session';
import { actOrThrow, openSocket, pause, play } from './controller';
import { RefusedError } from './socket';

const QUIET_MS = 300;
let timer: ReturnType<typeof setTimeout> | undefined;
let busy = false;
/** What was told last: the engine takes it, and its durable event is on the way. */
let told: { design: Design; run: string | null; until: number } | null = null;
const TOLD_MS = 3_000;
/** The run whose time stands still because its drawing can't run. */
let held: string | null = null;

/** Compares once the drawing has been quiet for a moment. */
export function syncSoon(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void sync(), QUIET_MS);
}

/** Follows the drawing from now on. */
export function followDrawing(): void {
  useDesign.subscribe((state, before) => {
    if (state.design === before.design) return;
    if (useSession.getState().refusal.length) useSession.setState({ refusal: [] });
    syncSoon();
  });
}

async function sync(): Promise<void> {
  if (busy) {
    syncSoon();
    return;
  }
  busy = true;
  try {
    await compare();
  } finally {
    busy = false;
  }
}

async function compare(): Promise<void> {
  const drawn = drawing();
  const { running, mayControl } = useSession.getState();
  if (running && runsAlike(catalogue(), running, drawn)) {
    useSession.setState({ problems: [] });
    resume();
    return;
  }
  const { runId } = useSession.getState();
  if (told?.design === drawn && told.run === runId && performance.now() < told.until) return;
  const checked = await checkDesign(drawn).catch(() => null);
  if (drawing() !== drawn) {
    syncSoon();
    return;
  }
  if (!checked) return;
  useSession.setState({ problems: checked.problems });
  if (!running || !openSocket() || !mayControl) return;
  if (!checked.ok) {
    // Only what is drawn may run; until it can, time stands still.
    if (useSession.getState().state?.playing) {
      held = runId;
      await pause();
    }
    return;
  }
  await tell(running, drawn);
}

/**
 * The engine went from `before` to `now`. Where somebody else did that (another tab, the run's owner) and nothing here waits to be
 * told, the canvas follows; otherwise two pages would for ever tell the engine their own drawings.
 */
export function followEngine(before: Design, now: Design): void {
  const drawn = drawing();
  if (!runsAlike(catalogue(), before, drawn) || runsAlike(catalogue(), now, drawn)) return;
  const own =
    told?.run === useSession.getState().runId &&
    performance.now() < told.until &&
    runsAlike(catalogue(), told.design, now);
  if (!own) show(arrangedAs(now, drawn), { forgetSteps: false });
}

/** Time goes on once the drawing that held it can run again. */
function resume(): void {
  const { runId } = useSession.getState();
  if (held !== null && held === runId) void play();
  held = null;
}

async function tell(running: Design, drawn: Design): Promise<void> {
  told = { design: drawn, run: useSession.getState().runId, until: performance.now() + TOLD_MS };
  try {
    for (const action of planSync(catalogue(), running, drawn)) await actOrThrow(action);
    useSession.setState({ refusal: [] });
    resume();
  } catch (error) {
    told = null;
    // A broken connection is no refusal: the drawing is compared again when it is back.
    if (error instanceof RefusedError) useSession.setState({ refusal: error.problems });
  }
}
