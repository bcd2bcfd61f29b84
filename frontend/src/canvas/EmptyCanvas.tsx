/** What an empty canvas says: the three ways to begin. */

import { FolderOpen, MousePointer2, Play } from 'lucide-react';
import { openTemplate } from '../run/boot';
import { useDesign } from '../state/design';
import { useSession } from '../state/session';
import { toast, useUi } from '../state/ui';

/** Shown while nothing is drawn. */
export function EmptyCanvas() {
  const empty = useDesign((state) => state.design.blocks.length === 0);
  const coming = useSession((state) => state.phase === 'loading' || state.phase === 'starting' || state.adopt);
  if (!empty || coming) return null;
  return (
    <div className="pointer-events-none absolute inset-0 grid place-items-center p-6" data-testid="empty-canvas">
      <div className="pointer-events-auto max-w-sm rounded-xl border border-line bg-panel p-5 text-sm text-ink-2 shadow-lg">
        <h2 className="mb-2 text-base font-semibold text-ink">Draw a system</h2>
        <p className="mb-4">
          Take a client from the palette, give it something to call, and connect the dots on their edges. As soon as the
          drawing can run, Play sends real traffic through it.
        </p>
        <div className="flex flex-wrap gap-2">
          <button
            type="button"
            className="flex items-center gap-2 rounded-lg bg-accent px-3 py-1.5 font-medium text-accent-ink"
            onClick={() => openTemplate('catalogue').catch((error) => toast(String(error.message), 'bad'))}
          >
            <Play size={14} aria-hidden /> Watch the example
          </button>
          <button
            type="button"
            className="flex items-center gap-2 rounded-lg border border-line-strong px-3 py-1.5 text-ink hover:bg-hover"
            onClick={() => useUi.setState({ right: 'templates' })}
          >
            <FolderOpen size={14} aria-hidden /> Templates
          </button>
          <button
            type="button"
            className="flex items-center gap-2 rounded-lg border border-line-strong px-3 py-1.5 text-ink hover:bg-hover"
            onClick={() => {
              useUi.setState({ left: true });
              requestAnimationFrame(() => document.getElementById('palette-search')?.focus());
            }}
          >
            <MousePointer2 size={14} aria-hidden /> Add a block
          </button>
        </div>
      </div>
    </div>
  );
}
