/** What this browser remembers between visits. It is a copy for bad days: the server's draft is the first one. */

import type { Design, Scenario } from '../generated/protocol';

const DRAFT_KEY = 'playground.draft';
const RUNS_KEY = 'playground.runs';
const RUNS_KEPT = 8;

/** The document that was open last. */
export interface LocalDraft {
  scenario: Scenario;
  forkedFrom: string | null;
  /** The server's copy, once there is one. */
  id: string | null;
  version: number | null;
}

/** What is needed to come back to a run after a reload. */
export interface KnownRun {
  control: string;
  origin: Design;
}

function read<T>(key: string): T | null {
  try {
    const text = localStorage.getItem(key);
    return text ? (JSON.parse(text) as T) : null;
  } catch {
    return null;
  }
}

function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // A full or forbidden storage costs the fallback copy alone; the server's draft is still saved.
  }
}

/** The document that was open last, if any. */
export const localDraft = () => read<LocalDraft>(DRAFT_KEY);
/** Keeps the document that is open. */
export const keepLocalDraft = (draft: LocalDraft) => write(DRAFT_KEY, draft);

/** Keeps how to come back to a run; the oldest are forgotten. */
export function rememberRun(id: string, run: KnownRun): void {
  const known = (read<[string, KnownRun][]>(RUNS_KEY) ?? []).filter(([other]) => other !== id);
  write(RUNS_KEY, [[id, run], ...known].slice(0, RUNS_KEPT));
}

/** How to come back to run `id`, if this browser started it. */
export function knownRun(id: string): KnownRun | null {
  return (read<[string, KnownRun][]>(RUNS_KEY) ?? []).find(([other]) => other === id)?.[1] ?? null;
}
