/** Flow on edges: thickness and opacity by rate, failures as a second, dashed stroke in their own colour. */

import type { Live } from '../../run/live';
import type { Colours } from './colours';
import { trace } from './geometry';
import type { Scene } from './scene';

/** Stroke width for calls per second: a line grows by the same amount with each tenfold rate. */
export function flowWidth(rate: number): number {
  return rate <= 0 ? 0 : 1.5 + 1.7 * Math.log10(1 + rate);
}

interface Flow {
  width: number;
  failing: number;
}

/** Draws all edges. Rates are read when a frame came, and eased in between so that lines swell instead of jumping. */
export class FlowLines {
  private shown = new Map<string, Flow>();

  /** Draws the flow on every edge of the scene. */
  draw(context: CanvasRenderingContext2D, scene: Scene, live: Live, colours: Colours): void {
    const ease = 0.12;
    context.lineCap = 'round';
    for (const [id, curve] of scene.curves) {
      const rate = live.edgeRate(id, 'attempts') ?? 0;
      const failed = live.edgeRate(id, 'failed') ?? 0;
      const flow = this.shown.get(id) ?? { width: 0, failing: 0 };
      this.shown.set(id, flow);
      flow.width += (flowWidth(rate) - flow.width) * ease;
      flow.failing += ((rate > 0 ? Math.min(1, failed / rate) : 0) - flow.failing) * ease;
      if (flow.width < 0.2) continue;
      context.beginPath();
      trace(context, curve);
      context.globalAlpha = 0.16 + Math.min(0.2, flow.width / 50);
      context.strokeStyle = colours.flow;
      context.lineWidth = flow.width;
      context.stroke();
      if (flow.failing > 0.001) this.drawFailing(context, flow, colours);
    }
    context.globalAlpha = 1;
  }

  private drawFailing(context: CanvasRenderingContext2D, flow: Flow, colours: Colours): void {
    const dash = 4 + 14 * flow.failing;
    context.setLineDash([dash, 18 - dash + 4]);
    context.globalAlpha = 0.2 + 0.35 * flow.failing;
    context.strokeStyle = colours.bad;
    context.lineWidth = Math.max(2, flow.width * 0.7);
    context.stroke();
    context.setLineDash([]);
  }
}
