/** The bar on top: the document on the left, the run in the middle, how it does and what can be opened on the right. */

import {
  Braces,
  ChartLine,
  FlaskConical,
  LayoutTemplate,
  Menu,
  Moon,
  PanelBottom,
  PanelLeft,
  PanelRight,
  Sun,
} from 'lucide-react';
import { useState } from 'react';
import { edit, useDesign } from '../state/design';
import { useSession } from '../state/session';
import { setTheme, togglePanel, useUi } from '../state/ui';
import { IconButton } from '../ui/IconButton';
import { DocumentMenu } from './DocumentMenu';
import { EngineNote } from './EngineNote';
import { RunControls } from './RunControls';
import { ShareMenu } from './ShareMenu';
import { Verdicts } from './Verdicts';

/** The top bar. */
export function TopBar() {
  return (
    <header className="flex h-12 items-center gap-3 border-b border-line bg-panel px-2.5">
      <div className="flex min-w-0 flex-1 xl:flex-2 items-center gap-1.5">
        <DocumentMenu trigger={<Menu size={16} aria-hidden />} />
        <DesignName />
        <ShareMenu />
        <LabLink />
      </div>
      <RunControls />
      <div className="flex min-w-0 flex-1 xl:flex-3 items-center justify-end gap-2">
        <Verdicts />
        <EngineNote />
        <PanelButtons />
      </div>
    </header>
  );
}

function LabLink() {
  return (
    <a
      href="/lab"
      data-testid="lab-link"
      title="Isolation lab: concurrent transactions, statement by statement"
      aria-label="Isolation lab"
      className="grid size-7 shrink-0 place-items-center rounded-md text-ink-2 hover:bg-hover hover:text-ink"
    >
      <FlaskConical size={16} aria-hidden />
    </a>
  );
}

function DesignName() {
  const name = useDesign((state) => state.design.name);
  const [typed, setTyped] = useState<string | null>(null);
  const forked = useSession((state) => state.forkedFrom);
  const coming = useSession((state) => state.phase === 'loading' || state.adopt);
  return (
    <>
      <input
        data-testid="design-name"
        aria-label="Name of the design"
        className="min-w-24 max-w-72 truncate [field-sizing:content] rounded-md border border-transparent bg-transparent px-1.5 py-1 text-sm font-semibold text-ink hover:border-line-strong focus:border-accent"
        placeholder="Opening …"
        value={typed ?? (coming ? '' : name)}
        maxLength={200}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={() => {
          if (typed?.trim() && typed !== name) edit((design) => ({ ...design, name: typed.trim() }));
          setTyped(null);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') event.currentTarget.blur();
          if (event.key === 'Escape') {
            setTyped(null);
            event.currentTarget.blur();
          }
        }}
      />
      {forked && (
        <a
          href={`/s/${forked}`}
          className="hidden text-xs text-ink-2 underline lg:inline"
          title="The shared design that this one began as"
        >
          fork
        </a>
      )}
    </>
  );
}

function PanelButtons() {
  const { left, right, dock, dark } = useUi();
  const inspector = right === 'inspector' || right === 'trace';
  return (
    <div className="flex items-center" role="toolbar" aria-label="Panels">
      <IconButton
        label="Templates"
        testId="open-templates"
        pressed={right === 'templates'}
        onClick={() => togglePanel('templates')}
        icon={<LayoutTemplate size={16} />}
      />
      <IconButton
        label="Results"
        testId="open-results"
        pressed={right === 'results'}
        onClick={() => togglePanel('results')}
        icon={<ChartLine size={16} />}
      />
      <IconButton
        label="JSON beside the drawing"
        testId="open-json"
        pressed={right === 'json'}
        onClick={() => togglePanel('json')}
        icon={<Braces size={16} />}
      />
      <span className="mx-1 h-5 w-px bg-line" />
      <IconButton
        label="Palette"
        testId="toggle-palette"
        pressed={left}
        onClick={() => useUi.setState({ left: !left })}
        icon={<PanelLeft size={16} />}
      />
      <IconButton
        label="Charts and events"
        testId="toggle-dock"
        pressed={dock}
        onClick={() => useUi.setState({ dock: !dock })}
        icon={<PanelBottom size={16} />}
      />
      <IconButton
        label="Inspector"
        testId="toggle-inspector"
        pressed={inspector}
        onClick={() => useUi.setState({ right: inspector ? null : 'inspector' })}
        icon={<PanelRight size={16} />}
      />
      <IconButton
        label={dark ? 'Light colours' : 'Dark colours'}
        testId="theme"
        onClick={() => setTheme(dark ? 'light' : 'dark')}
        icon={dark ? <Sun size={16} /> : <Moon size={16} />}
      />
    </div>
  );
}
