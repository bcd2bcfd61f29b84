/** What the design costs an hour, by block, in neutral units. */

import { reveal } from '../../canvas/commands';
import { nameOf } from '../../lib/catalogue';
import { compact } from '../../lib/format';
import { useLive } from '../../run/use-live';
import { useDesign } from '../../state/design';
import { useSession } from '../../state/session';

const SHOWN_MAX = 8;

/** The cost an hour of each block as it runs now, in the drawing's order, NaN where it is not known; it changes twice a second at most. */
function useCosts(): number[] {
  const blocks = useDesign((state) => state.design.blocks);
  const known = useLive(
    (live) => blocks.map(({ id }) => `${(live.costPerHour(id) ?? Number.NaN).toPrecision(4)}`).join(' '),
    500,
  );
  return known.split(' ').map(Number);
}

/** All of them together, NaN as long as none is known. */
function sumOf(costs: number[]): number {
  const known = costs.filter(Number.isFinite);
  return known.length ? known.reduce((sum, cost) => sum + cost, 0) : Number.NaN;
}

/** What the whole design costs an hour as it runs now, in a line. */
export function TotalCost() {
  return <>{compact(sumOf(useCosts()))} units/h</>;
}

/** The whole design's cost an hour now and in all so far, then the dearest blocks; the share of each is the bar behind it. */
export function Costs() {
  const blocks = useDesign((state) => state.design.blocks);
  const catalogue = useSession((state) => state.catalogue)!;
  const costs = useCosts();
  const total = sumOf(costs);
  const spent = useLive((live) => compact(live.frame?.totals.cost ?? Number.NaN), 500);
  const rows = blocks
    .map((block, index) => ({ block, cost: costs[index] ?? 0 }))
    .filter(({ cost }) => cost > 0)
    .sort((a, b) => b.cost - a.cost);
  return (
    <div data-testid="costs">
      <div className="flex items-baseline justify-between py-[3px] text-xs">
        <span className="text-ink-2">All of it now, an hour</span>
        <b className="num font-medium" data-testid="cost-total" data-value={total || 0}>
          {compact(total)} units
        </b>
      </div>
      <div className="flex items-baseline justify-between py-[3px] text-xs">
        <span className="text-ink-2">Spent since the start</span>
        <span className="num" data-testid="cost-spent">
          {spent} units
        </span>
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
        Units are neutral: prices are each block’s own, in its group Cost. Now is the last second or so; what was spent
        is spent, by blocks that were deleted too.
        {rows.length > SHOWN_MAX && ` The ${rows.length - SHOWN_MAX} cheapest blocks are not listed.`}
      </p>
    </div>
  );
}
