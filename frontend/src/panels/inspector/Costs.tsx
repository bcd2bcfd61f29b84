/** What the design costs an hour, by block, in neutral units. */

import { reveal } from '../../canvas/commands';
import { nameOf } from '../../lib/catalogue';
import { compact } from '../../lib/format';
import type { Live } from '../../run/live';
import { useLive } from '../../run/use-live';
import { useDesign } from '../../state/design';
import { useSession } from '../../state/session';

const SHOWN_MAX = 8;

/** Cost an hour of virtual time, averaged over the run up to now; undefined before there is any. */
function perHour(live: Live, block: string): number | undefined {
  const cost = live.value(block, 'cost');
  return cost === undefined || !live.frame?.t ? undefined : (cost * 3600e9) / live.frame.t;
}

/** The cost an hour of each block, in the drawing's order; it changes twice a second at most. */
function useCosts(): number[] {
  const blocks = useDesign((state) => state.design.blocks);
  const known = useLive((live) => blocks.map(({ id }) => `${(perHour(live, id) ?? 0).toPrecision(4)}`).join(' '), 500);
  return known.split(' ').map(Number);
}

/** What the whole design costs an hour, in a line. */
export function TotalCost() {
  return <>{compact(useCosts().reduce((sum, cost) => sum + cost, 0))} units/h</>;
}

/** The whole design's cost an hour, then the dearest blocks; the share of each is the bar behind it. */
export function Costs() {
  const blocks = useDesign((state) => state.design.blocks);
  const catalogue = useSession((state) => state.catalogue)!;
  const costs = useCosts();
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  const rows = blocks
    .map((block, index) => ({ block, cost: costs[index] ?? 0 }))
    .filter(({ cost }) => cost > 0)
    .sort((a, b) => b.cost - a.cost);
  return (
    <div data-testid="costs">
      <div className="flex items-baseline justify-between py-[3px] text-xs">
        <span className="text-ink-2">All of it, an hour</span>
        <b className="num font-medium" data-testid="cost-total" data-value={total}>
          {compact(total)} units
        </b>
      </div>
      <ul>
        {rows.slice(0, SHOWN_MAX).map(({ block, cost }) => (
          <li key={block.id}>
            <button
              type="button"
              onClick={() => reveal(block.id)}
              className="relative flex w-full items-baseline justify-between gap-3 rounded px-1 py-[3px] text-xs hover:bg-hover"
            >
              <span
                className="absolute inset-y-0.5 left-0 rounded-sm bg-accent-soft"
                style={{ width: `${(100 * cost) / total}%` }}
                aria-hidden
              />
              <span className="relative truncate text-ink-2">{nameOf(catalogue, block)}</span>
              <span className="num relative" data-testid={`cost-${block.id}`}>
                {compact(cost)}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <p className="mt-1 text-xs text-ink-3">
        Units are neutral: prices are each block’s own, in its group Cost. An average over the run so far.
        {rows.length > SHOWN_MAX && ` The ${rows.length - SHOWN_MAX} cheapest blocks are not listed.`}
      </p>
    </div>
  );
}
