/**
 * The one layer that draws everything which changes per frame. It lies above the cards and lets clicks through; what belongs
 * below the cards (flow, particles) is drawn first and cut out where a card stands, so that cards stay ordinary DOM.
 */

import { useStoreApi } from '@xyflow/react';
import { useEffect, useRef } from 'react';
import type { Happened } from '../generated/protocol';
import { live } from '../run/live';
import { useSession } from '../state/session';
import { useUi } from '../state/ui';
import { CellPainter } from './overlay/cells';
import { type Colours, readColours } from './overlay/colours';
import { FigureBook } from './overlay/figures';
import { Flags } from './overlay/flags';
import { FlowLines } from './overlay/flow';
import { drawGauges } from './overlay/gauges';
import { Particles } from './overlay/particles';
import { type Scene, SceneReader } from './overlay/scene';
import { publishStates } from './states';

/** Particles under the pointer, for whoever handles a click on the canvas. */
export const pick: { trace(x: number, y: number): number | null } = { trace: () => null };

/** Frames drawn lately, for the bench: counted here because only here it is known. */
export const drawn = { frames: 0 };

/** Told again after a reload, a moment long past needs no flag. */
function isNew(event: Happened): boolean {
  const now = live.frame?.t ?? 0;
  return event.at_ns >= now - Math.max(2e9, 5e9 * (live.frame?.speed ?? 0));
}

class Painter {
  private readonly reader = new SceneReader();
  private readonly particles = new Particles();
  private readonly flow = new FlowLines();
  private readonly book = new FigureBook();
  private readonly cells = new CellPainter();
  private readonly flags = new Flags();
  private readonly still = matchMedia('(prefers-reduced-motion: reduce)');
  private colours: Colours = readColours();
  private scene: Scene | null = null;

  constructor(private readonly canvas: HTMLCanvasElement) {}

  /** Hears frames, notables and theme changes; gives the way to stop. */
  follow(): () => void {
    const stops = [
      live.onFrame((frame, before) => {
        if (!this.still.matches) this.particles.launch(frame, before, live.layout?.edges ?? [], performance.now());
      }),
      useSession.subscribe((state, before) => {
        if (state.runId !== before.runId) this.flags.clear();
        const [event] = state.events.slice(-1);
        if (state.events !== before.events && event?.notable && isNew(event))
          this.flags.raise(event.notable, performance.now());
      }),
      useUi.subscribe((state, before) => {
        if (state.dark !== before.dark) this.colours = readColours();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** The request whose particle is at a point of the screen, relative to the canvas. */
  traceAt(x: number, y: number): number | null {
    const { scene } = this;
    return scene ? this.particles.traceNear((x - scene.left) / scene.zoom, (y - scene.top) / scene.zoom, scene) : null;
  }

  /** Draws one animation frame. */
  paint(state: Parameters<SceneReader['read']>[0], now: number): void {
    const { catalogue } = useSession.getState();
    const context = this.canvas.getContext('2d');
    if (!context || !catalogue) return;
    const scene = this.reader.read(state);
    this.scene = scene;
    const scale = window.devicePixelRatio || 1;
    this.fit(scene, scale);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const zoom = scene.zoom * scale;
    context.setTransform(zoom, 0, 0, zoom, scene.left * scale, scene.top * scale);
    this.flow.draw(context, scene, live, this.colours);
    this.particles.advance(now, live.playing);
    if (!this.still.matches) this.particles.draw(context, scene, this.colours);
    for (const block of scene.blocks) context.clearRect(block.x + 1, block.y + 1, block.width - 2, block.height - 2);
    if (this.book.update(scene.blocks, catalogue, live, now)) publishStates(scene.blocks, this.book);
    drawGauges(context, scene, catalogue, this.book, this.cells, live, this.colours);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    this.flags.draw(context, scene, this.colours, now);
  }

  private fit(scene: Scene, scale: number): void {
    const width = Math.round(scene.width * scale);
    const height = Math.round(scene.height * scale);
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
  }
}

/** The overlay of the canvas; must be inside React Flow. */
export function Overlay() {
  const ref = useRef<HTMLCanvasElement>(null);
  const store = useStoreApi();
  useEffect(() => {
    const painter = new Painter(ref.current!);
    const stop = painter.follow();
    pick.trace = (x, y) => painter.traceAt(x, y);
    let handle = requestAnimationFrame(function frame(now) {
      painter.paint(store.getState(), now);
      drawn.frames += 1;
      handle = requestAnimationFrame(frame);
    });
    return () => {
      cancelAnimationFrame(handle);
      stop();
    };
  }, [store]);
  return (
    <canvas
      ref={ref}
      data-testid="overlay"
      aria-hidden
      className="pointer-events-none absolute inset-0 z-[4] h-full w-full"
    />
  );
}
