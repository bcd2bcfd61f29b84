/** The run as React sees it: what changes a few times a second at most. Frames live in `run/live.ts`. */

import { create } from 'zustand';
import type {
  Catalogue,
  Design,
  Happened,
  Intervention,
  Layout,
  Problem,
  RunState,
  Scenario,
  Trace,
} from '../generated/protocol';
import { applied } from '../lib/sync';
import type { Connection } from '../run/socket';

/** What the page is doing about a run: none yet, starting one, holding one. */
export type Phase = 'loading' | 'none' | 'starting' | 'open' | 'failed';

interface SessionState {
  catalogue: Catalogue | null;
  phase: Phase;
  /** Why the page could not load or the run could not start. */
  failure: string | null;
  runId: string | null;
  control: string | null;
  connection: Connection;
  mayControl: boolean;
  engineVersion: string;
  seed: number;
  speed: number;
  untilS: number;
  /** The drawing that the run began with, as far as the page knows. */
  origin: Design | null;
  /** What the scenario does by itself while it runs, as it came: each run of the drawing begins with it. */
  script: Intervention[];
  /** Whether the next welcome's drawing takes the place of what is on the canvas. */
  adopt: boolean;
  /** The drawing that the engine runs now. */
  running: Design | null;
  state: RunState | null;
  layout: Layout | null;
  /** Durable events in the order in which they came; those of a dropped future are taken out. */
  events: Happened[];
  /** What stands in the way of running the drawing. */
  problems: Problem[];
  /** Why the engine did not take the last change. */
  refusal: Problem[];
  trace: Trace | null;
  results: Record<string, unknown> | null;
  /** The share link that this document was forked from. */
  forkedFrom: string | null;
  /** Said when the draft could not be saved as it was. */
  saveNote: string | null;
}

/** A session without a run. */
const NO_RUN = {
  runId: null,
  control: null,
  connection: 'connecting' as Connection,
  mayControl: true,
  adopt: false,
  origin: null,
  running: null,
  state: null,
  layout: null,
  events: [] as Happened[],
  refusal: [] as Problem[],
  trace: null,
  results: null,
};

/** The store of the run that the page shows. */
export const useSession = create<SessionState>()(() => ({
  catalogue: null,
  phase: 'loading',
  failure: null,
  engineVersion: '',
  seed: 1,
  speed: 1,
  untilS: 60,
  script: [],
  problems: [],
  forkedFrom: null,
  saveNote: null,
  ...NO_RUN,
}));

/** Whether time stands at the end of the run: it goes no further. */
export const atEnd = (state: RunState): boolean => !state.playing && state.now_ns >= state.until_ns;

/** Leaves the run; the drawing stays. */
export function forgetRun(): void {
  useSession.setState({ ...NO_RUN, events: [], phase: 'none' });
}

/** The catalogue; only called where the page has loaded it. */
export function catalogue(): Catalogue {
  const loaded = useSession.getState().catalogue;
  if (!loaded) throw new Error('The catalogue is asked for before it is loaded.');
  return loaded;
}

/** Events after `event` came: a branch takes the future that it replaced out, a reset everything. */
export function eventsWith(events: readonly Happened[], event: Happened): Happened[] {
  if (event.what === 'reset') return [event];
  if (event.what === 'branch') return [...events.filter((old) => old.at_ns <= event.at_ns), event];
  return [...events, event];
}

let walked: { events: readonly Happened[]; origin: Design | null; before: Map<number, Design> } | null = null;

/**
 * The drawing that ran before each change of it, by the event's `seq`; from what the run began with, or where the page does not know
 * that, from the first change that brought a whole drawing.
 */
export function designsBefore(events: readonly Happened[], origin: Design | null): ReadonlyMap<number, Design> {
  if (walked?.events === events && walked.origin === origin) return walked.before;
  const before = new Map<number, Design>();
  let design = origin;
  for (const event of changesInTime(events)) {
    if (design) before.set(event.seq, design);
    const { action } = event.intervention!;
    if (action.type === 'edit') design = action.design;
    else if (design) design = applied(design, event.intervention!);
  }
  walked = { events, origin, before };
  return before;
}

/** The events that changed the drawing, in virtual time. */
export function changesInTime(events: readonly Happened[]): Happened[] {
  return events
    .filter(({ intervention }) => intervention?.action.type === 'set_param' || intervention?.action.type === 'edit')
    .sort((a, b) => a.at_ns - b.at_ns || a.seq - b.seq);
}

/** The interventions among `events`, in virtual time. */
export function interventions(events: readonly Happened[]): Intervention[] {
  return events
    .flatMap((event) => (event.what === 'intervention' && event.intervention ? [event.intervention] : []))
    .sort((a, b) => a.at_ns - b.at_ns);
}

/** What was done to a run that is `running` by now, and what the scenario has yet to do by itself. */
export function wholeLog(events: readonly Happened[], running: Design): Intervention[] {
  const done = interventions(events);
  const last = done.at(-1)?.at_ns ?? -1;
  return [...done, ...scripted(running).filter((entry) => entry.at_ns > last)];
}

/** The interventions of a log that are the scenario's own, and nobody's doing. */
export function scriptOf(log: readonly Intervention[]): Intervention[] {
  return log.filter(({ actor }) => actor === 'scenario');
}

/** The scenario's own interventions, as far as what they are about is drawn. */
function scripted(design: Design): Intervention[] {
  const drawn = new Set([...design.blocks, ...design.edges].map(({ id }) => id));
  return useSession.getState().script.filter(({ action }) => 'target' in action && drawn.has(action.target));
}

/** The scenario that begins with `design` under the session's seed and speed. */
export function scenarioOf(design: Design, log: Intervention[] = scripted(design)): Scenario {
  const { seed, speed, untilS } = useSession.getState();
  return { format: 1, design, seed, interventions: log, until_s: untilS, speed, engine_version: null };
}
