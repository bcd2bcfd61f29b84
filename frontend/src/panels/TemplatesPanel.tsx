/** Designs to begin with. */

import { Play } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { TemplateSummary } from '../generated/protocol';
import { getTemplates } from '../lib/api';
import { openDesign, openTemplate } from '../run/boot';
import { toast } from '../state/ui';
import { BUTTON } from '../ui/looks';
import { PanelHead } from './PanelHead';

/** The gallery as a panel. */
export function TemplatesPanel() {
  const [templates, setTemplates] = useState<TemplateSummary[] | null>(null);
  const [opening, setOpening] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    getTemplates().then(setTemplates, (error: Error) => setProblem(error.message));
  }, []);
  const open = async (name: string) => {
    setOpening(name);
    try {
      await openTemplate(name);
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), 'bad');
    }
    setOpening(null);
  };
  return (
    <div data-testid="templates-panel">
      <PanelHead title="Templates" />
      <div className="flex items-start gap-3 px-3.5 pb-2">
        <p className="flex-1 text-xs text-ink-2">
          Each opens running. Change anything: it becomes a design of your own.
        </p>
        <button type="button" className={BUTTON} data-testid="template-empty" onClick={() => openDesign()}>
          Empty canvas
        </button>
      </div>
      {problem && <p className="px-3.5 text-sm text-bad">{problem}</p>}
      {!templates && !problem && <p className="px-3.5 text-sm text-ink-2">Loading …</p>}
      <ul className="flex flex-col px-2">
        {templates?.map((template) => (
          <li key={template.name}>
            <button
              type="button"
              data-testid={`template-${template.name}`}
              disabled={opening !== null}
              onClick={() => open(template.name)}
              className="group flex w-full items-start gap-2.5 rounded-lg px-2 py-2.5 text-left hover:bg-hover disabled:opacity-50"
            >
              <Play size={14} className="mt-0.5 shrink-0 text-accent" aria-hidden />
              <span>
                <span className="block text-sm font-semibold">{template.title}</span>
                <span className="block text-xs leading-relaxed text-ink-2">{template.summary}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
