/** Which connections a drawing takes. The server checks the same; the page answers while the mouse still moves. */

import type { Block, Catalogue, Design, End } from '../generated/protocol';
import { nameOf, portOf, specOf } from './catalogue';

/** Why `from` can't be connected to `to`, as a sentence; null when it can. */
export function connectionRefusal(catalogue: Catalogue, design: Design, from: End, to: End): string | null {
  const caller = design.blocks.find((block) => block.id === from.block);
  const callee = design.blocks.find((block) => block.id === to.block);
  if (!caller || !callee) return 'One end of this connection is no longer on the canvas.';
  const out = portOf(catalogue, caller.kind, from.port);
  const into = portOf(catalogue, callee.kind, to.port);
  const callerName = nameOf(catalogue, caller);
  const calleeName = nameOf(catalogue, callee);
  if (!out || !into) return `${out ? calleeName : callerName} has no port “${out ? to.port : from.port}”.`;
  if (caller.id === callee.id) return `${callerName} can't call itself.`;
  if (out.direction !== 'out' || into.direction !== 'in')
    return 'A connection goes from a right-hand port to a left-hand port.';
  if (out.type !== into.type) {
    return `${callerName}'s ${out.label} calls ${out.type}; ${calleeName} answers ${into.type}.`;
  }
  const same = design.edges.some(
    (edge) =>
      edge.from.block === from.block &&
      edge.from.port === from.port &&
      edge.to.block === to.block &&
      edge.to.port === to.port,
  );
  if (same) return `${callerName} already calls ${calleeName} through this port.`;
  const outUsed = design.edges.filter((edge) => edge.from.block === from.block && edge.from.port === from.port).length;
  if (out.maximum !== null && outUsed >= out.maximum) return full(callerName, out.label, out.maximum);
  const inUsed = design.edges.filter((edge) => edge.to.block === to.block && edge.to.port === to.port).length;
  if (into.maximum !== null && inUsed >= into.maximum) return full(calleeName, into.label, into.maximum);
  return null;
}

function full(name: string, label: string, maximum: number): string {
  return `${name}'s ${label} takes at most ${maximum} connection${maximum === 1 ? '' : 's'}.`;
}

/** One way to connect two blocks. */
export interface Offer {
  from: End;
  to: End;
  /** The callee. */
  block: Block;
  label: string;
}

/** Every connection that can start at `id`, nearest callee first, for connecting from the keyboard. */
export function offersFrom(catalogue: Catalogue, design: Design, id: string): Offer[] {
  const caller = design.blocks.find((block) => block.id === id);
  if (!caller) return [];
  const outs = specOf(catalogue, caller.kind)?.ports.filter((port) => port.direction === 'out') ?? [];
  const offers: Offer[] = [];
  for (const block of design.blocks) {
    const ins = specOf(catalogue, block.kind)?.ports.filter((port) => port.direction === 'in') ?? [];
    for (const out of outs) {
      for (const into of ins) {
        const from = { block: id, port: out.name };
        const to = { block: block.id, port: into.name };
        if (connectionRefusal(catalogue, design, from, to)) continue;
        offers.push({
          from,
          to,
          block,
          label: outs.length > 1 ? `${nameOf(catalogue, block)} as ${out.label}` : nameOf(catalogue, block),
        });
      }
    }
  }
  const distance = (block: Block) =>
    Math.hypot(block.position.x - caller.position.x, block.position.y - caller.position.y);
  return offers.sort((a, b) => distance(a.block) - distance(b.block));
}
