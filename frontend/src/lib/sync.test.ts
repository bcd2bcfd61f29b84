import { describe, expect, it } from 'vitest';
import { CATALOGUE, design } from '../test/samples';
import { withBlock, withLabel, withParam, withPlaces } from './design';
import { applied, arrangedAs, pendingTargets, planSync, runsAlike } from './sync';

describe('telling the engine what is drawn', () => {
  it('names and places are for people and never told', () => {
    const moved = withPlaces(withLabel(design(), 'server', 'Checkout'), new Map([['client', { x: 7, y: 9 }]]));
    expect(runsAlike(CATALOGUE, design(), moved)).toBe(true);
    expect(planSync(CATALOGUE, design(), moved)).toEqual([]);
  });

  it('a default written out is the same as a default left out', () => {
    expect(runsAlike(CATALOGUE, design(), withParam(design(), 'server', 'workers', 10))).toBe(true);
  });

  it('a parameter that changed travels alone', () => {
    const drawn = withParam(design(), 'server', 'workers', 20);
    expect(planSync(CATALOGUE, design(), drawn)).toEqual([
      { type: 'set_param', target: 'server', param: 'workers', value: 20 },
    ]);
    expect(pendingTargets(CATALOGUE, design(), drawn)).toEqual(new Set(['server']));
  });

  it('a default that is taken back is told as its value', () => {
    const running = withParam(design(), 'server', 'workers', 20);
    expect(planSync(CATALOGUE, running, design())).toEqual([
      { type: 'set_param', target: 'server', param: 'workers', value: 10 },
    ]);
  });

  it('a parameter that may not change while a run goes on travels as an edit', () => {
    const [action] = planSync(CATALOGUE, design(), withParam(design(), 'server', 'seats', 4));
    expect(action?.type).toBe('edit');
  });

  it('several parameters change in the same moment', () => {
    const drawn = withParam(withParam(design(), 'server', 'workers', 20), 'client', 'rate_per_s', 5);
    expect(planSync(CATALOGUE, design(), drawn)).toEqual([{ type: 'edit', design: drawn }]);
  });

  it('a new block is one edit with the whole drawing', () => {
    const { design: drawn, id } = withBlock(design(), CATALOGUE, 'database', { x: 900, y: 0 });
    expect(planSync(CATALOGUE, design(), drawn)).toEqual([{ type: 'edit', design: drawn }]);
    expect(pendingTargets(CATALOGUE, design(), drawn)).toEqual(new Set([id]));
  });

  it('an edge that leads elsewhere under the same id is an edit', () => {
    const drawn = design();
    drawn.edges[1] = { ...drawn.edges[1]!, from: { block: 'server', port: 'out' } };
    expect(planSync(CATALOGUE, design(), drawn)[0]?.type).toBe('edit');
  });

  it('an objective that changed is an edit', () => {
    const drawn = { ...design(), slo: [{ metric: 'p99_ms' as const, block: null, at_most: 50, at_least: null }] };
    expect(runsAlike(CATALOGUE, design(), drawn)).toBe(false);
  });

  it('initial drawing and what happened give the drawing that runs', () => {
    const action = { type: 'set_param' as const, target: 'server', param: 'workers', value: 3 };
    const running = applied(design(), { at_ns: 5, actor: 'you', action });
    expect(runsAlike(CATALOGUE, running, withParam(design(), 'server', 'workers', 3))).toBe(true);
  });

  it('what the engine changed arrives with the names and places that people gave', () => {
    const drawn = withLabel(design(), 'server', 'Checkout');
    const arranged = arrangedAs(withParam(design(), 'server', 'workers', 3), drawn);
    expect(arranged.blocks[1]).toMatchObject({ label: 'Checkout', params: { workers: 3 } });
  });
});
