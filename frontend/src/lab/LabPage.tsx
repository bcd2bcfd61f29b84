/** The isolation lab: a script of concurrent transactions on the left, its schedule in the middle, what the database knows on the right. */

import { Tooltip } from 'radix-ui';
import { type ReactNode, useEffect } from 'react';
import { PRIMARY } from '../ui/looks';
import { Beside } from './Beside';
import { Findings } from './Findings';
import { DependencyGraph, WaitGraph } from './Graphs';
import { LabBar } from './LabBar';
import { Locks, ReadLocks } from './Locks';
import { Schedule } from './Schedule';
import { ScriptPanel } from './ScriptPanel';
import { boot, goTo, stepBy, total, useLab } from './store';
import { Versions } from './Versions';

/** The whole page, once the server has said what there is. */
export function LabPage() {
  const ready = useLab((state) => state.offer !== null);
  const failure = useLab((state) => state.failure);
  useKeys();
  if (failure) {
    return (
      <Notice>
        <p className="mb-3">{failure}</p>
        <button type="button" className={PRIMARY} onClick={() => void boot()}>
          Try again
        </button>
      </Notice>
    );
  }
  if (!ready) return <Notice>Loading the lab …</Notice>;
  return (
    <Tooltip.Provider delayDuration={350}>
      <div className="flex h-full flex-col overflow-hidden">
        <LabBar />
        <Panels />
      </div>
    </Tooltip.Provider>
  );
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

function Panels() {
  const view = useLab((state) => state.view);
  const stale = useLab((state) => state.problems.length > 0);
  return (
    <div className="flex min-h-0 flex-1 max-[1000px]:flex-col max-[1000px]:overflow-y-auto">
      <aside
        aria-label="Script"
        className="flex w-[330px] shrink-0 flex-col border-r border-line bg-panel max-[1000px]:h-[330px] max-[1000px]:w-full max-[1000px]:border-r-0 max-[1000px]:border-b min-[1700px]:w-[420px]"
      >
        <ScriptPanel />
      </aside>
      <main className="min-w-0 flex-1 overflow-auto bg-bg max-[1000px]:flex-none max-[1000px]:overflow-x-auto">
        {view === 'schedule' ? <Schedule /> : <Beside />}
      </main>
      <aside
        aria-label="What the database knows"
        data-stale={stale}
        className="data-[stale=true]:*:opacity-45 w-[372px] shrink-0 overflow-y-auto border-l border-line bg-panel max-[1000px]:w-full max-[1000px]:border-t max-[1000px]:border-l-0 min-[1700px]:w-[460px]"
      >
        <Findings />
        <DependencyGraph />
        <WaitGraph />
        <Versions />
        <Locks />
        <ReadLocks />
      </aside>
    </div>
  );
}

/** Arrows step, Home and End go to the ends, unless something is being typed. */
function useKeys(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input, textarea, select')) return;
      const { result, problems } = useLab.getState();
      if (!result || problems.length) return;
      if (event.key === 'ArrowRight') stepBy(1);
      else if (event.key === 'ArrowLeft') stepBy(-1);
      else if (event.key === 'Home') goTo(0);
      else if (event.key === 'End') goTo(total(result));
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
}
