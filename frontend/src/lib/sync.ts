/** What must be told to the engine so that it runs what is drawn. */

import type {
  Block,
  Catalogue,
  Design,
  Edge,
  EditDesign,
  Intervention,
  Param,
  Scalar,
  SetParam,
} from '../generated/protocol';
import { settingOf, specOf } from './catalogue';

/** Names of the parameters in which two things differ, defaults filled in. */
export function changedParams(
  params: readonly Param[],
  running: Record<string, Scalar>,
  drawn: Record<string, Scalar>,
): string[] {
  const declared = params
    .filter((param) => settingOf(running, param) !== settingOf(drawn, param))
    .map((param) => param.name);
  const names = new Set(params.map((param) => param.name));
  const strays = Object.keys(drawn).filter((name) => !names.has(name) && running[name] !== drawn[name]);
  return [...declared, ...strays];
}

function sameEnds(a: Edge, b: Edge): boolean {
  return (
    a.from.block === b.from.block && a.from.port === b.from.port && a.to.block === b.to.block && a.to.port === b.to.port
  );
}

/** Whether blocks, edges, objectives or what is watched differ in more than parameters. Labels and positions are for people and never count. */
function structureDiffers(running: Design, drawn: Design): boolean {
  if (running.blocks.length !== drawn.blocks.length || running.edges.length !== drawn.edges.length) return true;
  const blocks = new Map(running.blocks.map((block) => [block.id, block]));
  if (drawn.blocks.some((block) => blocks.get(block.id)?.kind !== block.kind)) return true;
  const edges = new Map(running.edges.map((edge) => [edge.id, edge]));
  for (const edge of drawn.edges) {
    const other = edges.get(edge.id);
    if (!other || !sameEnds(edge, other)) return true;
  }
  // What is watched is recorded where it runs.
  return (
    JSON.stringify(running.slo.map(sloKey)) !== JSON.stringify(drawn.slo.map(sloKey)) ||
    JSON.stringify(running.watch.map(watchKey)) !== JSON.stringify(drawn.watch.map(watchKey))
  );
}

function watchKey({ target, metric }: Design['watch'][number]) {
  return [target, metric];
}

function sloKey(slo: Design['slo'][number]) {
  return [slo.metric, slo.block ?? null, slo.at_most ?? null, slo.at_least ?? null];
}

/** One parameter in which two drawings differ; `param` is undefined where the catalogue declares none of that name. */
export interface Change {
  target: string;
  param: Param | undefined;
  name: string;
  from: Scalar;
  value: Scalar;
}

/** The parameters in which `drawn` differs from `running`; everything that a new block or edge sets is among them. */
export function paramChanges(catalogue: Catalogue, running: Design, drawn: Design): Change[] {
  const changes: Change[] = [];
  const compare = (was: Block | Edge | undefined, now: Block | Edge, params: readonly Param[]) => {
    for (const name of changedParams(params, was?.params ?? {}, now.params)) {
      const param = params.find((candidate) => candidate.name === name);
      changes.push({
        target: now.id,
        param,
        name,
        from: (param ? settingOf(was?.params ?? {}, param) : was?.params[name]) ?? null,
        value: param ? settingOf(now.params, param) : (now.params[name] ?? null),
      });
    }
  };
  const blocks = new Map(running.blocks.map((block) => [block.id, block]));
  for (const block of drawn.blocks) compare(blocks.get(block.id), block, specOf(catalogue, block.kind)?.params ?? []);
  const edges = new Map(running.edges.map((edge) => [edge.id, edge]));
  for (const edge of drawn.edges) compare(edges.get(edge.id), edge, catalogue.edge.params);
  return changes;
}

/** Ids of blocks and edges that are not in the engine as they are drawn. */
export function pendingTargets(catalogue: Catalogue, running: Design, drawn: Design): Set<string> {
  const pending = new Set(paramChanges(catalogue, running, drawn).map((change) => change.target));
  const blocks = new Map(running.blocks.map((block) => [block.id, block]));
  for (const block of drawn.blocks) if (blocks.get(block.id)?.kind !== block.kind) pending.add(block.id);
  const edges = new Map(running.edges.map((edge) => [edge.id, edge]));
  for (const edge of drawn.edges) {
    const other = edges.get(edge.id);
    if (!other || !sameEnds(edge, other)) pending.add(edge.id);
  }
  return pending;
}

/** True when the engine would run the same for both drawings. */
export function runsAlike(catalogue: Catalogue, running: Design, drawn: Design): boolean {
  return !structureDiffers(running, drawn) && paramChanges(catalogue, running, drawn).length === 0;
}

/**
 * What turns `running` into `drawn`: a parameter alone where that is all, else one edit with the whole drawing, so that several
 * parameters change in the same moment and are only held against each other when all of them are there.
 */
export function planSync(catalogue: Catalogue, running: Design, drawn: Design): (SetParam | EditDesign)[] {
  const edit: EditDesign = { type: 'edit', design: drawn };
  if (structureDiffers(running, drawn)) return [edit];
  const changes = paramChanges(catalogue, running, drawn);
  if (changes.length > 1 || !changes.every((change) => change.param?.live)) return [edit];
  return changes.map(({ target, name, value }) => ({ type: 'set_param', target, param: name, value }));
}

/** `design` after `intervention`; faults change what happens, not what is drawn. */
export function applied(design: Design, intervention: Intervention): Design {
  const { action } = intervention;
  if (action.type === 'edit') return action.design;
  if (action.type !== 'set_param') return design;
  const set = <T extends Block | Edge>(thing: T): T =>
    thing.id === action.target ? { ...thing, params: { ...thing.params, [action.param]: action.value } } : thing;
  return { ...design, blocks: design.blocks.map(set), edges: design.edges.map(set) };
}

/** `design` with names and places as they are in `drawn`: what people wrote and arranged survives a change that the engine made. */
export function arrangedAs(design: Design, drawn: Design): Design {
  const blocks = new Map(drawn.blocks.map((block) => [block.id, block]));
  return {
    ...design,
    name: drawn.name,
    description: drawn.description,
    switches: drawn.switches,
    watch: drawn.watch,
    blocks: design.blocks.map((block) => {
      const other = blocks.get(block.id);
      return other ? { ...block, label: other.label, position: other.position } : block;
    }),
  };
}
