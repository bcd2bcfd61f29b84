/** Durable events in words, and how they look. */

import type { Catalogue, Design, Happened } from '../generated/protocol';
import { specOf } from './catalogue';
import { changeTitle, paramTitle } from './changes';
import { words } from './format';
import { applied } from './sync';

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

/** `event` in a few words; `before` is the drawing that ran before it, where the page knows that. */
export function eventTitle(
  event: Happened,
  catalogue: Catalogue,
  design: Design,
  before: Design | null = null,
): string {
  if (event.notable) return event.notable.title;
  const action = event.intervention?.action;
  if (event.intervention && before && (action?.type === 'set_param' || action?.type === 'edit')) {
    const after = applied(before, event.intervention);
    const title = changeTitle(catalogue, before, after, design);
    if (title !== 'drawing changed' || action.type === 'edit') return title;
  }
  if (action?.type === 'set_param') {
    const { target, param: name, value } = action;
    const param = declared(catalogue, design, target)?.params.find((candidate) => candidate.name === name);
    return paramTitle(catalogue, design, { target, param, name, value });
  }
  if (action?.type === 'fault') {
    const fault = declared(catalogue, design, action.target)?.faults.find(({ name }) => name === action.fault);
    return fault?.label ?? words(action.fault);
  }
  if (action?.type === 'clear_faults') return 'faults ended';
  if (action?.type === 'edit') return 'drawing changed';
  return {
    branch: 'another future begins',
    reset: 'back to the start',
    stopped: 'run stopped',
    restored: 'run restored',
  }[event.what as 'branch' | 'reset' | 'stopped' | 'restored'];
}

/** What the catalogue declares for the block or edge `target`; undefined for a block that is no longer drawn. */
function declared(catalogue: Catalogue, design: Design, target: string) {
  if (design.edges.some((edge) => edge.id === target)) return catalogue.edge;
  const block = design.blocks.find((candidate) => candidate.id === target);
  return block && specOf(catalogue, block.kind);
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
