import { beforeEach, describe, expect, it } from 'vitest';
import { withLabel, withParam } from '../lib/design';
import { design } from '../test/samples';
import { drawing, edit, redo, show, undo, useDesign } from './design';

describe('undo and redo', () => {
  beforeEach(() => show(design(), { forgetSteps: true }));

  it('one edit is one step back', () => {
    edit((drawn) => withLabel(drawn, 'server', 'Checkout'));
    edit((drawn) => withParam(drawn, 'server', 'workers', 3));
    undo();
    expect(drawing().blocks[1]).toMatchObject({ label: 'Checkout', params: {} });
    undo();
    expect(drawing()).toEqual(design());
    redo();
    expect(drawing().blocks[1]!.label).toBe('Checkout');
  });

  it('a change that changes nothing is no step', () => {
    edit((drawn) => drawn);
    expect(useDesign.temporal.getState().pastStates).toHaveLength(0);
  });

  it('another document can’t be undone into the one before', () => {
    edit((drawn) => withLabel(drawn, 'server', 'Checkout'));
    show(design(), { forgetSteps: true });
    undo();
    expect(drawing()).toEqual(design());
  });

  it('what the engine showed is no step, and steps before it stay', () => {
    edit((drawn) => withLabel(drawn, 'server', 'Checkout'));
    show(withParam(drawing(), 'server', 'workers', 3), { forgetSteps: false });
    undo();
    expect(drawing()).toEqual(design());
  });
});
