/** Everything that can be put on the canvas: by click, by drag, by Enter. */

import { Search } from 'lucide-react';
import { useState } from 'react';
import { addBlock, BLOCK_MIME } from '../canvas/commands';
import type { BlockSpec } from '../generated/protocol';
import { CATEGORIES, foundKinds } from '../lib/catalogue';
import { BlockIcon } from '../lib/icons';
import { useSession } from '../state/session';
import { FIELD } from '../ui/looks';

/** The palette on the left. */
export function Palette() {
  const catalogue = useSession((state) => state.catalogue)!;
  const [query, setQuery] = useState('');
  const found = foundKinds(catalogue.blocks, query);
  return (
    <nav aria-label="Palette" data-testid="palette" className="flex h-full flex-col overflow-hidden">
      <div className="relative p-2.5">
        <Search size={14} className="absolute left-5 top-[19px] text-ink-3" aria-hidden />
        <input
          id="palette-search"
          data-testid="palette-search"
          className={`${FIELD} w-full pl-8`}
          placeholder="Add a block"
          aria-label="Search blocks to add"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && found[0]) {
              addBlock(found[0].kind);
              setQuery('');
            }
            if (event.key === 'Escape') event.currentTarget.blur();
          }}
        />
        <kbd className="num absolute right-5 top-[17px] text-2xs text-ink-2">/</kbd>
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto px-2.5 pb-3">
        {CATEGORIES.map((category) => {
          const specs = found.filter((spec) => spec.category === category);
          if (!specs.length) return null;
          return (
            <section key={category} aria-label={category} className="mb-1.5">
              <h2 className="px-1.5 pb-1 pt-1.5 text-xs font-semibold text-ink-3">{category}</h2>
              {specs.map((spec) => (
                <Entry key={spec.kind} spec={spec} />
              ))}
            </section>
          );
        })}
        {!found.length && (
          <p className="px-1.5 py-3 text-xs text-ink-2">
            No block is called “{query}”.{' '}
            <button type="button" className="text-accent underline" onClick={() => setQuery('')}>
              Show all
            </button>
          </p>
        )}
      </div>
    </nav>
  );
}

function Entry({ spec }: { spec: BlockSpec }) {
  return (
    <button
      type="button"
      draggable
      data-testid={`palette-${spec.kind}`}
      title={spec.summary}
      aria-label={`Add ${spec.title}: ${spec.summary}`}
      onClick={() => addBlock(spec.kind)}
      onDragStart={(event) => {
        event.dataTransfer.setData(BLOCK_MIME, spec.kind);
        event.dataTransfer.effectAllowed = 'copy';
      }}
      className="flex w-full cursor-grab items-center gap-2.5 rounded-lg px-1.5 py-1 text-left text-sm hover:bg-hover active:cursor-grabbing"
    >
      <span className="grid size-6 shrink-0 place-items-center rounded-md border border-line bg-raised text-ink-2">
        <BlockIcon name={spec.icon} size={14} />
      </span>
      {spec.title}
    </button>
  );
}
