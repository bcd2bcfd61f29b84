/** What a change of the drawing was, in a few words: the fix that it turned, the parameters that it set, what was added or taken out. */

import type { Catalogue, Design, Scalar } from '../generated/protocol';
import { edgeName, nameOf } from './catalogue';
import { plural, setting, words } from './format';
import { turned } from './switches';
import { type Change, paramChanges } from './sync';

const NAMED_MAX = 2;

/** The step from `before` to `after` in words; `drawn` names its fixes. */
export function changeTitle(catalogue: Catalogue, before: Design, after: Design, drawn: Design): string {
  const structure = structureChanges(catalogue, before, after);
  const known = new Set([...before.blocks, ...before.edges].map(({ id }) => id));
  const changes = paramChanges(catalogue, before, after).filter(({ target }) => known.has(target));
  const fix = structure.length ? null : turned(catalogue, before, after, changes, drawn.switches);
  if (fix) return `${fix.fix.label}: ${fix.on ? 'on' : 'off'}`;
  const said = [...structure, ...changes.map((change) => paramTitle(catalogue, after, change))];
  if (!said.length) return 'drawing changed';
  const more = said.length - NAMED_MAX;
  return `${said.slice(0, NAMED_MAX).join(', ')}${more > 0 ? ` and ${plural(more, 'more change')}` : ''}`;
}

/** A parameter that changed: "Cache: TTL 60 s → 30 s"; without what it was where that is not known. */
export function paramTitle(
  catalogue: Catalogue,
  design: Design,
  { target, param, name, from, value }: Omit<Change, 'from'> & { from?: Scalar },
): string {
  const text = (given: Scalar) =>
    setting(param?.choices.find((choice) => choice.value === given)?.label ?? given, param?.unit);
  const was = from === undefined || from === value ? '' : `${text(from)} → `;
  const owner = thingName(catalogue, design, target);
  return `${owner ? `${owner}: ` : ''}${param?.label ?? words(name)} ${was}${text(value)}`;
}

/** The name of a block or an edge; empty for one that is not drawn. */
export function thingName(catalogue: Catalogue, design: Design, id: string): string {
  const block = design.blocks.find((candidate) => candidate.id === id);
  if (block) return nameOf(catalogue, block);
  const edge = design.edges.find((candidate) => candidate.id === id);
  return edge ? edgeName(catalogue, design.blocks, edge) : '';
}

function structureChanges(catalogue: Catalogue, before: Design, after: Design): string[] {
  const added = missing(after.blocks, before.blocks).map((block) => `${nameOf(catalogue, block)} added`);
  const gone = missing(before.blocks, after.blocks).map((block) => `${nameOf(catalogue, block)} taken out`);
  // Edges come and go with their blocks; alone they are worth a word.
  const edges = (some: Design, others: Design, what: string) => {
    const ids = new Set(others.blocks.map(({ id }) => id));
    return missing(some.edges, others.edges)
      .filter((edge) => ids.has(edge.from.block) && ids.has(edge.to.block))
      .map((edge) => `${edgeName(catalogue, some.blocks, edge)} ${what}`);
  };
  const slo = JSON.stringify(before.slo) === JSON.stringify(after.slo) ? [] : ['objectives changed'];
  return [...added, ...gone, ...edges(after, before, 'connected'), ...edges(before, after, 'disconnected'), ...slo];
}

function missing<T extends { id: string }>(some: readonly T[], others: readonly T[]): T[] {
  const ids = new Set(others.map(({ id }) => id));
  return some.filter(({ id }) => !ids.has(id));
}
