/** Sampled calls and replies on their way. Each particle is one hop of one real request, and can be clicked. */

import { PARTICLE_LOOKS, PARTICLES, type ParticleLook, particleLook } from '../../lib/particles';
import { traceShape } from '../../lib/shapes';
import { type Frame, hopAt, hopCount } from '../../run/frames';
import type { Colours } from './colours';
import { type Curve, pointAt } from './geometry';
import type { Scene } from './scene';

const ALIVE_MAX = 3_000;
/** While the run stands, what a step sent off comes as far as this lets it, and stays there to be clicked. */
const SHOWN_OF_A_STEP_MS = 300;
/** Launched with each frame: enough to see where traffic goes, few enough to follow one with the eye. */
const LAUNCHED_PER_WAY = 1;
const LAUNCHED_MAX = 70;
const LOOKED_AT_MAX = 800;
/** Screen pixels between two particles that go the same way, at least. */
const SPACING = 13;
/** Real latencies are far below what an eye can follow, so a hop takes this long on the screen at least. */
const TRAVEL_MS = 700;
const TRAVEL_MS_MAX = 6_000;
const HIT_PIXELS = 9;

interface Particle {
  edge: string;
  trace: number;
  reply: boolean;
  look: ParticleLook;
  start: number;
  duration: number;
  aside: number;
}

/** All particles of the run that is shown. Times are on the particles' own clock, which stands still while the run does. */
export class Particles {
  private alive: Particle[] = [];
  private clock = 0;
  private wall = 0;
  private runsUntil = 0;
  private interval = 33;
  private lastFrame = 0;
  private scene: Scene | null = null;
  /** When the last particle left, by edge and direction. */
  private lastLeft = new Map<string, number>();

  /** Forgets all of them (a seek, another run). */
  clear(): void {
    this.alive = [];
    this.lastLeft.clear();
  }

  /** Sends off the hops of a new frame, spread over the time until the next one is expected. */
  launch(frame: Frame, before: Frame | null, edges: readonly string[], now: number): void {
    if (!before) this.clear();
    this.interval += (Math.min(200, now - this.lastFrame) - this.interval) * 0.2;
    this.lastFrame = now;
    const hops = hopCount(frame);
    if (!hops) return;
    this.runsUntil = now + SHOWN_OF_A_STEP_MS;
    const from = before ? before.t : frame.t - 33e6;
    const span = Math.max(1, frame.t - from);
    for (const index of chosen(frame, hops)) {
      const hop = hopAt(frame, index);
      const edge = edges[hop.edge];
      if (edge === undefined || this.alive.length >= ALIVE_MAX) continue;
      const delay = Math.max(0, Math.min(1, (hop.left - from) / span)) * this.interval;
      const real = (hop.arrives - hop.left) / 1e6 / Math.max(frame.speed, 0.001);
      const start = this.clock + delay;
      if (!this.hasRoom(edge, hop.reply, start)) continue;
      this.alive.push({
        edge,
        trace: hop.trace,
        reply: hop.reply,
        look: particleLook(hop),
        start,
        duration: Math.max(TRAVEL_MS, Math.min(TRAVEL_MS_MAX, Number.isFinite(real) ? real : 0)),
        aside: (Math.random() - 0.5) * 5,
      });
    }
  }

  /** Whether a particle that leaves at `start` keeps its distance from the one before it; takes the place where it does. */
  private hasRoom(edge: string, reply: boolean, start: number): boolean {
    const way = reply ? `${edge}<` : edge;
    const length = (this.scene?.curves.get(edge)?.length ?? 200) * (this.scene?.zoom ?? 1);
    const gap = (TRAVEL_MS * SPACING) / Math.max(SPACING, length);
    if (start - (this.lastLeft.get(way) ?? Number.NEGATIVE_INFINITY) < gap) return false;
    this.lastLeft.set(way, start);
    return true;
  }

  /** Lets their clock go on to `now` (wall milliseconds) and takes out those that arrived. */
  advance(now: number, playing: boolean): void {
    const passed = Math.min(100, now - this.wall);
    this.wall = now;
    if (playing || now < this.runsUntil) this.clock += passed;
    const { clock } = this;
    let kept = 0;
    for (const particle of this.alive) {
      if (clock - particle.start < particle.duration) this.alive[kept++] = particle;
    }
    this.alive.length = kept;
  }

  /** Draws all of them, one path a look. */
  draw(context: CanvasRenderingContext2D, scene: Scene, colours: Colours): void {
    this.scene = scene;
    const unit = 1 / Math.max(0.5, Math.min(1.4, scene.zoom));
    for (const look of PARTICLE_LOOKS) this.drawLook(context, scene, look, colours, unit);
  }

  /** The request whose particle is nearest to a point on the canvas, if one is near enough to be meant. */
  traceNear(x: number, y: number, scene: Scene): number | null {
    let best = HIT_PIXELS / scene.zoom;
    let found: number | null = null;
    for (const particle of this.alive) {
      if (particle.trace <= 0 || !this.place(particle, scene)) continue;
      const distance = Math.hypot(spot.x - x, spot.y - y);
      if (distance < best) {
        best = distance;
        found = particle.trace;
      }
    }
    return found;
  }

  private place(particle: Particle, scene: Scene): Curve | undefined {
    const curve = scene.curves.get(particle.edge);
    const part = (this.clock - particle.start) / particle.duration;
    if (!curve || part < 0) return undefined;
    pointAt(curve, particle.reply ? 1 - part : part, particle.aside, spot);
    return curve;
  }

  private drawLook(
    context: CanvasRenderingContext2D,
    scene: Scene,
    look: ParticleLook,
    colours: Colours,
    unit: number,
  ): void {
    const { shape, role, opacity } = PARTICLES[look];
    let any = false;
    context.beginPath();
    for (const particle of this.alive) {
      if (particle.look !== look || !this.place(particle, scene)) continue;
      traceShape(context, shape, spot.x, spot.y, unit);
      any = true;
    }
    if (!any) return;
    context.globalAlpha = opacity;
    context.fillStyle = colours[role];
    // A ring's hole must stay one; where two rings cross, a few pixels are left out, which nobody sees.
    context.fill(shape.length > 1 ? 'evenodd' : 'nonzero');
    context.globalAlpha = 1;
  }
}

/** Which hops of a frame are shown: an even choice, failures before successes, and few enough an edge to see each. */
function chosen(frame: Frame, hops: number): number[] {
  const picks: number[] = [];
  const onEdge = new Map<number, number>();
  const take = (index: number, failed: boolean) => {
    const hop = hopAt(frame, index);
    if (hop.outcome > 0 !== failed) return;
    const way = hop.edge * 2 + (hop.reply ? 1 : 0);
    const taken = onEdge.get(way) ?? 0;
    if (taken >= LAUNCHED_PER_WAY) return;
    onEdge.set(way, taken + 1);
    picks.push(index);
  };
  const step = Math.max(1, Math.floor(hops / LOOKED_AT_MAX));
  for (const failed of [true, false]) {
    for (let index = 0; index < hops && picks.length < LAUNCHED_MAX; index += step) take(index, failed);
  }
  return picks;
}

/** Reused, so that thousands of particles a frame make no garbage. */
const spot = { x: 0, y: 0 };
