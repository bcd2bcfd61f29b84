/** What the cells on a block's card mean, and how many there are of each. */

import type { ReactNode } from 'react';
import type { Cells } from '../../generated/protocol';
import { CELL_ROLES, CELL_SHAPES, cellCounts, MARK_SHAPE, stateLabels } from '../../lib/cells';
import { count } from '../../lib/format';
import { useLive } from '../../run/use-live';
import { useDesign } from '../../state/design';
import { useSession } from '../../state/session';
import { ShapeIcon } from '../../ui/ShapeIcon';

/** Every state as it is drawn, with its name and the number of cells in it now. */
export function CellLegend({ block, cells }: { block: string; cells: Cells }) {
  const catalogue = useSession((state) => state.catalogue)!;
  const design = useDesign((state) => state.design);
  const labels = stateLabels(catalogue, design, block, cells);
  const states = cells.states.length;
  const counted = useLive((live) => {
    const now = live.cells(block);
    if (!now) return '';
    const { of, marked } = cellCounts(now, states);
    return [...of, marked].join(' ');
  });
  const numbers = counted ? counted.split(' ').map(Number) : [];
  const numberOf = (index: number) => count(numbers[index] ?? Number.NaN);
  return (
    <div data-testid="cells">
      <p className="mb-1.5 text-xs leading-relaxed text-ink-2">{cells.help}</p>
      <dl>
        {cells.states.map((state, index) => {
          const label = labels[index];
          if (!label) return null;
          return (
            <Row key={state.name} testId={`cells-${state.name}`} label={label} number={numberOf(index)}>
              <ShapeIcon shapes={[{ shape: CELL_SHAPES[state.look], role: CELL_ROLES[state.look] }]} scale={11} />
            </Row>
          );
        })}
        {cells.marked && (
          <Row testId="cells-marked" label={cells.marked} number={numberOf(states)}>
            <ShapeIcon shapes={[{ shape: MARK_SHAPE, role: 'ink' }]} scale={9} />
          </Row>
        )}
      </dl>
    </div>
  );
}

function Row({
  testId,
  label,
  number,
  children,
}: {
  testId: string;
  label: string;
  number: string;
  children: ReactNode;
}) {
  return (
    <div className="flex items-center gap-2 py-[3px] text-xs">
      {children}
      <dt className="flex-1 text-ink-2">{label}</dt>
      <dd className="num" data-testid={testId}>
        {number}
      </dd>
    </div>
  );
}
