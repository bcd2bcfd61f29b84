/** A small shape of the canvas, for the legends that explain it. */

import { cssColour, type Role } from '../lib/cells';
import { type Shape, svgPath } from '../lib/shapes';

/** `shapes` as the canvas draws them: each in its role's colour, around the origin (`centred`) or in a unit square. */
export function ShapeIcon({
  shapes,
  scale,
  centred = false,
}: {
  shapes: { shape: Shape; role: Role | 'ink' }[];
  scale: number;
  centred?: boolean;
}) {
  const offset = centred ? 8 : (16 - scale) / 2;
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" className="shrink-0">
      {shapes.map(({ shape, role }) => {
        const d = svgPath(shape, offset, offset, scale);
        return <path key={d} d={d} fillRule="evenodd" fill={role === 'ink' ? 'var(--ink)' : cssColour(role)} />;
      })}
    </svg>
  );
}
