/** What the page does with each message of the live socket. */

import { present } from '../canvas/commands';
import type { Design, Happened, RunState, ServerMessage, Welcome } from '../generated/protocol';
import { applied, arrangedAs } from '../lib/sync';
import { drawing, show } from '../state/design';
import { eventsWith, useSession } from '../state/session';
import { openSocket } from './controller';
import { decodeFrame } from './frames';
import { series } from './history';
import { live } from './live';
import { rememberRun } from './memory';
import type { Connection, Listener } from './socket';
import { followEngine, syncSoon } from './sync-loop';

const HISTORY_EVERY_MS = 400;
let historyAskedAt = 0;
let historyPending = false;
let historySoon: ReturnType<typeof setTimeout> | undefined;
let seqAtWelcome = 0;

/** The listener of the page's run socket. */
export const hear: Listener = {
  message,
  frame: (data) => {
    const frame = decodeFrame(data);
    live.push(frame, performance.now());
    openSocket()?.ack(frame.number);
    if (frame.buckets > series.length) askHistory();
  },
  connection: (connection: Connection) => {
    useSession.setState({ connection });
    if (connection === 'live') historyPending = false;
  },
};

function message(heard: ServerMessage): void {
  switch (heard.type) {
    case 'welcome':
      welcomed(heard);
      return;
    case 'layout':
      live.setLayout(heard);
      useSession.setState({ layout: heard });
      return;
    case 'state':
      stateChanged(heard);
      return;
    case 'happened':
      happened(heard);
      return;
    case 'history':
      historyPending = false;
      series.take(heard);
      return;
    case 'drawing':
      engineRuns(heard.design);
      return;
    case 'trace':
      useSession.setState({ trace: heard });
      return;
    case 'results':
      useSession.setState({ results: heard.results });
      return;
    case 'ended':
      useSession.setState({ failure: heard.reason });
      return;
    default:
  }
}

function welcomed(welcome: Welcome): void {
  seqAtWelcome = welcome.last_seq;
  const { design } = welcome;
  const { adopt, control } = useSession.getState();
  useSession.setState({
    mayControl: welcome.may_control,
    engineVersion: welcome.engine_version,
    seed: welcome.seed,
    running: design,
    origin: welcome.origin,
    script: welcome.script,
    adopt: false,
  });
  if (control) rememberRun(welcome.run, { control });
  if (adopt) {
    show(design, { forgetSteps: true });
    present();
  } else syncSoon();
}

function stateChanged(state: RunState): void {
  live.playing = state.playing;
  useSession.setState({ state, speed: state.speed, untilS: state.until_ns / 1e9 });
  if (state.furthest_ns < series.length * series.bucketNs - series.bucketNs) {
    series.cut(Math.floor(state.furthest_ns / series.bucketNs));
  }
}

/** After a seek the engine runs what was drawn at that time, so that is what the canvas shows. */
function engineRuns(design: Design): void {
  const { running } = useSession.getState();
  if (running && JSON.stringify(running) === JSON.stringify(design)) return;
  const arranged = arrangedAs(design, drawing());
  useSession.setState({ running: arranged, refusal: [] });
  show(arranged, { forgetSteps: false });
}

function happened(event: Happened): void {
  const { events, running } = useSession.getState();
  useSession.setState({ events: eventsWith(events, event) });
  // Told again after a reconnect: what it changed is in the welcome's drawing already.
  const old = event.seq <= seqAtWelcome;
  if (old) return;
  if (event.what === 'branch' || event.what === 'reset') {
    series.cut(event.what === 'reset' ? 0 : Math.floor(event.at_ns / series.bucketNs));
  }
  const now = engineDrawing(event, running);
  useSession.setState({ running: now });
  // The present drawing has become the first one.
  if (event.what === 'reset') useSession.setState({ origin: now });
  if (running && now) followEngine(running, now);
  if (event.what === 'intervention' || event.what === 'reset') syncSoon();
}

/** What the engine runs after `event`, when it ran `running` before. */
function engineDrawing(event: Happened, running: Design | null): Design | null {
  if (event.what === 'reset') return event.design ?? useSession.getState().origin;
  if (event.design) return event.design;
  return running && event.intervention ? applied(running, event.intervention) : running;
}

function askHistory(): void {
  clearTimeout(historySoon);
  const now = performance.now();
  const wait = historyPending ? HISTORY_EVERY_MS : historyAskedAt + HISTORY_EVERY_MS - now;
  if (wait > 0) {
    // This may have been the last frame for long: time may stand still now.
    historySoon = setTimeout(() => {
      if ((live.frame?.buckets ?? 0) > series.length) askHistory();
    }, wait);
    return;
  }
  historyAskedAt = now;
  historyPending = true;
  openSocket()
    ?.request({ type: 'ask_history', first: series.length })
    .catch(() => {
      historyPending = false;
    });
}
