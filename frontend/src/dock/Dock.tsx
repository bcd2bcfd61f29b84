/** Below the canvas: time, charts and events. */

import { useUi } from '../state/ui';
import { BlocksTable } from './BlocksTable';
import { Charts } from './Charts';
import { Feed } from './Feed';
import { Timeline } from './Timeline';

/** The dock. */
export function Dock() {
  const tab = useUi((state) => state.dockTab);
  return (
    <section
      aria-label="Time, charts and events"
      data-testid="dock"
      className="flex h-full flex-col border-t border-line bg-panel"
    >
      <div className="flex items-center border-b border-line">
        <div className="min-w-0 flex-1">
          <Timeline />
        </div>
        <div className="mr-2 flex rounded-md border border-line p-0.5" role="tablist" aria-label="Dock">
          {(['charts', 'table'] as const).map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              aria-selected={tab === name}
              data-testid={`dock-${name}`}
              onClick={() => useUi.setState({ dockTab: name })}
              className="rounded px-2 text-xs leading-6 text-ink-2 aria-selected:bg-hover aria-selected:text-ink"
            >
              {name === 'charts' ? 'Charts' : 'Table'}
            </button>
          ))}
        </div>
      </div>
      <div className="grid min-h-0 flex-1 grid-cols-[1fr_240px] xl:grid-cols-[1fr_320px]">
        <div className="min-h-0 min-w-0 border-r border-line">
          {tab === 'table' ? (
            <BlocksTable />
          ) : (
            <div className="grid h-full min-h-0 grid-cols-2 grid-rows-2 divide-line min-[1200px]:grid-cols-4 min-[1200px]:grid-rows-1 min-[1200px]:divide-x">
              <Charts />
            </div>
          )}
        </div>
        <Feed />
      </div>
    </section>
  );
}
