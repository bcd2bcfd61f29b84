/** Where the nodes and edges of a small directed graph go: nodes on a circle (two of them side by side), edges as curves. */

/** An edge with its kind and what to write beside it. */
export interface Edge {
  from: string;
  to: string;
  kind: string;
  label: string;
}

/** A drawn graph. Coordinates are pixels of a picture `width` by `height`. */
export interface Picture {
  width: number;
  height: number;
  nodes: { name: string; x: number; y: number }[];
  edges: (Edge & { path: string; x: number; y: number })[];
}

interface Point {
  x: number;
  y: number;
}

/** An edge before it has its place: `x`, `y` are of its label. */
type Curve = Edge & Point & { path: { start: Point; control: Point; end: Point } };

const round = (value: number) => Math.round(value * 10) / 10;

export const RADIUS = 17;
const WIDTH = 340;
const BEND = 24;
const BEND_MORE = 24;
const TIP = 7;
const CIRCLE = 92;
const LABEL = 12;

function places(names: readonly string[]): Picture['nodes'] {
  if (names.length <= 2) {
    const xs = names.length === 1 ? [WIDTH / 2] : [46, WIDTH - 46];
    return names.map((name, at) => ({ name, x: xs[at]!, y: 0 }));
  }
  const angle = (at: number) => -Math.PI / 2 + (2 * Math.PI * at) / names.length;
  return names.map((name, at) => ({
    name,
    x: WIDTH / 2 + 1.25 * CIRCLE * Math.cos(angle(at)),
    y: CIRCLE * Math.sin(angle(at)),
  }));
}

/** Lays a graph out. Edges that go the same way are bent further and further; those that come back lie on the other side. */
export function picture(names: readonly string[], edges: readonly Edge[]): Picture {
  const nodes = places(names);
  const at = new Map(nodes.map((node) => [node.name, node]));
  const count = new Map<string, number>();
  const drawn: Curve[] = [];
  for (const edge of edges) {
    const from = at.get(edge.from);
    const to = at.get(edge.to);
    if (!from || !to || from === to) continue;
    const way = `${edge.from}>${edge.to}`;
    const before = count.get(way) ?? 0;
    count.set(way, before + 1);
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    const along = { x: (to.x - from.x) / length, y: (to.y - from.y) / length };
    const bend = BEND + BEND_MORE * before;
    // The control point is twice as far off the straight line as the curve's middle.
    const control = {
      x: (from.x + to.x) / 2 + along.y * 2 * bend,
      y: (from.y + to.y) / 2 - along.x * 2 * bend,
    };
    const start = towards(from, control, RADIUS);
    const end = towards(to, control, RADIUS + TIP);
    drawn.push({
      ...edge,
      path: { start, control, end },
      x: (start.x + 2 * control.x + end.x) / 4,
      y: (start.y + 2 * control.y + end.y) / 4,
    });
  }
  return { width: WIDTH, ...moved(nodes, drawn) };
}

/** All of it moved down so that it begins at the upper edge, and how high that is. */
function moved(nodes: Picture['nodes'], edges: Curve[]): Omit<Picture, 'width'> {
  const ys = [
    ...nodes.flatMap(({ y }) => [y - RADIUS, y + RADIUS]),
    ...edges.flatMap(({ y }) => [y - LABEL, y + LABEL]),
  ];
  const down = 4 - Math.min(...ys);
  const text = ({ x, y }: Point) => `${round(x)} ${round(y + down)}`;
  return {
    height: Math.max(...ys) + down + 4,
    nodes: nodes.map((node) => ({ ...node, y: node.y + down })),
    edges: edges.map(({ path, ...edge }) => ({
      ...edge,
      y: edge.y + down,
      path: `M ${text(path.start)} Q ${text(path.control)} ${text(path.end)}`,
    })),
  };
}

function towards(from: Point, to: Point, by: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  return { x: from.x + ((to.x - from.x) * by) / length, y: from.y + ((to.y - from.y) * by) / length };
}
