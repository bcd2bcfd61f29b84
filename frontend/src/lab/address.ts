/** What the lab shows, as the part of the address behind #: a reload and a link both come back to it. */

import { SHUFFLE_SEED_MAX } from '../generated/protocol';

/** A schedule and how far it is taken. `template` names the script where it is one that comes with the lab, else `script` is its text. */
export interface Shown {
  template: string | null;
  script: string | null;
  dialect: string | null;
  level: string | null;
  shuffle: number | null;
  /** How many steps are taken; null: all. */
  step: number | null;
}

const SCRIPT_CHARACTERS_IN_ADDRESS = 6_000;

function whole(text: string | null, most: number): number | null {
  if (text === null || !/^\d+$/.test(text)) return null;
  return Math.min(Number(text), most);
}

/** The address part for `shown`, without #. A script that is too long for an address is left out: the browser's storage has it. */
export function toHash(shown: Shown): string {
  const parts = new URLSearchParams();
  if (shown.template) parts.set('template', shown.template);
  else if (shown.script !== null && shown.script.length <= SCRIPT_CHARACTERS_IN_ADDRESS)
    parts.set('script', shown.script);
  if (shown.dialect) parts.set('dialect', shown.dialect);
  if (shown.level) parts.set('level', shown.level);
  if (shown.shuffle !== null) parts.set('shuffle', String(shown.shuffle));
  if (shown.step !== null) parts.set('step', String(shown.step));
  return parts.toString();
}

/** What an address part shows; null where it is empty. Anything odd in it counts as not there. */
export function fromHash(hash: string): Shown | null {
  const parts = new URLSearchParams(hash.replace(/^#/, ''));
  if (![...parts.keys()].length) return null;
  return {
    template: parts.get('template'),
    script: parts.get('script'),
    dialect: parts.get('dialect'),
    level: parts.get('level'),
    shuffle: whole(parts.get('shuffle'), SHUFFLE_SEED_MAX),
    step: whole(parts.get('step'), 10_000),
  };
}
