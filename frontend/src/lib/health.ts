/** How a block is doing, from the figures that every block reports. */

/** `idle`: nothing arrives. `strained`: full, or slowed by a fault. `failing`: many of its calls fail. `down`: no instance is up. */
export type Health = 'idle' | 'well' | 'strained' | 'failing' | 'down';

/** What {@link healthOf} looks at. Rates are per virtual second; `health` is the engine's own: 0 well, 1 impaired, 2 down. */
export interface Figures {
  health: number;
  offered: number;
  failed: number;
  busy: number;
  capacity: number;
  queue: number;
}

const FAILING_SHARE = 0.05;
const FULL_SHARE = 0.95;

/** The state that a card shows. */
export function healthOf(figures: Figures): Health {
  if (figures.health >= 2) return 'down';
  if (figures.failed > 0 && figures.failed >= FAILING_SHARE * figures.offered) return 'failing';
  const full = figures.capacity > 0 && figures.busy >= FULL_SHARE * figures.capacity;
  if (figures.health >= 1 || full || figures.queue >= Math.max(10, figures.capacity)) return 'strained';
  return figures.offered > 0 || figures.busy > 0 ? 'well' : 'idle';
}

/** The states in words. */
export const HEALTH_WORDS: Record<Health, string> = {
  idle: 'idle',
  well: 'well',
  strained: 'strained',
  failing: 'failing',
  down: 'down',
};
