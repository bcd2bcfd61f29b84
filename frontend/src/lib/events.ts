/** Durable events in words, and how they look. */

import type { Happened } from '../generated/protocol';
import { words } from './format';

/** How an event looks: a colour and a shape each, so that neither is needed alone. */
export interface Tone {
  name: 'info' | 'good' | 'warning' | 'bad' | 'you';
  shape: string;
  glyph: string;
  text: string;
}

const TONES: Record<Tone['name'], Tone> = {
  info: { name: 'info', shape: 'rounded-full bg-flow', glyph: '●', text: 'text-flow' },
  good: { name: 'good', shape: 'rounded-full bg-ok', glyph: '✓', text: 'text-ok' },
  warning: { name: 'warning', shape: 'rotate-45 bg-warn', glyph: '◆', text: 'text-warn' },
  bad: { name: 'bad', shape: 'bg-bad', glyph: '■', text: 'text-bad' },
  you: { name: 'you', shape: 'rounded-full bg-ink-2', glyph: '▸', text: 'text-ink-2' },
};

/** How `event` looks in the feed and on the timeline. */
export function toneOf(event: Happened): Tone {
  if (event.notable) return TONES[event.notable.severity];
  if (event.what === 'stopped') return TONES.warning;
  return event.what === 'restored' ? TONES.info : TONES.you;
}

/** `event` in a few words. */
export function eventTitle(event: Happened): string {
  if (event.notable) return event.notable.title;
  const action = event.intervention?.action;
  if (action?.type === 'set_param') return `${words(action.param)} = ${action.value ?? 'off'}`;
  if (action?.type === 'fault') return words(action.fault);
  if (action?.type === 'clear_faults') return 'faults ended';
  if (action?.type === 'edit') return 'drawing changed';
  return {
    branch: 'another future begins',
    reset: 'back to the start',
    stopped: 'run stopped',
    restored: 'run restored',
  }[event.what as 'branch' | 'reset' | 'stopped' | 'restored'];
}

/** The rest of what there is to say about `event`. */
export function eventDetail(event: Happened): string {
  if (event.notable) return event.notable.detail;
  return event.detail;
}

/** The block or edge that `event` is about, if any. */
export function eventTarget(event: Happened): string | null {
  if (event.notable) return event.notable.target;
  const action = event.intervention?.action;
  return action && 'target' in action ? action.target : null;
}
