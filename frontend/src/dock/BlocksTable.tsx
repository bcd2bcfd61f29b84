/** All blocks as a table: the canvas for those who don't see it, and a way to compare. */

import { memo } from 'react';
import { cardOf } from '../canvas/card';
import { reveal } from '../canvas/commands';
import { liveHealth, readingText } from '../canvas/overlay/figures';
import type { Block } from '../generated/protocol';
import { nameOf, specOf } from '../lib/catalogue';
import { count, withUnit } from '../lib/format';
import { HEALTH_WORDS } from '../lib/health';
import { useLive } from '../run/use-live';
import { useDesign } from '../state/design';
import { useSession } from '../state/session';
import { useUi } from '../state/ui';

const EVERY_MS = 500;

/** The table of the dock. */
export function BlocksTable() {
  const blocks = useDesign((state) => state.design.blocks);
  return (
    <div className="h-full overflow-auto" data-testid="blocks-table">
      <table className="w-full border-collapse text-xs">
        <thead className="sticky top-0 bg-panel text-left text-ink-2">
          <tr>
            {['Block', 'Kind', 'State', 'Offered', 'Completed', 'Failed', 'In flight', 'Queue', 'Headline'].map(
              (title) => (
                <th key={title} scope="col" className="border-b border-line px-3 py-1.5 font-medium">
                  {title}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {blocks.map((block) => (
            <Row key={block.id} block={block} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

const Row = memo(function Row({ block }: { block: Block }) {
  const catalogue = useSession((state) => state.catalogue)!;
  const selected = useUi((state) => state.selected.has(block.id));
  const state = useLive((live) => HEALTH_WORDS[live.frame ? liveHealth(live, block.id) : 'idle'], EVERY_MS);
  const offered = useLive((live) => withUnit(live.rate(block.id, 'offered'), 'per_s'), EVERY_MS);
  const completed = useLive((live) => withUnit(live.rate(block.id, 'completed'), 'per_s'), EVERY_MS);
  const failed = useLive((live) => withUnit(live.rate(block.id, 'failed'), 'per_s'), EVERY_MS);
  const flight = useLive((live) => count(live.value(block.id, 'in_flight') ?? Number.NaN), EVERY_MS);
  const queue = useLive((live) => count(live.value(block.id, 'queue') ?? Number.NaN), EVERY_MS);
  const headline = useLive(
    (live) =>
      cardOf(catalogue, block.kind)
        .rows.map((row) => `${row.metric.label.toLowerCase()} ${readingText(live, block.id, row.metric, row.full)}`)
        .join('  '),
    EVERY_MS,
  );
  return (
    <tr data-testid={`row-${block.id}`} className={`hover:bg-hover ${selected ? 'bg-accent-soft' : ''}`}>
      <th scope="row" className="px-3 py-1 text-left font-medium">
        <button type="button" className="hover:underline" onClick={() => reveal(block.id)}>
          {nameOf(catalogue, block)}
        </button>
      </th>
      <td className="px-3 py-1 text-ink-2">{specOf(catalogue, block.kind)?.title ?? block.kind}</td>
      <td className="px-3 py-1" data-testid={`row-state-${block.id}`}>
        {state}
      </td>
      {[offered, completed, failed, flight, queue, headline].map((text, index) => (
        // Cells are columns: their place is their identity.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <td key={index} className="num whitespace-pre px-3 py-1">
          {text}
        </td>
      ))}
    </tr>
  );
});
