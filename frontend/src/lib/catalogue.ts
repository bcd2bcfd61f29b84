/** Look-ups in the catalogue, which the server sends and the page never edits. */

import type { Block, BlockSpec, Catalogue, Edge, Metric, Param, Port, Scalar } from '../generated/protocol';
import { setting, unitText } from './format';

/** Order of the palette's groups. */
export const CATEGORIES = ['Traffic', 'Edge', 'Compute', 'Memory', 'Data'] as const;

/**
 * The kinds that a search finds, in the palette's order; with a query, what is called so comes before what only mentions it, since
 * Enter adds the first.
 */
export function foundKinds(specs: readonly BlockSpec[], query: string): BlockSpec[] {
  const asked = query.trim().toLowerCase();
  const asWritten = (spec: BlockSpec) => `${spec.title} ${spec.kind} ${spec.summary} ${spec.category}`.toLowerCase();
  const rank = ({ title }: BlockSpec) => {
    const at = asked ? title.toLowerCase().indexOf(asked) : 0;
    return at < 0 ? 2 : Math.min(at, 1);
  };
  return specs
    .filter((spec) => asked.split(/\s+/).every((word) => asWritten(spec).includes(word)))
    .sort(
      (a, b) =>
        rank(a) - rank(b) ||
        CATEGORIES.indexOf(a.category) - CATEGORIES.indexOf(b.category) ||
        a.order - b.order ||
        a.title.localeCompare(b.title),
    );
}

/** The declaration of `kind`, or undefined for a kind that this server does not know. */
export function specOf(catalogue: Catalogue, kind: string): BlockSpec | undefined {
  return catalogue.blocks.find((spec) => spec.kind === kind);
}

/** The port `name` of `kind`. */
export function portOf(catalogue: Catalogue, kind: string, name: string): Port | undefined {
  return specOf(catalogue, kind)?.ports.find((port) => port.name === name);
}

/** What a thing's parameter is now: as set, or its default. */
export function settingOf(params: Record<string, Scalar>, param: Param): Scalar {
  const given = params[param.name];
  return given === undefined ? param.default : given;
}

/** Parameters that a form shows, given the others' values (`shown_when` hides what has no effect). */
export function shownParams(params: readonly Param[], values: Record<string, Scalar>): Param[] {
  const byName = new Map(params.map((param) => [param.name, param]));
  return params.filter((param) =>
    Object.entries(param.shown_when).every(([name, accepted]) => {
      const other = byName.get(name);
      return !other || accepted.includes(settingOf(values, other));
    }),
  );
}

/** Relations between parameters that don't hold, as a sentence at each of the parameters that they are between. */
export function ruleProblems(spec: BlockSpec, values: Record<string, Scalar>): Map<string, string> {
  const problems = new Map<string, string>();
  const byName = new Map(spec.params.map((param) => [param.name, param]));
  const holds = (when: Record<string, Scalar[]>) =>
    Object.entries(when).every(([name, wanted]) => {
      const other = byName.get(name);
      return other && wanted.includes(settingOf(values, other));
    });
  for (const { params, help } of spec.any_above_zero) {
    const group = params.flatMap((name) => byName.get(name) ?? []);
    if (group.some((param) => settingOf(values, param))) continue;
    const labels = group.map(({ label }) => label).join(', ');
    for (const { name } of group) problems.set(name, `One of ${labels} has to be above 0: ${help}`);
  }
  const isAboveZero = (name: string) => {
    const other = byName.get(name);
    return other !== undefined && Number(settingOf(values, other)) > 0;
  };
  for (const { lesser, plus, least, greater, strict, help, when, above_zero } of spec.rules) {
    const more = byName.get(greater);
    const summed = (lesser ? [lesser, ...plus] : []).map((name) => byName.get(name));
    if (!holds(when) || !above_zero.every(isAboveZero) || !more || summed.includes(undefined)) continue;
    const known = summed as Param[];
    const lows = known.map((param) => settingOf(values, param));
    const high = settingOf(values, more);
    if (typeof high !== 'number' || lows.some((value) => typeof value !== 'number')) continue;
    const low = lesser ? (lows as number[]).reduce((sum, value) => sum + value, 0) : least;
    if (low < high || (low === high && !strict)) continue;
    const other = lesser
      ? `${known.map((param) => param.label).join(' + ')} (${setting(low, more.unit)})`
      : setting(low);
    const limit = `${more.label} (${setting(high, more.unit)})`;
    for (const param of known)
      problems.set(param.name, `${param.label} has to be ${strict ? 'less than' : 'at most'} ${limit}: ${help}`);
    problems.set(greater, `${more.label} has to be ${strict ? 'more than' : 'at least'} ${other}: ${help}`);
  }
  return problems;
}

/** Parameters in their groups, groups in the order of their first parameter. */
export function grouped(params: readonly Param[]): [string, Param[]][] {
  const groups = new Map<string, Param[]>();
  for (const param of params) groups.set(param.group, [...(groups.get(param.group) ?? []), param]);
  return [...groups];
}

/** Metrics of a kind in the order of its row in a frame. */
export function metricsOf(catalogue: Catalogue, kind: string): Metric[] {
  return [...catalogue.common_metrics, ...(specOf(catalogue, kind)?.metrics ?? [])];
}

/** What `value` must be, in words: "1 to 1 000 000 keys", "one of LRU, LFU, FIFO". */
export function accepted(param: Param): string {
  const off = param.nullable ? ', or off' : '';
  if (param.kind === 'choice') return `one of ${param.choices.map((choice) => choice.label).join(', ')}${off}`;
  if (param.kind === 'boolean') return 'on or off';
  if (param.kind === 'text') return (param.pattern_help || 'text') + off;
  const whole = param.kind === 'integer' ? 'a whole number' : 'a number';
  const unit = param.unit ? ` ${unitText(param.unit)}` : '';
  const { minimum, maximum } = param;
  if (minimum !== null && maximum !== null)
    return `${whole} from ${setting(minimum)} to ${setting(maximum)}${unit}${off}`;
  if (minimum !== null) return `${whole} of at least ${setting(minimum)}${unit}${off}`;
  if (maximum !== null) return `${whole} of at most ${setting(maximum)}${unit}${off}`;
  return whole + unit + off;
}

/** Reads what a person typed for `param`: its value, or a sentence that says what would be accepted. */
export function readValue(param: Param, typed: string): { value: Scalar } | { problem: string } {
  const text = typed.trim();
  const problem = `${param.label} takes ${accepted(param)}; “${typed}” is not.`;
  if (param.kind === 'text') {
    const fits = param.pattern === null || new RegExp(`^(?:${param.pattern})$`, 'u').test(text);
    return fits ? { value: text } : { problem };
  }
  if (param.kind === 'choice') {
    return param.choices.some((choice) => choice.value === text) ? { value: text } : { problem };
  }
  const value = Number(text.replaceAll(/[\s_\u2009]/g, ''));
  if (text === '' || !Number.isFinite(value)) return { problem };
  if (param.kind === 'integer' && !Number.isInteger(value)) return { problem };
  if (param.minimum !== null && value < param.minimum) return { problem };
  if (param.maximum !== null && value > param.maximum) return { problem };
  return { value };
}

/** The name shown for a block: its label, else its kind's title. */
export function nameOf(catalogue: Catalogue, block: Block): string {
  return block.label || specOf(catalogue, block.kind)?.title || block.kind;
}

/** The name shown for an edge: "Balancer → App 1". */
export function edgeName(catalogue: Catalogue, blocks: readonly Block[], edge: Edge): string {
  const end = (id: string) => {
    const block = blocks.find((candidate) => candidate.id === id);
    return block ? nameOf(catalogue, block) : id;
  };
  return `${end(edge.from.block)} → ${end(edge.to.block)}`;
}
