/** What this browser remembers between visits. It is a copy for bad days: the server's draft is the first one. */

import type { Design, Scenario } from '../generated/protocol';
import { completed } from '../lib/json-text';

const DRAFTS_KEY = 'playground.drafts';
const DRAFTS_KEPT = 8;
const RUNS_KEY = 'playground.runs';
const RUNS_KEPT = 8;

/** A document as this browser keeps it. */
export interface LocalDraft {
  /** The run that was open with it, if any: tabs hold different documents, and each comes back to its own. */
  run: string | null;
  scenario: Scenario;
  forkedFrom: string | null;
  /** The server's copy, once there is one. */
  id: string | null;
  version: number | null;
}

/** What is needed to come back to a run after a reload. */
export interface KnownRun {
  control: string;
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

/** `design` as this version of the page has designs: an earlier one may have kept it, before there was all that there is now. */
const upToDate = (design: Design): Design =>
  completed(design as unknown as Record<string, unknown>) as unknown as Design;

const localDrafts = () =>
  (read<LocalDraft[]>(DRAFTS_KEY) ?? []).map((draft) => ({
    ...draft,
    scenario: { ...draft.scenario, design: upToDate(draft.scenario.design) },
  }));

/** The document that was open last, in whichever tab. */
export const latestDraft = (): LocalDraft | null => localDrafts()[0] ?? null;

/** The document that was open with run `id`. */
export const draftOfRun = (id: string): LocalDraft | null => localDrafts().find(({ run }) => run === id) ?? null;

/** Keeps a document in the place of what was kept for the same run; the oldest are forgotten. */
export function keepLocalDraft(draft: LocalDraft): void {
  const others = localDrafts().filter(({ run }) => run !== draft.run);
  write(DRAFTS_KEY, [draft, ...others].slice(0, DRAFTS_KEPT));
}

/** Keeps how to come back to a run; the oldest are forgotten. */
export function rememberRun(id: string, run: KnownRun): void {
  const known = (read<[string, KnownRun][]>(RUNS_KEY) ?? []).filter(([other]) => other !== id);
  write(RUNS_KEY, [[id, run], ...known].slice(0, RUNS_KEPT));
}

/** How to come back to run `id`, if this browser started it. */
export function knownRun(id: string): KnownRun | null {
  return (read<[string, KnownRun][]>(RUNS_KEY) ?? []).find(([other]) => other === id)?.[1] ?? null;
}
