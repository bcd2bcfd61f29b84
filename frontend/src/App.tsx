/** The page: top bar, palette, canvas, the panel on the right, the dock. */

import { ReactFlowProvider } from '@xyflow/react';
import { Tooltip } from 'radix-ui';
import { type ReactNode, useEffect } from 'react';
import { Canvas } from './canvas/Canvas';
import { Dock } from './dock/Dock';
import { useShortcuts } from './lib/shortcuts';
import { Announcer } from './panels/Announcer';
import { Banner } from './panels/Banner';
import { CommandPalette, ConnectList } from './panels/Commands';
import { ContextMenu } from './panels/ContextMenu';
import { Inspector } from './panels/Inspector';
import { JsonPanel } from './panels/JsonPanel';
import { Palette } from './panels/Palette';
import { ResultsPanel } from './panels/ResultsPanel';
import { ScenarioPanel } from './panels/ScenarioPanel';
import { TemplatesPanel } from './panels/TemplatesPanel';
import { Toasts } from './panels/Toasts';
import { TopBar } from './panels/TopBar';
import { TracePanel } from './panels/TracePanel';
import { boot } from './run/boot';
import { useDesign } from './state/design';
import { useSession } from './state/session';
import { type RightPanel, useUi } from './state/ui';
import { PRIMARY } from './ui/looks';

const PANELS: Record<RightPanel, () => ReactNode> = {
  inspector: Inspector,
  json: JsonPanel,
  templates: TemplatesPanel,
  trace: TracePanel,
  results: ResultsPanel,
};

/** The whole page, once the catalogue is there; until then what it waits for. */
export function App() {
  const phase = useSession((state) => state.phase);
  const loaded = useSession((state) => state.catalogue !== null);
  const failure = useSession((state) => state.failure);
  useTitle();
  if (phase === 'failed') {
    return (
      <Notice>
        <p className="mb-3">{failure}</p>
        <div className="flex justify-center gap-2">
          <button type="button" className={PRIMARY} onClick={() => void boot()}>
            Try again
          </button>
          <a className="px-2.5 py-1 text-sm underline" href="/">
            Start from the beginning
          </a>
        </div>
      </Notice>
    );
  }
  if (!loaded) return <Notice>Loading the playground …</Notice>;
  return <Page />;
}

function Notice({ children }: { children: ReactNode }) {
  return (
    <main className="grid h-full place-items-center text-sm text-ink-2">
      <div className="max-w-md text-center" role="status">
        {children}
      </div>
    </main>
  );
}

function useTitle(): void {
  const name = useDesign((state) => state.design.name);
  useEffect(() => {
    document.title = `${name} · Playground`;
  }, [name]);
}

function Page() {
  const left = useUi((state) => state.left);
  const right = useUi((state) => state.right);
  const dock = useUi((state) => state.dock);
  const Panel = right && PANELS[right];
  useShortcuts();
  return (
    <Tooltip.Provider delayDuration={350}>
      <ReactFlowProvider>
        <div className="flex h-full flex-col overflow-hidden">
          <TopBar />
          <div className="relative flex min-h-0 flex-1">
            {left && (
              <aside
                aria-label="Blocks"
                className="z-10 w-[200px] shrink-0 border-r border-line bg-panel max-[900px]:absolute max-[900px]:inset-y-0 max-[900px]:left-0 max-[900px]:shadow-xl"
              >
                <Palette />
              </aside>
            )}
            <main className="@container flex min-w-0 flex-1">
              <div className="flex min-w-0 flex-1 flex-col max-[800px]:flex-col-reverse @min-[940px]:flex-row">
                <ScenarioPanel />
                <div className="canvas-area relative min-h-0 min-w-0 flex-1">
                  <Canvas />
                  <div className="pointer-events-none absolute inset-0 z-10">
                    <Banner />
                    <Toasts />
                  </div>
                </div>
              </div>
            </main>
            {Panel && (
              <aside
                aria-label="Inspector"
                data-testid="right-panel"
                className="z-10 w-[320px] shrink-0 overflow-y-auto border-l border-line bg-panel max-[1100px]:absolute max-[1100px]:inset-y-0 max-[1100px]:right-0 max-[1100px]:shadow-xl data-[wide=true]:w-[420px]"
                data-wide={right === 'json'}
              >
                <Panel />
              </aside>
            )}
          </div>
          {dock && (
            <div className="h-[236px] shrink-0 max-[1199px]:h-[300px]">
              <Dock />
            </div>
          )}
        </div>
        <ContextMenu />
        <CommandPalette />
        <ConnectList />
        <Announcer />
      </ReactFlowProvider>
    </Tooltip.Provider>
  );
}
