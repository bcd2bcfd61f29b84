/** The design as text beside the drawing. Both are edited; neither is a copy. */

import { useEffect, useMemo, useRef, useState } from 'react';
import type { Design, Problem } from '../generated/protocol';
import { checkText, syntaxProblems } from '../lib/api';
import { completed, designProblems, locate, parseText } from '../lib/json-text';
import { edit, useDesign } from '../state/design';
import { PanelHead } from './PanelHead';

const QUIET_MS = 450;

interface Said {
  message: string;
  line: number | null;
  /** Whether the text could not be taken over into the drawing. */
  stops: boolean;
}

function asText(design: Design): string {
  return JSON.stringify(design, null, 2);
}

function said(text: string, problem: Problem, stops: boolean): Said {
  return { message: problem.message, line: locate(text, problem), stops };
}

/** The JSON panel. */
export function JsonPanel() {
  const design = useDesign((state) => state.design);
  const drawn = useMemo(() => asText(design), [design]);
  const [typed, setTyped] = useState<string | null>(null);
  const [problems, setProblems] = useState<Said[]>([]);
  const area = useRef<HTMLTextAreaElement>(null);
  const text = typed ?? drawn;

  useEffect(() => {
    if (typed === null) return;
    let over = false;
    const timer = setTimeout(async () => {
      const found = await takeOver(typed);
      if (over) return;
      setProblems(found);
      // Once the drawing says the same, its text is what is shown, unless it is still being typed.
      if (!found.some((entry) => entry.stops) && document.activeElement !== area.current) setTyped(null);
    }, QUIET_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [typed]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: an edit on the canvas makes the text new, unless it holds something unfinished
  useEffect(() => {
    if (document.activeElement !== area.current && !problems.some((entry) => entry.stops)) {
      setTyped(null);
      setProblems([]);
    }
  }, [drawn]);

  return (
    <div className="flex h-full flex-col" data-testid="json-panel">
      <PanelHead title="Design as JSON" />
      <Editor
        area={area}
        text={text}
        marked={problems.flatMap((entry) => entry.line ?? [])}
        onChange={setTyped}
        onLeave={() => {
          if (!problems.length) setTyped(null);
        }}
      />
      <div
        className="max-h-40 min-h-9 overflow-y-auto border-t border-line px-3.5 py-2 text-xs"
        role="status"
        data-testid="json-problems"
      >
        {!problems.length && <span className="text-ink-2">Text and drawing say the same.</span>}
        {problems.map((entry) => (
          <button
            key={`${entry.line}-${entry.message}`}
            type="button"
            className={`block w-full text-left ${entry.stops ? 'text-bad' : 'text-ink-2'}`}
            onClick={() => entry.line && goToLine(area.current, entry.line)}
          >
            {entry.line !== null && <span className="num">line {entry.line}: </span>}
            {entry.message}
          </button>
        ))}
      </div>
    </div>
  );
}

/** Puts `text` onto the canvas where it can be drawn; gives everything that is wrong with it. */
async function takeOver(text: string): Promise<Said[]> {
  const parsed = parseText(text);
  if ('problem' in parsed) return syntax(text, parsed.problem);
  const shape = designProblems(parsed.value);
  if (shape.length) return shape.map((problem) => said(text, problem, true));
  const checked = await checkText(text).catch(() => null);
  const next = completed(parsed.value as Record<string, unknown>) as unknown as Design;
  edit((design) => (JSON.stringify(design) === JSON.stringify(next) ? design : next));
  return (checked?.problems ?? []).map((problem) => said(text, problem, false));
}

/** What the server's parser says about text that is no JSON: it names line and column. */
async function syntax(text: string, otherwise: string): Promise<Said[]> {
  const problems = await syntaxProblems(text);
  return problems.length
    ? problems.map((problem) => said(text, problem, true))
    : [{ message: otherwise, line: null, stops: true }];
}

function goToLine(area: HTMLTextAreaElement | null, line: number): void {
  if (!area) return;
  const lines = area.value.split('\n');
  const start = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  area.scrollTop = Math.max(0, (line - 6) * 18);
}

function Editor({
  area,
  text,
  marked,
  onChange,
  onLeave,
}: {
  area: React.RefObject<HTMLTextAreaElement | null>;
  text: string;
  marked: number[];
  onChange: (text: string) => void;
  onLeave: () => void;
}) {
  const numbers = useRef<HTMLDivElement>(null);
  const lines = text.split('\n').length;
  const marks = new Set(marked);
  return (
    <div className="flex min-h-0 flex-1 border-t border-line bg-bg">
      <div
        ref={numbers}
        aria-hidden
        className="num w-10 shrink-0 overflow-hidden py-2 pr-2 text-right text-2xs leading-[18px] text-ink-3"
      >
        {Array.from({ length: lines }, (_, index) => index + 1).map((line) => (
          <div key={line} className={marks.has(line) ? 'bg-bad font-semibold text-bg' : ''}>
            {line}
          </div>
        ))}
      </div>
      <textarea
        ref={area}
        data-testid="json"
        aria-label="The design as JSON"
        spellCheck={false}
        className="num min-h-0 flex-1 resize-none whitespace-pre bg-transparent py-2 pr-2 text-2xs leading-[18px] text-ink"
        value={text}
        onChange={(event) => onChange(event.target.value)}
        onBlur={onLeave}
        onScroll={(event) => {
          if (numbers.current) numbers.current.scrollTop = event.currentTarget.scrollTop;
        }}
        onKeyDown={(event) => event.stopPropagation()}
      />
    </div>
  );
}
