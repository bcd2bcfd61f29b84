/** Why a block is not well, in a sentence made of its own figures: nothing here is guessed. */

import { compact, count, duration } from './format';
import type { Figures, Health } from './health';

/** What the sentence needs besides the figures that decide on the state. */
export interface WhyFigures extends Figures {
  /** Completed calls per virtual second. */
  completed: number;
}

/** The sentence for `health`, or null where there is nothing to explain. */
export function whyOf(health: Health, figures: WhyFigures): string | null {
  const { busy, capacity, queue, offered, failed, completed } = figures;
  if (health === 'down') return 'No instance of it is up. Whatever is sent to it is refused until it restarts.';
  if (health === 'failing') {
    return `${Math.round((100 * failed) / Math.max(offered, failed))} % of the calls that reach it fail now, ${compact(failed)} each second.`;
  }
  if (health !== 'strained') return null;
  const full = capacity > 0 && busy >= 0.95 * capacity;
  const parts: string[] = [];
  if (full) parts.push(`${count(busy)} of its ${count(capacity)} places are taken`);
  if (queue > 0) parts.push(`${count(queue)} ${queue === 1 ? 'call waits' : 'calls wait'}`);
  if (!parts.length) return 'A fault holds it back: some of its instances are down, slow or paused.';
  const drained =
    queue > 0 && completed > 0
      ? ` At ${compact(completed)}/s a call that comes now waits about ${duration(queue / completed)}.`
      : '';
  const growing =
    offered > completed * 1.05 && queue > 0
      ? ` More arrives (${compact(offered)}/s) than it finishes, so the queue grows.`
      : '';
  return `${parts.join(' and ')}.${drained}${growing}`;
}
