import { describe, expect, it } from 'vitest';
import { answerWords, PARTICLE_LOOKS, PARTICLES, particleLook } from './particles';
import { svgPath } from './shapes';

const hop = (given: Partial<Parameters<typeof particleLook>[0]>) =>
  particleLook({ outcome: 0, attempt: 1, reply: true, look: 0, ...given });

describe('dots on connections', () => {
  it('say what an answer was', () => {
    expect(hop({})).toBe('reply');
    expect(hop({ look: 1 })).toBe('not_modified');
    expect(hop({ look: 2 })).toBe('stale');
    expect(hop({ look: 3 })).toBe('absent');
    expect(answerWords(1)).toBe('304 not modified');
    expect(answerWords(0)).toBeUndefined();
  });

  it('a failure is a failure whatever else it is', () => {
    expect(hop({ outcome: 4, look: 2, attempt: 3 })).toBe('failure');
  });

  it('a look that a newer server knows is an ordinary answer', () => {
    expect(hop({ look: 9 })).toBe('reply');
  });

  it('calls show that they are retries', () => {
    expect(hop({ reply: false, outcome: -1, attempt: 2 })).toBe('retry');
    expect(hop({ reply: false, outcome: -1, look: 0 })).toBe('call');
  });

  it('no two are told apart by colour alone', () => {
    const drawn = PARTICLE_LOOKS.map((look) => svgPath(PARTICLES[look].shape, 0, 0, 1));
    expect(new Set(drawn).size).toBe(drawn.length);
  });
});
