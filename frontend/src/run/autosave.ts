/** No work is lost: each edit goes to this browser's storage at once and to the server's draft a moment later. */

import type { Draft } from '../generated/protocol';
import { conflictOf, createDraft, saveDraft } from '../lib/api';
import { drawing, useDesign } from '../state/design';
import { scenarioOf, useSession } from '../state/session';
import { keepLocalDraft } from './memory';

const LOCAL_QUIET_MS = 250;
const SERVER_QUIET_MS = 2_000;
let localTimer: ReturnType<typeof setTimeout> | undefined;
let serverTimer: ReturnType<typeof setTimeout> | undefined;
let saved: { id: string; version: number } | null = null;

/** Names this tab in a conflict. */
const EDITOR = `tab ${Math.random().toString(36).slice(2, 6)}`;

/** Begins another document: its first save makes a new draft, unless it is one that the server has. */
export function beginDocument(draft: { id: string; version: number } | null): void {
  clearTimeout(serverTimer);
  saved = draft;
}

/** Follows the drawing from now on. */
export function followForSaving(): void {
  useDesign.subscribe((state, before) => {
    if (state.design === before.design) return;
    clearTimeout(localTimer);
    clearTimeout(serverTimer);
    localTimer = setTimeout(keepHere, LOCAL_QUIET_MS);
    serverTimer = setTimeout(() => void keepThere(), SERVER_QUIET_MS);
  });
  window.addEventListener('pagehide', keepHere);
}

function keepHere(): void {
  const { phase, forkedFrom, runId } = useSession.getState();
  if (phase === 'loading' || phase === 'failed') return;
  keepLocalDraft({
    run: runId,
    scenario: scenarioOf(drawing()),
    forkedFrom,
    id: saved?.id ?? null,
    version: saved?.version ?? null,
  });
}

async function keepThere(): Promise<void> {
  const { phase, forkedFrom } = useSession.getState();
  if (phase === 'loading') return;
  const body = { scenario: scenarioOf(drawing()), editor: EDITOR, forked_from: forkedFrom };
  try {
    const draft = saved ? await saveDraft(saved.id, { ...body, version: saved.version }) : await createDraft(body);
    took(draft, null);
  } catch (error) {
    const conflict = conflictOf(error);
    if (conflict) {
      took(
        conflict.kept,
        `${conflict.theirs.editor || 'Another tab'} saved this design meanwhile. Both are kept; yours is a copy now.`,
      );
    } else {
      useSession.setState({ saveNote: 'Saved in this browser only; the server could not be reached.' });
    }
  }
}

function took(draft: Draft, note: string | null): void {
  saved = { id: draft.id, version: draft.version };
  useSession.setState({ saveNote: note });
  keepHere();
}
