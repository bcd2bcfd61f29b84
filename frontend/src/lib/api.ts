/** The REST API below /api. Every refusal arrives as an {@link ApiError} with the problems that the server named. */

import type {
  Catalogue,
  Checked,
  Conflict,
  Draft,
  EngineStatus,
  LabAnswer,
  LabCompared,
  LabOffer,
  LabScript,
  NewRun,
  NewShare,
  Problem,
  RunCreated,
  RunInfo,
  SaveDraft,
  Scenario,
  Shared,
  TemplateFull,
  TemplateSummary,
} from '../generated/protocol';

/** A request that was not taken. `status` is 0 when the server could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problems: Problem[],
    readonly body: unknown,
  ) {
    super(problems.map((problem) => problem.message).join(' '));
  }
}

function problem(code: string, message: string): Problem {
  return { code, message, where: '', block: null, parameter: null, value: null, accepted: null };
}

function csrfToken(): string {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? '';
}

async function call<T>(method: string, path: string, body?: unknown, raw = false): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', 'X-CSRFToken': csrfToken() };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const init: RequestInit = { method, headers, credentials: 'same-origin' };
  if (body !== undefined) init.body = raw ? (body as string) : JSON.stringify(body);
  let response: Response;
  try {
    response = await fetch(`/api${path}`, init);
  } catch {
    throw new ApiError(0, [problem('unreachable', 'The server does not answer. Is it still running?')], null);
  }
  const text = await response.text();
  const answer: unknown = text && response.headers.get('Content-Type')?.includes('json') ? JSON.parse(text) : null;
  if (response.ok) return answer as T;
  const named = (answer as { problems?: Problem[] } | null)?.problems;
  throw new ApiError(
    response.status,
    named?.length
      ? named
      : [problem('http', `The server answered ${response.status} ${response.statusText} to ${method} ${path}.`)],
    answer,
  );
}

/** What can be drawn. */
export const getCatalogue = () => call<Catalogue>('GET', '/catalogue');
/** The gallery. */
export const getTemplates = () => call<TemplateSummary[]>('GET', '/templates');
/** One template with its scenario. */
export const getTemplate = (name: string) => call<TemplateFull>('GET', `/templates/${encodeURIComponent(name)}`);
/** Starts a run. */
export const createRun = (run: NewRun) => call<RunCreated>('POST', '/runs', run);
/** Which engine new runs get, and how far the build of the compiled one is. */
export const getEngine = () => call<EngineStatus>('GET', '/engine');
/** How a run stands. */
export const getRun = (id: string) => call<RunInfo>('GET', `/runs/${encodeURIComponent(id)}`);
/** What a run began with, and its whole log. */
export const getRunScenario = (id: string) => call<Scenario>('GET', `/runs/${encodeURIComponent(id)}/scenario`);
/** Whether a design can run. `design` may be anything: it is what a person typed or drew. */
export const checkDesign = (design: unknown) => call<Checked>('POST', '/designs/check', design);
/** The same for text that was typed, so that the server's own parser names the place. */
export const checkText = (text: string) => call<Checked>('POST', '/designs/check', text, true);
/** What the server's parser says about text that is no JSON, or that it does not take as JSON. */
export async function syntaxProblems(text: string): Promise<Problem[]> {
  try {
    await checkText(text);
    return [];
  } catch (error) {
    return error instanceof ApiError && error.status !== 0 ? error.problems : [];
  }
}
/** Makes a link that never changes. */
export const createShare = (share: NewShare) => call<Shared>('POST', '/shares', share);
/** What a link holds. */
export const getShare = (id: string) => call<Shared>('GET', `/shares/${encodeURIComponent(id)}`);
/** Saves a draft for the first time. */
export const createDraft = (draft: SaveDraft) => call<Draft>('POST', '/drafts', draft);
/** Saves a draft that builds on `draft.version`; 409 carries a {@link Conflict}. */
export const saveDraft = (id: string, draft: SaveDraft) =>
  call<Draft>('PUT', `/drafts/${encodeURIComponent(id)}`, draft);

/** What the isolation lab has to choose from. */
export const getLab = () => call<LabOffer>('GET', '/lab');
/** A script after so many steps, or what is wrong with it. */
export const runLab = (script: LabScript) => call<LabAnswer>('POST', '/lab/run', script);
/** The whole script in the lab and on the configured PostgreSQL. */
export const compareLab = (script: LabScript) => call<LabCompared>('POST', '/lab/compare', script);

/** The conflict that a save ran into, if that is what `error` is. */
export function conflictOf(error: unknown): Conflict | null {
  return error instanceof ApiError && error.status === 409 ? (error.body as Conflict) : null;
}
