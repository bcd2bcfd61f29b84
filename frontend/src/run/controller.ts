/** Everything that a person can do to a run. Panels call these; nothing else talks to the socket. */

import type { Action, Scenario, ServerMessage } from '../generated/protocol';
import { ApiError, checkDesign, createRun, getRunScenario } from '../lib/api';
import { runsAlike } from '../lib/sync';
import { drawing } from '../state/design';
import { atEnd, catalogue, forgetRun, scenarioOf, scriptOf, useSession, wholeLog } from '../state/session';
import { toast, useUi } from '../state/ui';
import { hear } from './hear';
import { series } from './history';
import { live } from './live';
import { type Outgoing, RefusedError, RunSocket } from './socket';

let socket: RunSocket | null = null;
/** Grows when the page turns to something else: an answer that comes after that is no longer wanted. */
let turn = 0;

/** What a run is started from. */
export interface Start {
  template?: string;
  share?: string;
  scenario?: unknown;
  play: boolean;
  /** Whether the page shows the scenario's drawing (true), or keeps its own, which it came from (false). */
  adopt: boolean;
}

/**
 * Starts a run and opens it; false when the page turned to something else meanwhile. Throws {@link ApiError} when the server does
 * not take it; the page then stays as it was.
 */
export async function startRun(start: Start): Promise<boolean> {
  const { adopt, ...body } = start;
  turn += 1;
  const mine = turn;
  const created = await createRun(body);
  if (turn !== mine) return false;
  if (adopt) useSession.setState({ forkedFrom: start.share ?? null });
  useSession.setState({
    seed: created.scenario.seed,
    speed: created.scenario.speed,
    untilS: created.scenario.until_s,
    script: scriptOf(created.scenario.interventions),
  });
  openRun(created.id, created.control, adopt);
  if (location.pathname !== `/r/${created.id}`) history.replaceState(null, '', `/r/${created.id}`);
  return true;
}

/**
 * Opens the live socket of a run that exists. `adopt`: whether the engine's drawing, which its welcome brings, takes the place of what
 * is on the canvas.
 */
export function openRun(id: string, control: string | null, adopt: boolean): void {
  leaveRun();
  useSession.setState({ runId: id, control, adopt, phase: 'open', failure: null, problems: [] });
  socket = new RunSocket(`/ws/runs/${id}/`, control, hear);
}

/** Closes the run's socket; the drawing stays on the page. */
export function leaveRun(): void {
  turn += 1;
  socket?.close();
  socket = null;
  live.clear();
  series.cut();
  forgetRun();
}

/** The open socket, for those who answer its messages. */
export function openSocket(): RunSocket | null {
  return socket;
}

/** Sends a request and gives its answer; problems are said in passing and end as null. */
export async function ask(message: Outgoing): Promise<ServerMessage | null> {
  if (!socket) return null;
  try {
    return await socket.request(message);
  } catch (error) {
    if (error instanceof RefusedError || error instanceof ApiError) toast(error.message, 'bad');
    return null;
  }
}

/**
 * The run as a scenario that is this run again when it is played: what it began with, and all that was done and will be done in it. The
 * server knows the log; where the run is gone by now, what the page has heard of it has to do.
 */
export async function runAsScenario(): Promise<Scenario> {
  const { runId, origin, running, events, speed } = useSession.getState();
  if (!runId || !origin) return scenarioOf(drawing());
  try {
    return { ...(await getRunScenario(runId)), speed };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return scenarioOf(origin, wholeLog(events, running ?? origin));
  }
}

/** Lets time pass. */
export const play = () => ask({ type: 'play' });
/** Holds time. */
export const pause = () => ask({ type: 'pause' });
/** One engine event. */
export const stepEvent = () => ask({ type: 'step', events: 1 });
/** Ten milliseconds of virtual time. */
export const stepTime = () => ask({ type: 'step', ns: 10_000_000 });

/** Chooses how many virtual seconds pass in a second. */
export function setSpeed(factor: number): void {
  useSession.setState({ speed: factor });
  void ask({ type: 'speed', factor });
}

/** Goes to a virtual time that the run has been at. */
export const seek = (ns: number) => ask({ type: 'seek', at_ns: Math.max(0, Math.round(ns)) });

/** Does something to the run now; resolves to whether it was taken. */
export async function act(action: Action): Promise<boolean> {
  const answer = await ask({ type: 'act', action });
  return answer !== null;
}

/** The same, but a refusal is thrown, for those who show it where it belongs. */
export async function actOrThrow(action: Action): Promise<void> {
  if (!socket) throw new Error('There is no run.');
  await socket.request({ type: 'act', action });
}

/** Starts time, with a run of what is drawn where there is none yet; at the run's end once more from its start. */
export async function playOrStart(): Promise<void> {
  const { runId, connection, problems, state } = useSession.getState();
  if (runId && connection !== 'ended') {
    // What runs is what is drawn; where that can't run, the list beside it says why.
    if (problems.length) useUi.setState({ right: 'inspector', selected: new Set() });
    else {
      if (state && atEnd(state)) await seek(0);
      await play();
    }
    return;
  }
  await startDrawing(true);
}

/** A fresh run of what is drawn. What stands in its way is listed beside the drawing. */
export async function startDrawing(playing: boolean): Promise<void> {
  useSession.setState({ phase: 'starting' });
  try {
    const { ok, problems } = await checkDesign(drawing());
    if (ok) await startRun({ scenario: scenarioOf(drawing()), play: playing, adopt: false });
    else useSession.setState({ phase: useSession.getState().runId ? 'open' : 'none', problems });
  } catch (error) {
    const problems = error instanceof ApiError ? error.problems : [];
    useSession.setState({ phase: useSession.getState().runId ? 'open' : 'none', problems });
    if (!problems.length || (error instanceof ApiError && error.status === 0)) toast(String(error), 'bad');
  }
}

/**
 * Back to time 0, under another seed if one is given. Where the drawing was changed since the run began, a fresh run of
 * what is drawn takes its place: nobody wants to find an old drawing at time 0.
 */
export async function reset(seed?: number): Promise<void> {
  const { origin, running, runId } = useSession.getState();
  if (seed !== undefined) useSession.setState({ seed });
  if (!runId) return;
  const changed = !origin || !running || !runsAlike(catalogue(), origin, drawing());
  if (changed) await startDrawing(false);
  else await ask({ type: 'reset', seed: seed ?? null });
}
