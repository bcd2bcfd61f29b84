import { describe, expect, it } from 'vitest';
import type { Problem } from '../generated/protocol';
import { design } from '../test/samples';
import { completed, designProblems, locate, parseText } from './json-text';

const text = JSON.stringify(design(), null, 2);
const problem = (given: Partial<Problem>): Problem => ({
  code: '',
  message: '',
  where: '',
  block: null,
  parameter: null,
  value: null,
  accepted: null,
  ...given,
});

describe('a design as text', () => {
  it('that is no JSON is refused, and the line is the one that the server names', () => {
    expect(parseText('{\n  "blocks": [,]\n}')).toHaveProperty('problem');
    expect(locate('{\n  "blocks": [,]\n}', problem({ where: 'line 2, column 14' }))).toBe(2);
  });

  it('finds the line of a block and of a parameter in it', () => {
    const line = locate(text, problem({ block: 'server' }))!;
    expect(text.split('\n')[line - 1]).toContain('"server"');
    const inner = locate(text, problem({ block: 'server', parameter: 'params' }))!;
    expect(inner).toBeGreaterThan(line);
  });

  it('finds the line of the n-th edge', () => {
    const line = locate(text, problem({ where: 'design.edges.1.from' }))!;
    expect(
      text
        .split('\n')
        .slice(0, line + 6)
        .join('\n'),
    ).toContain('"b"');
  });

  it('refuses an edge whose end is not there, by name', () => {
    const broken = design();
    broken.edges[0]!.to.block = 'nowhere';
    expect(designProblems(broken)[0]?.message).toContain('nowhere');
  });

  it.each([null, [], 'text', {}, { blocks: [] }, { blocks: [{}], edges: [] }])('refuses %j as a design', (data) => {
    expect(designProblems(data)).not.toEqual([]);
  });

  it('refuses an id that stands twice', () => {
    const broken = design();
    broken.blocks.push({ ...broken.blocks[0]! });
    expect(designProblems(broken)[0]?.message).toContain('client');
  });

  it('fills in what may be left out', () => {
    const short = { blocks: [{ id: 'a', kind: 'client' }], edges: [] };
    expect(completed(short)).toMatchObject({ format: 1, slo: [], blocks: [{ label: '', params: {} }] });
  });

  it('fixes and watched figures may leave out what has a default, and must name what they are about', () => {
    const { blocks, edges } = design();
    const on = [{ target: 'server', param: 'workers', value: 2 }];
    const fixes = {
      switches: [{ label: 'Fix', on, off: on }],
      watch: [{ target: 'server', metric: 'busy', label: 'Busy' }],
    };
    expect(designProblems({ blocks, edges, ...fixes })).toEqual([]);
    expect(completed({ blocks, edges, ...fixes })).toMatchObject({
      switches: [{ help: '' }],
      watch: [{ show: 'total', law: '' }],
    });
    expect(completed({ blocks, edges })).toMatchObject({ switches: [], watch: [] });
    const wrong = { switches: [{ label: 'Fix', on }], watch: [{ target: 'server' }] };
    expect(designProblems({ blocks, edges, ...wrong }).map(({ where }) => where)).toEqual(['switches[0]', 'watch[0]']);
  });
});
