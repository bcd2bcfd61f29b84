/** What the page shows first, by its address: a template, a shared design, a run, or what was open last. */

import { fitSoon, present } from '../canvas/commands';
import { ApiError, checkDesign, createShare, getCatalogue, getRun } from '../lib/api';
import { emptyDesign } from '../lib/design';
import { drawing, show } from '../state/design';
import { scenarioOf, scriptOf, useSession } from '../state/session';
import { select } from '../state/ui';
import { beginDocument, followForSaving } from './autosave';
import { leaveRun, openRun, runAsScenario, startRun } from './controller';
import { draftOfRun, knownRun, type LocalDraft, latestDraft } from './memory';
import { followDrawing, syncSoon } from './sync-loop';

/** The template that a first visit shows. */
const FIRST_TEMPLATE = 'catalogue';

/** Loads the catalogue, then what the address names. Called once; again after a failure. */
export async function boot(): Promise<void> {
  useSession.setState({ phase: 'loading', failure: null });
  try {
    useSession.setState({ catalogue: await getCatalogue() });
    await openAddress(location.pathname);
  } catch (error) {
    useSession.setState({ phase: 'failed', failure: error instanceof Error ? error.message : String(error) });
  }
}

/** Begins to follow the drawing; called once. */
export function followAll(): void {
  followDrawing();
  followForSaving();
}

async function openAddress(path: string): Promise<void> {
  const [, kind, name] = path.match(/^\/([tsr])\/([^/]+)\/?$/) ?? [];
  if (kind === 't') await openTemplate(name!);
  else if (kind === 's') await openShare(name!);
  else if (kind === 'r') await reopenRun(name!);
  else if (!(await reopenDraft(latestDraft()))) await openTemplate(FIRST_TEMPLATE);
}

/** A run that is still there goes on; one that is gone starts again from what this browser kept of it. */
async function reopenRun(id: string): Promise<void> {
  try {
    await getRun(id);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    if (await reopenDraft(draftOfRun(id))) return;
    throw new Error(
      'This run is gone: runs end some time after their last viewer left. Its link can no longer be opened.',
    );
  }
  const known = knownRun(id);
  const draft = known ? draftOfRun(id) : null;
  if (draft) {
    showDraft(draft);
    useSession.setState({ script: scriptOf(draft.scenario.interventions) });
  }
  openRun(id, known?.control ?? null, draft === null);
}

function showDraft(draft: LocalDraft): void {
  show(draft.scenario.design, { forgetSteps: true });
  present();
  beginDocument(draft.id && draft.version ? { id: draft.id, version: draft.version } : null);
  useSession.setState({ forkedFrom: draft.forkedFrom });
}

async function reopenDraft(draft: LocalDraft | null): Promise<boolean> {
  if (!draft || draft.scenario.design.blocks.length === 0) return false;
  const { seed, speed, until_s } = draft.scenario;
  useSession.setState({ seed, speed, untilS: until_s });
  showDraft(draft);
  const { ok, problems } = await checkDesign(draft.scenario.design);
  if (ok) await startRun({ scenario: draft.scenario, play: false, adopt: false });
  else useSession.setState({ phase: 'none', problems });
  return true;
}

/** Opens a template running. */
export async function openTemplate(name: string): Promise<void> {
  if (await startRun({ template: name, play: true, adopt: true })) begin();
}

/** Opens what a share link holds, running. */
export async function openShare(id: string): Promise<void> {
  if (await startRun({ share: id, play: true, adopt: true })) begin();
}

/** Opens a design that was imported, or an empty one. It runs once it can. */
export function openDesign(design = emptyDesign()): void {
  leaveRun();
  useSession.setState({ forkedFrom: null, seed: 1, speed: 1, untilS: 60, script: [], problems: [] });
  show(design, { forgetSteps: true });
  fitSoon();
  begin();
  history.replaceState(null, '', '/');
  syncSoon();
}

function begin(): void {
  select([]);
  beginDocument(null);
}

/** Makes a link to the drawing; with `log`, to the run with everything that was done to it. Gives its address. */
export async function share(withLog: boolean): Promise<string> {
  const { forkedFrom } = useSession.getState();
  const scenario = withLog ? await runAsScenario() : scenarioOf(drawing());
  const shared = await createShare({ scenario, title: drawing().name, forked_from: forkedFrom });
  return new URL(shared.url, location.href).href;
}
