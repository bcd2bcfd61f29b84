import { describe, expect, it } from 'vitest';
import type { LabStatement, LabVersion } from '../generated/protocol';
import { fromHash, type Shown, toHash } from './address';
import { chains, standing } from './chains';
import { picture, RADIUS } from './graph';
import { dependencyText, outcomeText, placeOf, waitOf } from './words';

const shown: Shown = { template: null, script: null, dialect: 'mysql', level: 'serializable', shuffle: 7, step: 3 };

describe('the address', () => {
  it('says again what it was made of', () => {
    for (const part of [
      { template: 'otv' },
      { script: "T1: select * from a where b = 'ü&#+';\n" },
      { shuffle: null },
    ]) {
      expect(fromHash(`#${toHash({ ...shown, ...part })}`)).toEqual({ ...shown, ...part });
    }
  });

  it('leaves out a script that is too long for it, and is nothing where it is empty', () => {
    expect(fromHash(toHash({ ...shown, script: 'x'.repeat(10_000) }))?.script).toBeNull();
    expect(fromHash('#')).toBeNull();
  });

  it('takes what is no number for nothing', () => {
    expect(fromHash('#step=-1&shuffle=abc')).toMatchObject({ step: null, shuffle: null });
  });
});

function version(position: number, key: number, more: Partial<LabVersion> = {}): LabVersion {
  return { position, row: [key], made_by: 'T1', made: 'committed', ended_by: null, ended: null, newer: null, ...more };
}

describe('version chains', () => {
  it('go from the oldest to the newest, one a row, in the order of keys', () => {
    const found = chains([version(0, 2, { newer: 2 }), version(1, 1), version(2, 2, { newer: 3 }), version(3, 2)]);
    expect(found.map((chain) => chain.map((one) => one.position))).toEqual([[1], [0, 2, 3]]);
  });

  it('tell how each version stands', () => {
    expect(standing(version(0, 1))).toBe('live');
    expect(standing(version(0, 1, { made: 'in progress' }))).toBe('pending');
    expect(standing(version(0, 1, { ended: 'committed' }))).toBe('dead');
    expect(standing(version(0, 1, { ended: 'in progress' }))).toBe('live');
    expect(standing(version(0, 1, { made: 'rolled back' }))).toBe('undone');
  });
});

describe('a graph', () => {
  const edge = (from: string, to: string, kind = 'ww') => ({ from, to, kind, label: kind });

  it('keeps edges apart that go the same way or come back, inside the picture', () => {
    const drawn = picture(
      ['T1', 'T2'],
      [edge('T1', 'T2'), edge('T1', 'T2', 'wr'), edge('T1', 'T2', 'rw'), edge('T2', 'T1')],
    );
    const ys = drawn.edges.map(({ y }) => y);
    expect(new Set(ys.map(Math.round)).size).toBe(4);
    for (const y of ys) expect(y > 0 && y < drawn.height).toBe(true);
  });

  it('puts every node inside, and draws no edge to what is not there', () => {
    for (const count of [1, 2, 3, 4, 6]) {
      const names = Array.from({ length: count }, (_, at) => `T${at + 1}`);
      const drawn = picture(names, [edge('T1', 'T9')]);
      expect(drawn.edges).toEqual([]);
      for (const { x, y } of drawn.nodes) {
        expect(x >= RADIUS && x <= drawn.width - RADIUS && y >= RADIUS && y <= drawn.height - RADIUS).toBe(true);
      }
    }
  });
});

function statement(more: Partial<LabStatement>): LabStatement {
  const outcome = {
    status: 'done' as const,
    columns: [],
    rows: [],
    tag: 'UPDATE 1',
    error: null,
    waits: [],
    step_done: 4,
  };
  return { ...outcome, index: 4, line: 9, session: 'T1', text: '', notice: '', plan: null, ...more };
}

describe('words', () => {
  it('say what became of a statement', () => {
    expect(outcomeText(statement({}))).toBe('UPDATE 1');
    expect(outcomeText(statement({ columns: ['a', 'b'], rows: [[1, null]] }))).toBe('(1, null)');
    const waits = [{ step: 4, for: ['T2'] }];
    expect(outcomeText(statement({ waits, step_done: 6 }))).toBe('waits for T2 (step 5), then UPDATE 1 (step 7)');
    expect(outcomeText(statement({ waits, status: 'waits', step_done: null }))).toBe(
      'waits for T2 (step 5), then is never done',
    );
  });

  it('say from when to when it waited, up to now where it still does', () => {
    expect(waitOf(statement({}), 9)).toBeNull();
    const waits = [
      { step: 4, for: ['T2'] },
      { step: 5, for: ['T2', 'T3'] },
    ];
    expect(waitOf(statement({ waits, step_done: 7 }), 9)).toEqual({ from: 4, to: 7, for: ['T2', 'T3'] });
    expect(waitOf(statement({ waits, step_done: null }), 9)?.to).toBe(8);
  });

  it('say what an edge means, and where a problem is', () => {
    const edge = {
      from: 'T1',
      to: 'T2',
      kind: 'rw' as const,
      table: 'a',
      key: 1,
      is_by_predicate: false,
      statement: 2,
    };
    expect(dependencyText(edge)).toBe('T1 read a 1 before T2 changed it');
    const problem = { code: '', message: '', block: null, parameter: null, value: null, accepted: null };
    expect(placeOf({ ...problem, where: 'line 3, column 14' })).toEqual({ line: 3, column: 14 });
    expect(placeOf({ ...problem, where: 'level' })).toBeNull();
  });
});
