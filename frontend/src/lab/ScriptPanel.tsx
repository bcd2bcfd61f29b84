/** The script: one that comes with the lab or one's own, edited in place, with what is wrong at its line. */

import { useRef } from 'react';
import type { LabTemplate, Problem } from '../generated/protocol';
import { SCRIPT_CHARACTERS_MAX } from '../generated/protocol';
import { FIELD } from '../ui/looks';
import { askAgain, choose, templateOf, type, useLab } from './store';
import { grouped, placeOf } from './words';

const OWN = '';
const GROUPS = ['Two buyers', 'Write skew', 'Hermitage'];

/** The panel on the left. */
export function ScriptPanel() {
  const area = useRef<HTMLTextAreaElement>(null);
  const problems = useLab((state) => state.problems);
  const trouble = useLab((state) => state.trouble);
  return (
    <>
      <Templates />
      <Editor area={area} problems={problems} />
      <div
        className="max-h-32 min-h-9 shrink-0 overflow-y-auto border-t border-line px-3.5 py-2 text-xs"
        role="status"
        data-testid="lab-problems"
      >
        {trouble && (
          <p className="mb-1 text-bad" role="alert">
            {trouble}{' '}
            <button type="button" className="underline" data-testid="lab-again" onClick={askAgain}>
              Try again
            </button>
          </p>
        )}
        {!problems.length && (
          <span className="text-ink-2">
            Sessions T1 to T4, one statement a line; whole numbers; the first column is the key.
          </span>
        )}
        {problems.map((problem) => (
          <button
            key={`${problem.where}-${problem.message}`}
            type="button"
            className="block w-full text-left text-bad"
            onClick={() => goTo(area.current, problem)}
          >
            {problem.message}
            {problem.accepted && <span className="text-ink-2">. Accepted: {problem.accepted}</span>}
          </button>
        ))}
      </div>
    </>
  );
}

function Templates() {
  const offer = useLab((state) => state.offer);
  const text = useLab((state) => state.text);
  const hasOwn = useLab((state) => state.hasOwn);
  const name = templateOf(text, offer);
  const title = offer?.templates.find((template) => template.name === name)?.title;
  const groups = grouped(offer?.templates ?? [], (template) => template.group).sort(
    ([one], [other]) => GROUPS.indexOf(one) - GROUPS.indexOf(other),
  );
  return (
    <div className="shrink-0 px-3.5 py-2.5">
      <label className="flex items-center gap-2 text-xs font-semibold text-ink-2">
        Script
        <select
          data-testid="lab-template"
          className={`${FIELD} min-w-0 flex-1 font-normal`}
          value={name ?? OWN}
          onChange={(event) => choose(event.target.value || null)}
        >
          {(hasOwn || name === null) && <option value={OWN}>My script</option>}
          {groups.map(([group, templates]) => (
            <optgroup key={group} label={group}>
              {templates.map((template) => (
                <option key={template.name} value={template.name}>
                  {shortName(template)}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </label>
      <p className="mt-2 text-xs leading-relaxed text-ink-2" data-testid="lab-title">
        {title ?? 'A script of your own. It stays in this browser, and in the address of this page.'}
      </p>
    </div>
  );
}

function shortName({ name, title }: LabTemplate): string {
  const [head = title] = title.split(':');
  const code = /^(g|p4|pmp|otv)/.test(name)
    ? `${name.replace(/^(g\d?|p4|pmp|otv)/, (part) => part.toUpperCase())}: `
    : '';
  return code ? `${code}${head.toLowerCase()}` : title.replace(/^[^:]*: /, '');
}

function goTo(area: HTMLTextAreaElement | null, problem: Problem): void {
  const place = placeOf(problem);
  if (!area || !place) return;
  const before = area.value.split('\n').slice(0, place.line - 1);
  const start = before.join('\n').length + (before.length ? 1 : 0) + place.column - 1;
  area.focus();
  area.setSelectionRange(start, start + (problem.value?.length ?? 0));
  area.scrollTop = Math.max(0, (place.line - 6) * 18);
}

const LINES = 'num py-2 pr-3 text-2xs leading-[18px]';

function Editor({ area, problems }: { area: React.RefObject<HTMLTextAreaElement | null>; problems: Problem[] }) {
  const text = useLab((state) => state.text);
  const result = useLab((state) => state.result);
  const numbers = useRef<HTMLDivElement>(null);
  const behind = useRef<HTMLPreElement>(null);
  const wrong = new Map(
    problems.flatMap((problem) => placeOf(problem)?.line ?? []).map((line, at) => [line, problems[at]]),
  );
  // The line whose statement was taken last.
  const now = !problems.length && result?.step ? result.statements[result.step - 1]?.line : undefined;
  const lines = text.split('\n');
  return (
    <div className="flex min-h-0 flex-1 border-t border-line bg-bg">
      <div
        ref={numbers}
        aria-hidden
        className="num w-9 shrink-0 overflow-hidden py-2 pr-2 text-right text-2xs leading-[18px] text-ink-3"
      >
        {lines.map((_, at) => (
          <div
            // biome-ignore lint/suspicious/noArrayIndexKey: a line is its number
            key={at}
            data-testid={wrong.has(at + 1) ? 'lab-wrong-line' : undefined}
            className={
              wrong.has(at + 1) ? 'bg-bad font-semibold text-bg' : at + 1 === now ? 'font-semibold text-accent' : ''
            }
          >
            {at + 1}
          </div>
        ))}
      </div>
      <div className="relative min-h-0 min-w-0 flex-1">
        <pre
          ref={behind}
          aria-hidden
          className={`${LINES} pointer-events-none absolute inset-0 m-0 overflow-hidden whitespace-pre text-transparent`}
        >
          {lines.map((line, at) => {
            const problem = wrong.get(at + 1);
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: a line is its number
              <div key={at} className={at + 1 === now ? 'bg-accent-soft' : ''}>
                {problem ? <WrongLine line={line} problem={problem} /> : line || ' '}
              </div>
            );
          })}
        </pre>
        <textarea
          ref={area}
          data-testid="lab-script"
          aria-label="The script"
          aria-invalid={problems.length > 0}
          spellCheck={false}
          maxLength={SCRIPT_CHARACTERS_MAX}
          wrap="off"
          className={`${LINES} absolute inset-0 size-full resize-none whitespace-pre bg-transparent text-ink`}
          value={text}
          onChange={(event) => type(event.target.value)}
          onScroll={(event) => {
            const { scrollTop, scrollLeft } = event.currentTarget;
            if (numbers.current) numbers.current.scrollTop = scrollTop;
            if (behind.current) Object.assign(behind.current, { scrollTop, scrollLeft });
          }}
        />
      </div>
    </div>
  );
}

/** A line with its token underlined and what is wrong written after it. It lies behind the text, which is drawn by the editor. */
function WrongLine({ line, problem }: { line: string; problem: Problem }) {
  const start = (placeOf(problem)?.column ?? 1) - 1;
  const token = problem.value ?? ' ';
  return (
    <span data-testid="lab-wrong-token" data-token={token}>
      {line.slice(0, start)}
      <span className="bg-bad/25 underline decoration-bad decoration-wavy">
        {line.slice(start, start + token.length) || ' '}
      </span>
      {line.slice(start + token.length)}
      <span className="pl-3 font-sans text-2xs text-bad">{problem.message.replace(/^line \d+, column \d+: /, '')}</span>
    </span>
  );
}
