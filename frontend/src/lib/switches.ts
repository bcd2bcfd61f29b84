/** Fixes that can be turned on and off while a design runs: named sets of parameters, see `switches` in a design. */

import type { Catalogue, Design, Param, Setting, Switch } from '../generated/protocol';
import { settingOf, specOf } from './catalogue';
import { withParam } from './design';

/** How a fix stands; `mixed`: some of its settings hold, or they are neither as with it nor as without it. */
export type SwitchState = 'on' | 'off' | 'mixed';

/** Whether `design` is a scenario: something is turned on and off in it, or watched. */
export function isScenario(design: Design): boolean {
  return design.switches.length > 0 || design.watch.length > 0;
}

/** What the catalogue declares for a block or an edge of `design`, with what is set there; undefined for what is not drawn. */
function thingOf(catalogue: Catalogue, design: Design, target: string) {
  const edge = design.edges.find((candidate) => candidate.id === target);
  if (edge) return { params: catalogue.edge.params, set: edge.params };
  const block = design.blocks.find((candidate) => candidate.id === target);
  return block && { params: specOf(catalogue, block.kind)?.params ?? [], set: block.params };
}

/** The parameter that `setting` is about; undefined where the drawing no longer has its block. */
export function paramOf(catalogue: Catalogue, design: Design, setting: Setting): Param | undefined {
  return thingOf(catalogue, design, setting.target)?.params.find(({ name }) => name === setting.param);
}

/** The settings that speak of something that is drawn. */
function present(catalogue: Catalogue, design: Design, settings: readonly Setting[]): Setting[] {
  return settings.filter((setting) => paramOf(catalogue, design, setting));
}

function holds(catalogue: Catalogue, design: Design, settings: readonly Setting[]): boolean {
  const there = present(catalogue, design, settings);
  return (
    there.length > 0 &&
    there.every((setting) => {
      const thing = thingOf(catalogue, design, setting.target)!;
      return settingOf(thing.set, thing.params.find(({ name }) => name === setting.param)!) === setting.value;
    })
  );
}

/** How `fix` stands in `design`; null where nothing that it sets is drawn any more. */
export function switchState(catalogue: Catalogue, design: Design, fix: Switch): SwitchState | null {
  if (!present(catalogue, design, fix.on).length) return null;
  if (holds(catalogue, design, fix.on)) return 'on';
  return holds(catalogue, design, fix.off) ? 'off' : 'mixed';
}

/** How `fixes` stand together: on where one of them is, off where all are; null where nothing that they set is drawn. */
export function fixState(catalogue: Catalogue, design: Design, fixes: readonly Switch[]): SwitchState | null {
  const states = fixes.map((fix) => switchState(catalogue, design, fix)).filter((state) => state !== null);
  if (states.includes('on')) return 'on';
  if (states.includes('mixed')) return 'mixed';
  return states.length ? 'off' : null;
}

/** `design` with `fix` on or off: all of its parameters in one step. */
export function withSwitch(catalogue: Catalogue, design: Design, fix: Switch, on: boolean): Design {
  return present(catalogue, design, on ? fix.on : fix.off).reduce(
    (changed, { target, param, value }) => withParam(changed, target, param, value),
    design,
  );
}

/**
 * The fix that the step from `before` to `after` turned on or off, if turning it is all that the step did. Where two fixes set the same
 * parameter, the one that was on, or is on now.
 */
export function turned(
  catalogue: Catalogue,
  before: Design,
  after: Design,
  changed: readonly { target: string; name: string }[],
  fixes: readonly Switch[],
): { fix: Switch; on: boolean } | null {
  let found: { fix: Switch; on: boolean } | null = null;
  for (const fix of fixes) {
    const own = new Set(fix.on.map(({ target, param }) => `${target} ${param}`));
    if (!changed.length || !changed.every(({ target, name }) => own.has(`${target} ${name}`))) continue;
    const [was, is] = [switchState(catalogue, before, fix), switchState(catalogue, after, fix)];
    if (is === null || is === 'mixed' || is === was) continue;
    if (is === 'on' || was === 'on') return { fix, on: is === 'on' };
    found ??= { fix, on: false };
  }
  return found;
}
