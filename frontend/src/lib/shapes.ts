/** Small shapes as polygons, so that the canvas and the legends beside it draw the same ones. Even-odd: a ring is two polygons. */

/** Points of a polygon, x and y in turn. */
export type Polygon = readonly number[];
/** Polygons that are filled together, by the even-odd rule. */
export type Shape = readonly Polygon[];

/** What a shape is traced onto: a canvas path, or the recorder of {@link svgPath}. */
export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  closePath(): void;
}

/** Adds `shape` to `pen`: its unit becomes `size`, its origin (x, y). */
export function traceShape(pen: Pen, shape: Shape, x: number, y: number, size: number): void {
  for (const polygon of shape) {
    pen.moveTo(x + polygon[0]! * size, y + polygon[1]! * size);
    for (let at = 2; at < polygon.length; at += 2) pen.lineTo(x + polygon[at]! * size, y + polygon[at + 1]! * size);
    pen.closePath();
  }
}

/** `shape` as the `d` of an SVG path with the same size and origin; fill it with the even-odd rule. */
export function svgPath(shape: Shape, x: number, y: number, size: number): string {
  const parts: string[] = [];
  const place = (letter: string) => (px: number, py: number) => {
    parts.push(`${letter}${px.toFixed(2)} ${py.toFixed(2)}`);
  };
  traceShape({ moveTo: place('M'), lineTo: place('L'), closePath: () => void parts.push('Z') }, shape, x, y, size);
  return parts.join('');
}

/** An axis-aligned rectangle. */
export function rectangle(left: number, top: number, right: number, bottom: number): Polygon {
  return [left, top, right, top, right, bottom, left, bottom];
}

/** A circle around (x, y) as a polygon with enough corners for a few pixels; `from` and `to` (turns) leave a part out. */
export function circle(x: number, y: number, radius: number, from = 0, to = 1): Polygon {
  const corners = Math.max(4, Math.round(12 * (to - from)));
  const whole = to - from >= 1;
  const points: number[] = [];
  for (let corner = 0; corner < corners + (whole ? 0 : 1); corner++) {
    const angle = 2 * Math.PI * (from + ((to - from) * corner) / corners);
    points.push(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
  }
  return points;
}

/** A part of a ring around the origin, `from` and `to` in turns. */
export function arc(outer: number, inner: number, from: number, to: number): Polygon {
  const out = circle(0, 0, outer, from, to);
  const back = circle(0, 0, inner, from, to);
  const points = [...out];
  for (let at = back.length - 2; at >= 0; at -= 2) points.push(back[at]!, back[at + 1]!);
  return points;
}
