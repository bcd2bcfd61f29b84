/** What a dot on a connection looks like: what it carries can be told from its shape, and again from its colour. */

import type { Hop } from '../run/frames';
import type { Role } from './cells';
import { arc, circle, rectangle, type Shape } from './shapes';

/** Kinds of dots, in the order in which they are drawn: what matters more lies above. */
export const PARTICLE_LOOKS = ['reply', 'call', 'not_modified', 'absent', 'stale', 'retry', 'failure'] as const;
/** A kind of dot. */
export type ParticleLook = (typeof PARTICLE_LOOKS)[number];

/** How one kind of dot is drawn, around the origin in pixels at zoom 1, and what it means. */
export interface ParticleStyle {
  shape: Shape;
  role: Role;
  opacity: number;
  label: string;
  help: string;
}

const half: Shape = [circle(0, 0, 2.9, 0, 0.5), arc(2.9, 2, 0.5, 1)];

/** All of them. */
export const PARTICLES: Record<ParticleLook, ParticleStyle> = {
  call: { shape: [circle(0, 0, 2.3)], role: 'flow', opacity: 1, label: 'Request', help: 'on its way to who serves it' },
  reply: { shape: [circle(0, 0, 1.6)], role: 'flow', opacity: 0.6, label: 'Answer', help: 'with what was asked for' },
  not_modified: {
    shape: [circle(0, 0, 2.9), circle(0, 0, 1.7)],
    role: 'flow',
    opacity: 1,
    label: 'Not modified',
    help: '304: what the caller holds is still right, so no body is sent',
  },
  stale: {
    shape: half,
    role: 'stale',
    opacity: 1,
    label: 'Stale answer',
    help: 'an old version, served knowingly',
  },
  absent: {
    shape: [arc(3, 1.7, 0.05, 0.45), arc(3, 1.7, 0.55, 0.95)],
    role: 'ink2',
    opacity: 1,
    label: 'Nothing there',
    help: '404: the item does not exist',
  },
  retry: {
    shape: [[0, -3.6, 3.6, 0, 0, 3.6, -3.6, 0]],
    role: 'warn',
    opacity: 1,
    label: 'Retry',
    help: 'the same request once more',
  },
  failure: {
    shape: [rectangle(-2.4, -2.4, 2.4, 2.4)],
    role: 'bad',
    opacity: 1,
    label: 'Failure',
    help: 'an error, a refusal or a timeout',
  },
};

const ANSWERS: (ParticleLook | undefined)[] = [undefined, 'not_modified', 'stale', 'absent'];

/** The kind of dot for a hop. A failure is one whatever else it is; what an answer was matters more than that it was a retry's. */
export function particleLook(hop: Pick<Hop, 'outcome' | 'attempt' | 'reply' | 'look'>): ParticleLook {
  if (hop.outcome > 0) return 'failure';
  return (hop.reply ? ANSWERS[hop.look] : undefined) ?? (hop.attempt > 1 ? 'retry' : hop.reply ? 'reply' : 'call');
}

/** What an answer was, in words; undefined for an ordinary one. */
export function answerWords(look: number): string | undefined {
  return [undefined, '304 not modified', 'stale', 'absent (404)'][look];
}
