/** Notable moments named beside the block where they happened, for a few seconds of the viewer's time. */

import type { Notable } from '../../generated/protocol';
import type { Colours } from './colours';
import type { Placed, Scene } from './scene';

const SHOWN_MS = 5_000;
const FADE_MS = 500;
/** More at once would cover the cards that they are about. */
const SHOWN_AT_ONCE = 3;
const WIDTH_MAX = 230;
/** Between a flag and its card, screen pixels. */
const GAP = 6;
const TITLE = '600 12px "Inter Variable", sans-serif';
const TEXT = '400 11.5px "Inter Variable", sans-serif';

interface Flag {
  notable: Notable;
  since: number;
  lines: string[] | null;
  width: number;
  height: number;
}

interface Spot {
  x: number;
  y: number;
}
interface Box extends Spot {
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
    const taken = scene.blocks.map((block) => onScreen(block, scene));
    for (const [target, flag] of this.flags) {
      const age = now - flag.since;
      if (age > SHOWN_MS) {
        this.flags.delete(target);
        continue;
      }
      measure(context, flag);
      const place = this.place(target, flag, scene, taken);
      if (!place) continue;
      taken.push({ ...place, width: flag.width, height: flag.height });
      context.globalAlpha = Math.min(1, (SHOWN_MS - age) / FADE_MS, age / 120);
      drawFlag(context, flag, place.x, place.y, colours);
    }
    context.globalAlpha = 1;
  }

  /** Where a flag covers the least of the cards and of older flags: below the block that it is about, above it, or beside it. */
  private place(target: string, flag: Flag, scene: Scene, taken: readonly Box[]): Spot | null {
    const own = taken[scene.blocks.findIndex((block) => block.id === target)];
    if (!own) return this.placeOnCurve(target, flag, scene);
    const spots = [
      { x: own.x, y: own.y + own.height + GAP },
      { x: own.x, y: own.y - flag.height - GAP },
      { x: own.x + own.width - flag.width, y: own.y + own.height + GAP },
      { x: own.x + own.width - flag.width, y: own.y - flag.height - GAP },
      { x: own.x + own.width + GAP, y: own.y },
      { x: own.x - flag.width - GAP, y: own.y },
    ].map((spot) => inside(spot, flag, scene));
    const covered = spots.map((spot) => taken.reduce((sum, box) => sum + overlap(spot, flag, box), 0));
    return spots[covered.indexOf(Math.min(...covered))]!;
  }

  private placeOnCurve(target: string, flag: Flag, scene: Scene): Spot | null {
    const curve = scene.curves.get(target);
    if (!curve) return null;
    const middle = {
      x: ((curve.sx + curve.tx) / 2) * scene.zoom + scene.left - 60,
      y: ((curve.sy + curve.ty) / 2) * scene.zoom + scene.top + 12,
    };
    return inside(middle, flag, scene);
  }
}

function onScreen(block: Placed, { zoom, left, top }: Scene): Box {
  return {
    x: block.x * zoom + left,
    y: block.y * zoom + top,
    width: block.width * zoom,
    height: block.height * zoom,
  };
}

/** `spot`, moved so far that the flag is in view. */
function inside(spot: Spot, flag: Flag, scene: Scene): Spot {
  return {
    x: Math.max(6, Math.min(spot.x, scene.width - flag.width - 6)),
    y: Math.max(6, Math.min(spot.y, scene.height - flag.height - 6)),
  };
}

/** The area that a flag at `spot` covers of `box`. */
function overlap(spot: Spot, flag: Flag, box: Box): number {
  const width = Math.min(spot.x + flag.width, box.x + box.width) - Math.max(spot.x, box.x);
  const height = Math.min(spot.y + flag.height, box.y + box.height) - Math.max(spot.y, box.y);
  return Math.max(0, width) * Math.max(0, height);
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
