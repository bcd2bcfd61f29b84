import { describe, expect, it } from 'vitest';
import { whyOf } from './why';

const FIGURES = { health: 0, offered: 300, failed: 0, busy: 100, capacity: 100, queue: 500, completed: 250 };

describe('why a block is not well', () => {
  it('a full one says how long a call that comes now waits', () => {
    expect(whyOf('strained', FIGURES)).toContain('waits about 2.00 s');
  });

  it('one call waits, two wait', () => {
    expect(whyOf('strained', { ...FIGURES, queue: 1 })).toContain('1 call waits');
    expect(whyOf('strained', { ...FIGURES, queue: 2 })).toContain('2 calls wait');
  });

  it('says that the queue grows only while more arrives than is finished', () => {
    expect(whyOf('strained', FIGURES)).toContain('queue grows');
    expect(whyOf('strained', { ...FIGURES, offered: 250 })).not.toContain('queue grows');
  });

  it('a failing one says which share of its calls fails', () => {
    expect(whyOf('failing', { ...FIGURES, failed: 75 })).toContain('25 %');
  });

  it('one that is well needs no explanation', () => {
    expect(whyOf('well', FIGURES)).toBeNull();
  });
});
