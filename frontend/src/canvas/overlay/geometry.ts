/** The curves that calls travel along: the same Béziers as React Flow draws, cut into pieces of equal length. */

const PIECES = 28;
const CURVATURE = 0.25;

/** An edge's path as points at equal distances, x and y in turn. */
export interface Curve {
  sx: number;
  sy: number;
  tx: number;
  ty: number;
  c1x: number;
  c2x: number;
  length: number;
  points: Float32Array;
}

function reach(distance: number): number {
  return distance >= 0 ? 0.5 * distance : CURVATURE * 25 * Math.sqrt(-distance);
}

function bezier(a: number, b: number, c: number, d: number, u: number): number {
  const v = 1 - u;
  return v * v * v * a + 3 * v * v * u * b + 3 * v * u * u * c + u * u * u * d;
}

/** The curve from a right-hand port at (sx, sy) to a left-hand port at (tx, ty). */
export function curveBetween(sx: number, sy: number, tx: number, ty: number): Curve {
  const c1x = sx + reach(tx - sx);
  const c2x = tx - reach(tx - sx);
  const fine = PIECES * 3;
  const xs = new Float32Array(fine + 1);
  const ys = new Float32Array(fine + 1);
  const walked = new Float32Array(fine + 1);
  for (let index = 0; index <= fine; index++) {
    const u = index / fine;
    xs[index] = bezier(sx, c1x, c2x, tx, u);
    ys[index] = bezier(sy, sy, ty, ty, u);
    if (index)
      walked[index] = walked[index - 1]! + Math.hypot(xs[index]! - xs[index - 1]!, ys[index]! - ys[index - 1]!);
  }
  const length = walked[fine]!;
  const points = new Float32Array((PIECES + 1) * 2);
  let at = 0;
  for (let piece = 0; piece <= PIECES; piece++) {
    const wanted = (length * piece) / PIECES;
    while (at < fine - 1 && walked[at + 1]! < wanted) at += 1;
    const span = walked[at + 1]! - walked[at]!;
    const part = span > 0 ? Math.min(1, (wanted - walked[at]!) / span) : 0;
    points[piece * 2] = xs[at]! + (xs[at + 1]! - xs[at]!) * part;
    points[piece * 2 + 1] = ys[at]! + (ys[at + 1]! - ys[at]!) * part;
  }
  return { sx, sy, tx, ty, c1x, c2x, length, points };
}

/** Writes the point at `u` (0 the caller, 1 the callee), moved sideways by `aside`, into `out`. */
export function pointAt(curve: Curve, u: number, aside: number, out: { x: number; y: number }): void {
  const position = Math.max(0, Math.min(PIECES - 0.001, u * PIECES));
  const index = Math.floor(position);
  const part = position - index;
  const { points } = curve;
  const x0 = points[index * 2]!;
  const y0 = points[index * 2 + 1]!;
  const dx = points[index * 2 + 2]! - x0;
  const dy = points[index * 2 + 3]! - y0;
  const size = Math.hypot(dx, dy) || 1;
  out.x = x0 + dx * part - (dy / size) * aside;
  out.y = y0 + dy * part + (dx / size) * aside;
}

/** Adds the curve to the context's path. */
export function trace(context: CanvasRenderingContext2D, curve: Curve): void {
  context.moveTo(curve.sx, curve.sy);
  context.bezierCurveTo(curve.c1x, curve.sy, curve.c2x, curve.ty, curve.tx, curve.ty);
}
