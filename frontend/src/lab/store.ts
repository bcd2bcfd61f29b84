/** The lab's state: the script as typed, how it is run, and what the server says became of it. */

import { create } from 'zustand';
import type { LabCompared, LabOffer, LabResult, LabScript, Problem } from '../generated/protocol';
import { ApiError, compareLab, getLab, runLab } from '../lib/api';
import { fromHash, type Shown, toHash } from './address';

/** What the middle of the page shows. */
export type View = 'schedule' | 'beside';

interface LabStore {
  offer: LabOffer | null;
  /** Why there is nothing to show: the server could not be asked. */
  failure: string | null;
  text: string;
  dialect: string;
  level: string;
  shuffle: number | null;
  /** How many steps are taken; null: all. */
  step: number | null;
  result: LabResult | null;
  /** What is wrong with the script as it stands; `result` is of the last one that could be read. */
  problems: Problem[];
  /** Why the server did not answer the last question; the same may be asked again. */
  trouble: string | null;
  compared: LabCompared | null;
  comparing: boolean;
  compareFailure: string | null;
  view: View;
  /** Statements of the anomaly or failure that is pointed at. */
  marked: ReadonlySet<number>;
  hasOwn: boolean;
}

const KEPT_KEY = 'playground.lab';
const OWN_KEY = 'playground.lab.own';
const FIRST = 'two-buyers';
const TYPING_MS = 300;

/** The store. */
export const useLab = create<LabStore>()(() => ({
  offer: null,
  failure: null,
  text: '',
  dialect: 'postgresql',
  level: 'read committed',
  shuffle: null,
  step: null,
  result: null,
  problems: [],
  trouble: null,
  compared: null,
  comparing: false,
  compareFailure: null,
  view: 'schedule',
  marked: new Set(),
  hasOwn: ownScript() !== null,
}));

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A full or forbidden storage: the address still carries what an address can.
  }
}

/** The script that was typed here last. */
function ownScript(): string | null {
  return stored(OWN_KEY);
}

/** The name of the template that the text is, null for one's own. */
export function templateOf(text: string, offer: LabOffer | null): string | null {
  return offer?.templates.find((template) => template.text === text)?.name ?? null;
}

/** Keeps what is shown in the address and in the browser. */
function keep(): void {
  const { text, dialect, level, shuffle, step, offer } = useLab.getState();
  const template = templateOf(text, offer);
  const shown: Shown = { template, script: template ? null : text, dialect, level, shuffle, step };
  history.replaceState(null, '', `#${toHash(shown)}`);
  store(KEPT_KEY, JSON.stringify(shown));
}

function kept(): Shown | null {
  try {
    return JSON.parse(stored(KEPT_KEY) ?? 'null') as Shown | null;
  } catch {
    return null;
  }
}

/** Asks the server what there is, and opens what the address names, or what was open last, or the two buyers. */
export async function boot(): Promise<void> {
  useLab.setState({ failure: null });
  try {
    const offer = await getLab();
    useLab.setState({ offer });
    open(offer, fromHash(location.hash), kept());
    addEventListener('hashchange', () => {
      open(offer, fromHash(location.hash), kept());
      void ask();
    });
    await ask();
  } catch (error) {
    useLab.setState({ failure: error instanceof Error ? error.message : String(error) });
  }
}

function open(offer: LabOffer, named: Shown | null, last: Shown | null): void {
  const shown = named ?? last;
  const text = (name: string | null | undefined) => offer.templates.find((template) => template.name === name)?.text;
  // An address without a script is of one that was too long for it: this browser has it, if it is the one that wrote it.
  const script = text(shown?.template) ?? shown?.script ?? last?.script ?? text(FIRST) ?? '';
  const dialect = offer.dialects.find(({ name }) => name === shown?.dialect) ?? offer.dialects[0]!;
  const level = offer.levels.find((name) => name === shown?.level) ?? dialect.default_level;
  useLab.setState({
    text: script,
    dialect: dialect.name,
    level,
    shuffle: shown?.shuffle ?? null,
    step: shown?.step ?? null,
  });
}

function request(): LabScript {
  const { text, dialect, level, shuffle, step } = useLab.getState();
  return { script: text, dialect, level, shuffle, steps: step };
}

let latest = 0;

/** Has the server run the script as it stands; an answer that comes after a newer question is dropped. */
async function ask(): Promise<void> {
  const number = ++latest;
  keep();
  try {
    const { result, problems } = await runLab(request());
    if (number !== latest) return;
    // What an earlier script came to stays in sight, dimmed, while the new one can't be read.
    useLab.setState({ problems, trouble: null, marked: new Set(), ...(result && { result }) });
  } catch (error) {
    if (number !== latest) return;
    if (!(error instanceof ApiError)) throw error;
    // A script that is refused as a whole is wrong; anything else is no fault of the script's.
    if (error.status === 422) useLab.setState({ problems: error.problems, trouble: null, marked: new Set() });
    else useLab.setState({ trouble: error.message });
  }
}

/** Asks once more what was not answered. */
export const askAgain = () => void ask();

let typing: ReturnType<typeof setTimeout> | undefined;

/** Takes over what is typed; the server is asked when the typing pauses. */
export function type(text: string): void {
  useLab.setState({ text, hasOwn: true, compared: null, compareFailure: null, view: 'schedule' });
  store(OWN_KEY, text);
  keep();
  clearTimeout(typing);
  typing = setTimeout(() => void ask(), TYPING_MS);
}

function change(part: Partial<Pick<LabStore, 'text' | 'dialect' | 'level' | 'shuffle' | 'step'>>): void {
  clearTimeout(typing);
  useLab.setState({ ...part, compared: null, compareFailure: null, view: 'schedule' });
  void ask();
}

/** Opens a script that comes with the lab, before its first step; null: the one that was typed here last. */
export function choose(name: string | null): void {
  const text = name ? useLab.getState().offer?.templates.find((template) => template.name === name)?.text : ownScript();
  if (text !== null && text !== undefined) change({ text, shuffle: null, step: 0 });
}

/** Another database; its levels have the same names. */
export const setDialect = (dialect: string) => change({ dialect });
/** The level of every BEGIN that names none. */
export const setLevel = (level: string) => change({ level });
/** Another order of the steps, from its seed; null: the script's own. */
export const setShuffle = (shuffle: number | null) => change({ shuffle });

/** How many steps there are. */
export const total = (result: LabResult | null) => result?.statements.length ?? 0;

/** Takes the schedule to after `step` statements. */
export function goTo(step: number): void {
  const last = total(useLab.getState().result);
  useLab.setState({ step: step >= last ? null : Math.max(step, 0), view: 'schedule' });
  void ask();
}

/** One step on (1) or back (-1). */
export function stepBy(by: 1 | -1): void {
  const { result, step } = useLab.getState();
  goTo((step ?? total(result)) + by);
}

/** Runs the whole schedule on the configured PostgreSQL too, and shows both. */
export async function compare(): Promise<void> {
  useLab.setState({ comparing: true, compareFailure: null, view: 'beside' });
  const asked = request();
  try {
    const compared = await compareLab({ ...asked, steps: null });
    if (JSON.stringify({ ...asked, steps: null }) === JSON.stringify({ ...request(), steps: null })) {
      useLab.setState({ compared });
    }
  } catch (error) {
    useLab.setState({ compareFailure: error instanceof Error ? error.message : String(error) });
  }
  useLab.setState({ comparing: false });
}
