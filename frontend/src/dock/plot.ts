/** uPlot as these charts use it: thin lines, one shared cursor, the present as a line, gaps as gaps. */

import uPlot from 'uplot';
import { live } from '../run/live';

/** One line of a chart. `colour` is a CSS variable's name. */
export interface Line {
  name: string;
  label: string;
  colour: string;
  dash?: number[];
  fill?: boolean;
}

const SYNC = uPlot.sync('run');

function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Draws the present over the lines. */
function presentLine(): uPlot.Plugin {
  return {
    hooks: {
      draw: (plot) => {
        if (!live.frame) return;
        const x = Math.round(plot.valToPos(live.frame.t / 1e9, 'x', true));
        const { left, top, width, height } = plot.bbox;
        if (x < left || x > left + width) return;
        const { ctx } = plot;
        ctx.save();
        ctx.strokeStyle = css('--accent');
        ctx.globalAlpha = 0.7;
        ctx.setLineDash([3, 3]);
        ctx.beginPath();
        ctx.moveTo(x, top);
        ctx.lineTo(x, top + height);
        ctx.stroke();
        ctx.restore();
      },
    },
  };
}

/** A plot of `lines` in `parent`; values are written with `format`, a click asks for its time. */
export function makePlot(
  parent: HTMLElement,
  lines: Line[],
  size: { width: number; height: number },
  format: (value: number) => string,
  onClick: (seconds: number) => void,
): uPlot {
  const font = '11px "JetBrains Mono Variable", monospace';
  const axis = { stroke: css('--ink-3'), font, grid: { stroke: css('--line'), width: 1 }, ticks: { show: false } };
  const plot = new uPlot(
    {
      ...size,
      padding: [6, 22, 0, 0],
      plugins: [presentLine()],
      cursor: { sync: { key: SYNC.key }, drag: { x: false, y: false }, points: { size: 5 } },
      scales: { x: { time: false }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] } },
      axes: [
        { ...axis, size: 22, gap: 3, space: 60, values: (_, ticks) => ticks.map((tick) => `${tick} s`) },
        { ...axis, size: 54, gap: 4, space: 28, values: (_, ticks) => ticks.map((tick) => format(tick)) },
      ],
      series: [
        {},
        ...lines.map((line) => ({
          label: line.label,
          stroke: css(line.colour),
          width: 1.4,
          dash: line.dash,
          fill: line.fill ? `color-mix(in srgb, ${css(line.colour)} 12%, transparent)` : undefined,
          points: { show: false },
          spanGaps: false,
        })),
      ],
    },
    [[], ...lines.map(() => [])] as uPlot.AlignedData,
    parent,
  );
  plot.over.addEventListener('click', () => {
    const { left } = plot.cursor;
    if (left !== undefined && left !== null && left >= 0) onClick(plot.posToVal(left, 'x'));
  });
  return plot;
}
