/** Edits of a drawing as pure functions: a design goes in, another one comes out, nothing else happens. */

import type { Block, Catalogue, Design, Edge, End, Position, Scalar } from '../generated/protocol';
import { specOf } from './catalogue';

/** Canvas pixels between the dots that blocks snap to. */
export const GRID = 20;

/** A drawing with nothing on it. */
export function emptyDesign(): Design {
  return { format: 1, name: 'Untitled', description: '', blocks: [], edges: [], slo: [], switches: [], watch: [] };
}

/** `stem`, or the first of `stem-2`, `stem-3` ... that is not taken. */
export function freeId(stem: string, taken: ReadonlySet<string>): string {
  if (!taken.has(stem)) return stem;
  let number = 2;
  while (taken.has(`${stem}-${number}`)) number += 1;
  return `${stem}-${number}`;
}

function ids(design: Design): Set<string> {
  return new Set([...design.blocks.map((block) => block.id), ...design.edges.map((edge) => edge.id)]);
}

/** `position` on the grid. */
export function snapped(position: Position): Position {
  return { x: Math.round(position.x / GRID) * GRID, y: Math.round(position.y / GRID) * GRID };
}

/** A place near `wanted` where a card does not cover another one. */
export function freePlace(design: Design, wanted: Position): Position {
  const place = snapped(wanted);
  while (isCovered(design, place)) place.y += 7 * GRID;
  return place;
}

function isCovered(design: Design, { x, y }: Position): boolean {
  return design.blocks.some((block) => Math.abs(block.position.x - x) < 220 && Math.abs(block.position.y - y) < 180);
}

/** How far a copy of `piece` moves down so that no card of it covers another one: cards that overlap can't be read. */
export function freeShift(design: Design, piece: Piece): Position {
  const shift = { x: 0, y: 0 };
  const covered = () =>
    piece.blocks.some(({ position }) => isCovered(design, { x: position.x, y: position.y + shift.y }));
  while (covered()) shift.y += 7 * GRID;
  return shift;
}

/** `design` with a new block of `kind`, and its id. A second block of a kind is labelled with a number. */
export function withBlock(
  design: Design,
  catalogue: Catalogue,
  kind: string,
  position: Position,
): { design: Design; id: string } {
  const id = freeId(kind, ids(design));
  const number = design.blocks.filter((block) => block.kind === kind).length + 1;
  const title = specOf(catalogue, kind)?.title ?? kind;
  const block: Block = {
    id,
    kind,
    label: number > 1 ? `${title} ${number}` : title,
    params: {},
    position: snapped(position),
  };
  return { design: { ...design, blocks: [...design.blocks, block] }, id };
}

/** `design` with an edge from an out port to an in port, and the edge's id. */
export function withEdge(design: Design, from: End, to: End): { design: Design; id: string } {
  const id = freeId(`${from.block}--${to.block}`.slice(0, 60), ids(design));
  const edge: Edge = { id, from, to, params: {} };
  return { design: { ...design, edges: [...design.edges, edge] }, id };
}

/** `design` without the blocks and edges called `gone`; edges and objectives of a removed block go with it. */
export function without(design: Design, gone: ReadonlySet<string>): Design {
  return {
    ...design,
    blocks: design.blocks.filter((block) => !gone.has(block.id)),
    edges: design.edges.filter((edge) => !gone.has(edge.id) && !gone.has(edge.from.block) && !gone.has(edge.to.block)),
    slo: design.slo.filter((slo) => slo.block === null || !gone.has(slo.block)),
  };
}

/** `design` with one parameter of a block or an edge set; `undefined` takes the default back. */
export function withParam(design: Design, target: string, name: string, value: Scalar | undefined): Design {
  const change = <T extends Block | Edge>(thing: T): T => {
    if (thing.id !== target) return thing;
    const params = { ...thing.params };
    if (value === undefined) delete params[name];
    else params[name] = value;
    return { ...thing, params };
  };
  return { ...design, blocks: design.blocks.map(change), edges: design.edges.map(change) };
}

/** `design` with another label on a block. */
export function withLabel(design: Design, id: string, label: string): Design {
  return { ...design, blocks: design.blocks.map((block) => (block.id === id ? { ...block, label } : block)) };
}

/** `design` with blocks moved to `places`. */
export function withPlaces(design: Design, places: ReadonlyMap<string, Position>): Design {
  return {
    ...design,
    blocks: design.blocks.map((block) => {
      const position = places.get(block.id);
      return position ? { ...block, position } : block;
    }),
  };
}

/** What lies on the clipboard: blocks with the edges between them. */
export interface Piece {
  blocks: Block[];
  edges: Edge[];
}

/** The selected blocks of `design` with the edges among them. */
export function pieceOf(design: Design, selected: ReadonlySet<string>): Piece {
  return {
    blocks: design.blocks.filter((block) => selected.has(block.id)),
    edges: design.edges.filter((edge) => selected.has(edge.from.block) && selected.has(edge.to.block)),
  };
}

/** `design` with a copy of `piece` shifted by `shift` under fresh ids, and the ids of the copied blocks. */
export function withPiece(design: Design, piece: Piece, shift: Position): { design: Design; added: string[] } {
  const taken = ids(design);
  const renamed = new Map<string, string>();
  const fresh = (id: string) => {
    const made = freeId(id.replace(/-\d+$/, ''), taken);
    taken.add(made);
    return made;
  };
  const blocks = piece.blocks.map((block) => {
    const id = fresh(block.id);
    renamed.set(block.id, id);
    const position = { x: block.position.x + shift.x, y: block.position.y + shift.y };
    const label = block.label ? nextLabel(block.label, design) : '';
    return { ...block, id, label, position };
  });
  const edges = piece.edges.map((edge) => ({
    ...edge,
    id: fresh(edge.id),
    from: { ...edge.from, block: renamed.get(edge.from.block)! },
    to: { ...edge.to, block: renamed.get(edge.to.block)! },
  }));
  return {
    design: { ...design, blocks: [...design.blocks, ...blocks], edges: [...design.edges, ...edges] },
    added: blocks.map((block) => block.id),
  };
}

function nextLabel(label: string, design: Design): string {
  const stem = label.replace(/ \d+$/, '');
  const taken = new Set(design.blocks.map((block) => block.label));
  let number = 2;
  while (taken.has(`${stem} ${number}`)) number += 1;
  return `${stem} ${number}`;
}
