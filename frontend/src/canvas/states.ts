/** The state of each block for those who can't see the overlay: as an attribute and as words on its card, written without React. */

import { HEALTH_WORDS } from '../lib/health';
import type { FigureBook } from './overlay/figures';
import type { Placed } from './overlay/scene';

const cards = new Map<string, HTMLElement>();

/** Makes a card known; gives the way to forget it. */
export function registerCard(id: string, element: HTMLElement): () => void {
  cards.set(id, element);
  return () => {
    if (cards.get(id) === element) cards.delete(id);
  };
}

/** Writes `data-state` onto the cards whose state changed, and the words a screen reader reads. */
export function publishStates(blocks: readonly Placed[], book: FigureBook): void {
  for (const { id } of blocks) {
    const element = cards.get(id);
    const state = book.of(id)?.health ?? 'idle';
    if (!element || element.dataset.state === state) continue;
    element.dataset.state = state;
    const words = element.querySelector('[data-words]');
    if (words) words.textContent = HEALTH_WORDS[state];
  }
}
