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

export const RADIUS = 17;
const WIDTH = 340;
const BEND = 24;
const BEND_MORE = 24;
const TIP = 7;

function places(names: readonly string[]): Pick<Picture, 'height' | 'nodes'> {
  if (names.length <= 2) {
    const xs = names.length === 1 ? [WIDTH / 2] : [46, WIDTH - 46];
    return { height: 168, nodes: names.map((name, at) => ({ name, x: xs[at]!, y: 84 })) };
  }
  const radius = 92;
  const angle = (at: number) => -Math.PI / 2 + (2 * Math.PI * at) / names.length;
  return {
    height: 2 * radius + 2 * RADIUS + 32,
    nodes: names.map((name, at) => ({
      name,
      x: WIDTH / 2 + 1.25 * radius * Math.cos(angle(at)),
      y: radius + RADIUS + 16 + radius * Math.sin(angle(at)),
    })),
  };
}

/** Lays a graph out. Edges that go the same way are bent further and further; those that come back lie on the other side. */
export function picture(names: readonly string[], edges: readonly Edge[]): Picture {
  const { height, nodes } = places(names);
  const at = new Map(nodes.map((node) => [node.name, node]));
  const count = new Map<string, number>();
  const drawn: Picture['edges'] = [];
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
      path: `M ${start.x} ${start.y} Q ${control.x} ${control.y} ${end.x} ${end.y}`,
      x: (from.x + to.x) / 2 + along.y * bend,
      y: (from.y + to.y) / 2 - along.x * bend,
    });
  }
  return { width: WIDTH, height, nodes, edges: drawn };
}

function towards(from: { x: number; y: number }, to: { x: number; y: number }, by: number): { x: number; y: number } {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const round = (value: number) => Math.round(value * 10) / 10;
  return { x: round(from.x + ((to.x - from.x) * by) / length), y: round(from.y + ((to.y - from.y) * by) / length) };
}
