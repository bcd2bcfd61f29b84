/** The form of a block or an edge, generated from what the catalogue declares. */

import { useMemo } from 'react';
import { concerns } from '../../canvas/marks';
import type { Block, BlockSpec, Edge, Param } from '../../generated/protocol';
import { grouped, ruleProblems, settingOf, shownParams } from '../../lib/catalogue';
import { withParam } from '../../lib/design';
import { changedParams } from '../../lib/sync';
import { edit } from '../../state/design';
import { useSession } from '../../state/session';
import { Section } from '../../ui/Section';
import { ParamField } from './ParamField';

/** How many groups are unfolded at first. */
const OPEN_GROUPS = 3;

/** All parameters of `thing` that have an effect, in their groups; `spec`: a block's, for the relations between them. */
export function ParamForm({ thing, params, spec }: { thing: Block | Edge; params: Param[]; spec?: BlockSpec }) {
  const running = useSession((state) => state.running);
  const problems = useSession((state) => state.problems);
  const refusal = useSession((state) => state.refusal);
  const mayControl = useSession((state) => state.mayControl);
  const changed = useMemo(() => {
    const other = [...(running?.blocks ?? []), ...(running?.edges ?? [])].find(
      (candidate) => candidate.id === thing.id,
    );
    return new Set(other ? changedParams(params, other.params, thing.params) : []);
  }, [running, thing, params]);
  const broken = useMemo(() => spec && ruleProblems(spec, thing.params), [spec, thing]);
  const refused = (name: string) =>
    broken?.get(name) ??
    [...refusal, ...problems].find((problem) => problem.parameter === name && concerns(problem, thing.id))?.message;
  return (
    <>
      {grouped(shownParams(params, thing.params)).map(([group, members], index) => (
        <Section key={group} title={group} open={index < OPEN_GROUPS || members.some(({ name }) => refused(name))}>
          {members.map((param) => (
            <ParamField
              key={param.name}
              param={param}
              value={settingOf(thing.params, param)}
              pending={changed.has(param.name)}
              refused={refused(param.name) ?? null}
              disabled={!mayControl}
              onChange={(value) => edit((design) => withParam(design, thing.id, param.name, value))}
            />
          ))}
        </Section>
      ))}
    </>
  );
}
