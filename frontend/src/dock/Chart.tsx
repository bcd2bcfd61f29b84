/** One chart of the dock. It draws when its data changed, a few times a second at most, and never through React. */

import { useEffect, useMemo, useRef } from 'react';
import type uPlot from 'uplot';
import { seek } from '../run/controller';
import { series } from '../run/history';
import { live } from '../run/live';
import { useLive } from '../run/use-live';
import { useUi } from '../state/ui';
import { type Line, makePlot } from './plot';

const DRAW_EVERY_MS = 250;
const WINDOW_S = 120;

interface Props {
  title: string;
  lines: Line[];
  /** What the chart shows at a bucket: the record's value, turned into the chart's unit. */
  scale?: number;
  format: (value: number) => string;
  /** The present figure beside the title. */
  now: () => string;
  testId: string;
  empty?: string;
  /** What the title says to whoever points at it. */
  hint?: string;
}

/** A titled chart with its legend. */
export function Chart({ title, lines, scale = 1, format, now, testId, empty, hint }: Props) {
  const ref = useRef<HTMLDivElement>(null);
  const dark = useUi((state) => state.dark);
  const text = useLive(now, 300);
  const shape = lines.map((line) => `${line.name}:${line.colour}`).join('|');
  // biome-ignore lint/correctness/useExhaustiveDependencies: lines are made anew by their owner; their shape is what counts
  const kept = useMemo(() => lines, [shape]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme means other colours
  useEffect(() => {
    const parent = ref.current!;
    const size = () => ({ width: Math.max(80, parent.clientWidth), height: Math.max(50, parent.clientHeight) });
    const plot = makePlot(parent, kept, size(), format, (seconds) => void seek(seconds * 1e9));
    const observer = new ResizeObserver(() => plot.setSize(size()));
    observer.observe(parent);
    let seen = -1;
    let drawnAt = -1;
    const draw = () => {
      const t = live.frame?.t ?? 0;
      if (seen === series.version && drawnAt === t) return;
      seen = series.version;
      drawnAt = t;
      fill(plot, kept, scale);
    };
    draw();
    const timer = setInterval(draw, DRAW_EVERY_MS);
    return () => {
      clearInterval(timer);
      observer.disconnect();
      plot.destroy();
    };
  }, [kept, scale, format, dark]);

  return (
    <figure aria-label={title} data-testid={testId} className="flex h-full min-h-0 min-w-0 flex-col px-2 pb-1 pt-2">
      <figcaption className="px-1">
        <span className="flex items-baseline justify-between gap-2">
          <h2 className="text-xs font-semibold" title={hint}>
            {title}
          </h2>
          <span className="num shrink-0 text-xs text-ink">{text}</span>
        </span>
        <span className="flex h-4 min-w-0 gap-2.5 overflow-hidden whitespace-nowrap text-2xs text-ink-2">
          {kept.map((line) => (
            <span key={line.name} className="flex min-w-0 items-center gap-1">
              <svg width="12" height="4" aria-hidden className="shrink-0">
                <line
                  x1="0"
                  x2="12"
                  y1="2"
                  y2="2"
                  stroke={`var(${line.colour})`}
                  strokeWidth="2"
                  strokeDasharray={line.dash?.join(' ')}
                />
              </svg>
              <span className="truncate">{line.label}</span>
            </span>
          ))}
        </span>
      </figcaption>
      <div className="relative min-h-0 flex-1">
        <div ref={ref} className="absolute inset-0 cursor-crosshair overflow-hidden" />
        {!kept.length && <p className="absolute inset-0 grid place-items-center text-xs text-ink-3">{empty}</p>}
      </div>
    </figure>
  );
}

function fill(plot: uPlot, lines: Line[], scale: number): void {
  const times = series.times();
  const columns = lines.map((line) => {
    const values = series.column(line.name);
    return scale === 1 ? values : values.map((value) => (value === null ? null : value * scale));
  });
  const last = Math.max(10, times.at(-1) ?? 0, (live.frame?.t ?? 0) / 1e9);
  plot.batch(() => {
    plot.setData([times, ...columns] as uPlot.AlignedData, true);
    plot.setScale('x', { min: Math.max(0, last - WINDOW_S), max: last });
  });
}
