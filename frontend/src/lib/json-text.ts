/** Designs as text: what is wrong with it and on which line, so that the text and the drawing can be equals. */

import type { Problem } from '../generated/protocol';

/** The value of JSON `text`, or the browser's sentence about it. Browsers don't name the place; the server's parser does. */
export function parseText(text: string): { value: unknown } | { problem: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}

function problem(where: string, message: string, value: unknown): Problem {
  return { code: 'shape', message, where, block: null, parameter: null, value: String(value), accepted: null };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What keeps `data` from being drawn at all. Whether it can run is the server's to say. */
export function designProblems(data: unknown): Problem[] {
  if (!isRecord(data)) return [problem('', 'A design is an object with “blocks” and “edges”.', data)];
  const { blocks, edges } = data;
  if (!Array.isArray(blocks)) return [problem('blocks', 'A design has a list called “blocks”.', blocks)];
  if (!Array.isArray(edges)) return [problem('edges', 'A design has a list called “edges”.', edges)];
  const found: Problem[] = [];
  const ids = new Set<string>();
  for (const [index, block] of blocks.entries()) found.push(...blockProblems(block, `blocks[${index}]`, ids));
  for (const [index, edge] of edges.entries()) found.push(...edgeProblems(edge, `edges[${index}]`, ids));
  if (data.slo !== undefined && !Array.isArray(data.slo)) found.push(problem('slo', '“slo” is a list.', data.slo));
  found.push(...listProblems(data, 'switches', isSwitch, 'a “label” and the lists of settings “on” and “off”'));
  found.push(...listProblems(data, 'watch', isWatch, 'a “target”, a “metric” and a “label”'));
  return found;
}

function isSwitch(entry: unknown): boolean {
  const settings = (list: unknown) =>
    Array.isArray(list) && list.every((one) => isRecord(one) && isText(one.target) && isText(one.param));
  return isRecord(entry) && isText(entry.label) && settings(entry.on) && settings(entry.off);
}

function isWatch(entry: unknown): boolean {
  return isRecord(entry) && isText(entry.target) && isText(entry.metric) && isText(entry.label);
}

function listProblems(
  data: Record<string, unknown>,
  name: string,
  good: (entry: unknown) => boolean,
  needs: string,
): Problem[] {
  const list = data[name];
  if (list === undefined) return [];
  if (!Array.isArray(list)) return [problem(name, `“${name}” is a list.`, list)];
  return list.flatMap((entry, index) =>
    good(entry) ? [] : [problem(`${name}[${index}]`, `${name}[${index}] needs ${needs}.`, entry)],
  );
}

function blockProblems(block: unknown, where: string, ids: Set<string>): Problem[] {
  if (!isRecord(block) || !isText(block.id) || !isText(block.kind)) {
    return [problem(where, `${where} needs an “id” and a “kind”.`, block)];
  }
  if (ids.has(block.id)) return [problem(where, `Two things are called “${block.id}”; an id stands once.`, block.id)];
  ids.add(block.id);
  if (block.params !== undefined && !isRecord(block.params)) {
    return [problem(`${where}.params`, `The params of “${block.id}” are an object.`, block.params)];
  }
  const { position } = block;
  if (position === undefined) return [];
  const placed = isRecord(position) && Number.isFinite(position.x) && Number.isFinite(position.y);
  return placed ? [] : [problem(`${where}.position`, `The position of “${block.id}” has numbers x and y.`, position)];
}

function edgeProblems(edge: unknown, where: string, ids: Set<string>): Problem[] {
  if (!isRecord(edge) || !isText(edge.id)) return [problem(where, `${where} needs an “id”.`, edge)];
  if (ids.has(edge.id)) return [problem(where, `Two things are called “${edge.id}”; an id stands once.`, edge.id)];
  ids.add(edge.id);
  for (const side of ['from', 'to'] as const) {
    const end = edge[side];
    if (!isRecord(end) || !isText(end.block) || !isText(end.port)) {
      return [problem(`${where}.${side}`, `“${side}” of “${edge.id}” names a block and a port.`, end)];
    }
    if (!ids.has(end.block)) {
      return [
        problem(`${where}.${side}`, `“${edge.id}” ends at “${end.block}”, which is not among the blocks.`, end.block),
      ];
    }
  }
  return [];
}

/** Fills in what a design may leave out, so that the page can rely on it. */
export function completed(data: Record<string, unknown>): Record<string, unknown> {
  const blocks = (data.blocks as Record<string, unknown>[]).map((block) => ({
    label: '',
    params: {},
    position: { x: 0, y: 0 },
    ...block,
  }));
  const edges = (data.edges as Record<string, unknown>[]).map((edge) => ({ params: {}, ...edge }));
  const slo = ((data.slo as Record<string, unknown>[] | undefined) ?? []).map((entry) => ({
    block: null,
    at_most: null,
    at_least: null,
    ...entry,
  }));
  const filled = (list: unknown, usual: Record<string, unknown>) =>
    ((list as Record<string, unknown>[] | undefined) ?? []).map((entry) => ({ ...usual, ...entry }));
  const switches = filled(data.switches, { help: '' });
  const watch = filled(data.watch, { show: 'total', law: '' });
  return { format: 1, name: 'Untitled', description: '', ...data, blocks, edges, slo, switches, watch };
}

/** The line of `text` that a problem is about, as well as it can be told; null where it can't. */
export function locate(text: string, { block, parameter, where }: Problem): number | null {
  const told = where.match(/^line (\d+)/)?.[1];
  if (told) return Number(told);
  const indexed = where.match(/^(?:design\.)?(blocks|edges)(?:\[|\.)(\d+)/);
  const named = block ?? where.match(/\[([^\]\d][^\]]*)\]/)?.[1];
  let start = -1;
  if (named) start = text.search(new RegExp(`"id"\\s*:\\s*"${named.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}"`));
  else if (indexed) start = nthObject(text, indexed[1]!, Number(indexed[2]));
  const name = parameter ?? where.match(/([a-z_]+)$/)?.[1];
  const inside = name ? text.indexOf(`"${name}"`, Math.max(0, start)) : -1;
  const position = inside >= 0 ? inside : start;
  return position >= 0 ? lineAt(text, position) : null;
}

/** Where the `index`-th object of the list called `list` begins. */
function nthObject(text: string, list: string, index: number): number {
  let position = text.indexOf(`"${list}"`);
  let depth = 0;
  let seen = -1;
  for (position = text.indexOf('[', position); position >= 0 && position < text.length; position++) {
    const character = text[position];
    if (character === '{' && depth++ === 0 && ++seen === index) return position;
    if (character === '}') depth -= 1;
    if (character === ']' && depth === 0) return -1;
  }
  return -1;
}
