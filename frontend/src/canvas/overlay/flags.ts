/** Notable moments named beside the block where they happened, for a few seconds of the viewer's time. */

import type { Notable } from '../../generated/protocol';
import type { Colours } from './colours';
import type { Scene } from './scene';

const SHOWN_MS = 5_000;
const FADE_MS = 500;
/** More at once would cover the cards that they are about. */
const SHOWN_AT_ONCE = 3;
const WIDTH_MAX = 260;
const TITLE = '600 12px "Inter Variable", sans-serif';
const TEXT = '400 11.5px "Inter Variable", sans-serif';

interface Flag {
  notable: Notable;
  since: number;
  lines: string[] | null;
  width: number;
  height: number;
}

/** The flags that are up. */
export class Flags {
  private flags = new Map<string, Flag>();

  /** Raises a flag at the notable's block; it replaces an older one there. */
  raise(notable: Notable, now: number): void {
    if (!notable.target) return;
    // Behind the others in the map's order, so that the oldest one comes first.
    this.flags.delete(notable.target);
    this.flags.set(notable.target, { notable, since: now, lines: null, width: 0, height: 0 });
    const [oldest] = this.flags.keys();
    if (this.flags.size > SHOWN_AT_ONCE && oldest !== undefined) this.flags.delete(oldest);
  }

  /** Takes all flags down. */
  clear(): void {
    this.flags.clear();
  }

  /** Draws them in screen pixels, so that they can be read at any zoom. */
  draw(context: CanvasRenderingContext2D, scene: Scene, colours: Colours, now: number): void {
    for (const [target, flag] of this.flags) {
      const age = now - flag.since;
      if (age > SHOWN_MS) {
        this.flags.delete(target);
        continue;
      }
      const place = this.place(target, scene);
      if (!place) continue;
      measure(context, flag);
      place.x = Math.max(6, Math.min(place.x, scene.width - flag.width - 6));
      place.y = Math.max(6, Math.min(place.y, scene.height - flag.height - 6));
      context.globalAlpha = Math.min(1, (SHOWN_MS - age) / FADE_MS, age / 120);
      drawFlag(context, flag, place.x, place.y, colours);
    }
    context.globalAlpha = 1;
  }

  private place(target: string, scene: Scene): { x: number; y: number } | null {
    const block = scene.blocks.find((candidate) => candidate.id === target);
    if (block)
      return { x: block.x * scene.zoom + scene.left, y: (block.y + block.height) * scene.zoom + scene.top + 8 };
    const curve = scene.curves.get(target);
    if (!curve) return null;
    return {
      x: ((curve.sx + curve.tx) / 2) * scene.zoom + scene.left - 60,
      y: ((curve.sy + curve.ty) / 2) * scene.zoom + scene.top + 12,
    };
  }
}

function wrap(context: CanvasRenderingContext2D, text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line ? `${line} ${word}` : word;
    if (line && context.measureText(longer).width > WIDTH_MAX - 20) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  if (line) lines.push(line);
  return lines.slice(0, 3);
}

/** Works out a flag's lines and size, once. */
function measure(context: CanvasRenderingContext2D, flag: Flag): void {
  if (flag.lines) return;
  context.font = TITLE;
  const title = context.measureText(flag.notable.title).width;
  context.font = TEXT;
  flag.lines = wrap(context, flag.notable.detail);
  const widest = Math.max(title, ...flag.lines.map((line) => context.measureText(line).width));
  flag.width = Math.min(WIDTH_MAX, widest + 20);
  flag.height = 24 + flag.lines.length * 15 + (flag.lines.length ? 4 : 0);
}

function drawFlag(context: CanvasRenderingContext2D, flag: Flag, x: number, y: number, colours: Colours): void {
  const { notable } = flag;
  const colour = { info: colours.flow, good: colours.ok, warning: colours.warn, bad: colours.bad }[notable.severity];
  const { width, height } = flag;
  const lines = flag.lines ?? [];
  context.fillStyle = colours.panel;
  context.strokeStyle = colour;
  context.lineWidth = 1.25;
  context.beginPath();
  context.roundRect(x, y, width, height, 7);
  context.fill();
  context.stroke();
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.font = TITLE;
  context.fillStyle = colour;
  context.fillText(notable.title, x + 10, y + 13, width - 18);
  context.font = TEXT;
  context.fillStyle = colours.ink2;
  for (const [index, line] of lines.entries()) context.fillText(line, x + 10, y + 31 + index * 15);
}
