/** The run's whole time: drag, click or use the keys to go anywhere that it has been. */

import { useEffect, useMemo, useRef, useState } from 'react';
import type { Happened } from '../generated/protocol';
import { eventTitle, toneOf } from '../lib/events';
import { clock, moment } from '../lib/format';
import { seek } from '../run/controller';
import { live } from '../run/live';
import { useDesign } from '../state/design';
import { designsBefore, useSession } from '../state/session';

const SEEK_EVERY_MS = 120;
const MARKS_MAX = 120;
const LABELS_MAX = 5;
/** Least distance of two labels as a share of the timeline: one and a half times their greatest width, `13cqw`. */
const LABEL_GAP = 0.2;
const PAD = 14;

/** The timeline over the charts. */
export function Timeline() {
  const state = useSession((session) => session.state);
  const events = useSession((session) => session.events);
  const mayControl = useSession((session) => session.mayControl);
  const track = useRef<HTMLDivElement>(null);
  const [dragging, setDragging] = useState<number | null>(null);
  const until = Math.max(1, state?.until_ns ?? 60e9, state?.furthest_ns ?? 0);
  const furthest = state?.furthest_ns ?? 0;
  const go = useSeeker();
  usePlayhead(track, until, dragging);

  const timeAt = (clientX: number) => {
    const bounds = track.current!.getBoundingClientRect();
    const share = (clientX - bounds.left) / bounds.width;
    return Math.min(live.frame?.furthest ?? furthest, Math.max(0, share * until));
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const now = live.frame?.t ?? 0;
    const far = Math.max(live.frame?.furthest ?? 0, furthest);
    const by = (event.shiftKey ? 10e9 : 1e9) * (until < 5e9 ? 0.01 : 1);
    const to = { ArrowLeft: now - by, ArrowRight: now + by, Home: 0, End: far }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    void seek(Math.min(far, Math.max(0, to)));
  };
  return (
    <div className="relative h-11 select-none" style={{ paddingInline: PAD }}>
      <div
        ref={track}
        role="slider"
        tabIndex={0}
        aria-label="Time of the run"
        aria-valuemin={0}
        aria-valuemax={Math.round(furthest / 1e6)}
        aria-valuenow={Math.round((state?.now_ns ?? 0) / 1e6)}
        aria-valuetext={clock(state?.now_ns ?? 0)}
        aria-disabled={!mayControl}
        data-testid="timeline"
        className="@container relative h-full cursor-pointer touch-none rounded"
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          if (!state || !mayControl) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          const at = timeAt(event.clientX);
          setDragging(at);
          go(at, true);
        }}
        onPointerMove={(event) => {
          if (dragging === null) return;
          const at = timeAt(event.clientX);
          setDragging(at);
          go(at, false);
        }}
        onPointerUp={(event) => {
          if (dragging === null) return;
          go(timeAt(event.clientX), true);
          setDragging(null);
        }}
        onPointerCancel={() => setDragging(null)}
      >
        <div className="absolute inset-x-0 top-[27px] h-[3px] rounded bg-line" />
        <div data-furthest className="absolute left-0 top-[27px] h-[3px] rounded bg-line-strong" />
        <div data-played className="absolute left-0 top-[27px] h-[3px] rounded bg-accent" />
        <Marks events={events} until={until} />
        <div
          data-head
          className="pointer-events-none absolute top-[21px] size-[15px] -translate-x-1/2 rounded-full border-2 border-panel bg-accent"
        />
        {dragging !== null && (
          <span
            className="num pointer-events-none absolute -top-0.5 -translate-x-1/2 rounded bg-accent px-1 text-2xs text-accent-ink"
            style={{ left: `${(100 * dragging) / until}%` }}
          >
            {clock(dragging)}
          </span>
        )}
      </div>
    </div>
  );
}

/** Seeks while dragging, but not faster than the engine can be expected to follow. */
function useSeeker() {
  const lastAt = useRef(0);
  return (ns: number, surely: boolean) => {
    const now = performance.now();
    if (!surely && now - lastAt.current < SEEK_EVERY_MS) return;
    lastAt.current = now;
    void seek(ns);
  };
}

/** Moves the head each animation frame without rendering. */
function usePlayhead(track: React.RefObject<HTMLDivElement | null>, until: number, dragging: number | null): void {
  useEffect(() => {
    const part = (name: string) => track.current?.querySelector<HTMLElement>(`[data-${name}]`);
    const head = part('head');
    const played = part('played');
    const furthest = part('furthest');
    let handle = requestAnimationFrame(function move(now) {
      const time = dragging ?? live.timeNow(now);
      const share = `${Math.min(100, (100 * time) / until)}%`;
      if (head && head.style.left !== share) head.style.left = share;
      if (played && played.style.width !== share) played.style.width = share;
      const far = `${Math.min(100, (100 * (live.frame?.furthest ?? 0)) / until)}%`;
      if (furthest && furthest.style.width !== far) furthest.style.width = far;
      handle = requestAnimationFrame(move);
    });
    return () => cancelAnimationFrame(handle);
  }, [track, until, dragging]);
}

/** Labels stand over their mark, except where they would leave the timeline. */
function labelSide(share: number): string {
  if (share < 0.07) return '-left-2';
  return share > 0.93 ? 'right-0' : '-translate-x-1/2';
}

/** The latest moments as marks; the last few that do not stand too close are named. */
function Marks({ events, until }: { events: Happened[]; until: number }) {
  const marks = useMemo(() => {
    const shown = events.filter((event) => event.what !== 'reset').slice(-MARKS_MAX);
    const named: Happened[] = [];
    for (const event of [...shown].reverse()) {
      if (named.length >= LABELS_MAX) break;
      if (named.every((other) => Math.abs(other.at_ns - event.at_ns) / until > LABEL_GAP)) named.push(event);
    }
    return shown.map((event) => ({ event, named: named.includes(event) }));
  }, [events, until]);
  const catalogue = useSession((session) => session.catalogue)!;
  const design = useDesign((state) => state.design);
  const before = useSession((session) => designsBefore(session.events, session.origin));
  return (
    <>
      {marks.map(({ event, named }) => {
        const left = `${Math.min(100, (100 * event.at_ns) / until)}%`;
        const tone = toneOf(event);
        const title = eventTitle(event, catalogue, design, before.get(event.seq));
        return (
          <span key={event.seq} className="pointer-events-none absolute top-0 h-full" style={{ left }} title={title}>
            <span className={`absolute top-[24px] size-[9px] -translate-x-1/2 border border-panel ${tone.shape}`} />
            {named && (
              <span
                className={`absolute top-0.5 flex max-w-[13cqw] gap-1 whitespace-nowrap text-2xs text-ink-2 ${labelSide(event.at_ns / until)}`}
              >
                <span className="truncate">{title}</span>
                <span className="num text-ink-3">{moment(event.at_ns)}</span>
              </span>
            )}
          </span>
        );
      })}
    </>
  );
}
