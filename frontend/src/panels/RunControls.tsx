/** Play, pause, step, speed and the clock. */

import { ChevronDown, ChevronsRight, Pause, Play, RotateCcw, StepForward } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useEffect, useRef } from 'react';
import { clock, times } from '../lib/format';
import { pause, playOrStart, reset, setSpeed, stepEvent, stepTime } from '../run/controller';
import { live } from '../run/live';
import { useLive } from '../run/use-live';
import { useSession } from '../state/session';
import { IconButton } from '../ui/IconButton';

const USUAL_SPEEDS = [0.1, 1, 10, 1000];
const ALL_SPEEDS = [0.01, 0.03, 0.1, 0.25, 0.5, 1, 2, 5, 10, 25, 100, 1000];

function speedLabel(speed: number): string {
  return speed === 1000 ? 'Max' : times(speed);
}

/** The controls in the middle of the top bar. */
export function RunControls() {
  const state = useSession((session) => session.state);
  const phase = useSession((session) => session.phase);
  const problems = useSession((session) => session.problems.length);
  const mayControl = useSession((session) => session.mayControl);
  const playing = state?.playing ?? false;
  const starting = phase === 'starting';
  return (
    <div className="flex items-center gap-2" role="toolbar" aria-label="Run">
      <div className="flex items-center rounded-lg border border-line-strong p-0.5">
        <IconButton
          label="Back to the start"
          keys="Home"
          testId="reset"
          disabled={!state || !mayControl}
          onClick={() => reset()}
          icon={<RotateCcw size={15} />}
        />
        <button
          type="button"
          data-testid={playing ? 'pause' : 'play'}
          disabled={starting || !mayControl}
          title={problems && !playing ? 'The drawing can’t run yet: the list beside it says what is missing' : 'Space'}
          onClick={() => (playing ? pause() : playOrStart())}
          className="mx-0.5 flex h-7 w-[84px] items-center justify-center gap-1.5 rounded-md bg-accent text-sm font-semibold text-accent-ink hover:brightness-110 disabled:opacity-50"
        >
          {playing ? <Pause size={14} aria-hidden /> : <Play size={14} aria-hidden />}
          {starting ? 'Starting' : playing ? 'Pause' : 'Play'}
        </button>
        <IconButton
          label="One event"
          keys="."
          testId="step-event"
          disabled={!state || playing || !mayControl}
          onClick={stepEvent}
          icon={<StepForward size={15} />}
        />
        <IconButton
          label="10 milliseconds"
          keys=","
          testId="step-time"
          disabled={!state || playing || !mayControl}
          onClick={stepTime}
          icon={<ChevronsRight size={15} />}
        />
      </div>
      <Speed />
      <span className="relative">
        <Clock />
        <ReachedSpeed />
      </span>
    </div>
  );
}

function Speed() {
  const speed = useSession((session) => session.state?.speed ?? session.speed);
  return (
    <fieldset className="hidden items-center rounded-lg border border-line-strong p-0.5 md:flex" aria-label="Speed">
      {USUAL_SPEEDS.map((factor) => (
        <button
          key={factor}
          type="button"
          data-testid={`speed-${factor}`}
          aria-pressed={speed === factor}
          onClick={() => setSpeed(factor)}
          className="num hidden h-7 rounded-md px-2 text-xs text-ink-2 hover:bg-hover aria-pressed:bg-hover aria-pressed:text-ink 2xl:block"
        >
          {speedLabel(factor)}
        </button>
      ))}
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger
          data-testid="speed-menu"
          aria-label={`Speed ${speedLabel(speed)}, choose another`}
          className="num flex h-7 items-center gap-1 rounded-md px-1.5 text-xs text-ink-2 hover:bg-hover hover:text-ink"
        >
          <span className={USUAL_SPEEDS.includes(speed) ? '2xl:hidden' : ''}>{speedLabel(speed)}</span>
          <ChevronDown size={13} aria-hidden />
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content
            className="z-50 min-w-40 rounded-lg border border-line-strong bg-panel p-1 shadow-lg"
            sideOffset={6}
            align="end"
          >
            {ALL_SPEEDS.map((factor) => (
              <DropdownMenu.Item
                key={factor}
                onSelect={() => setSpeed(factor)}
                className="num flex justify-between gap-6 rounded-md px-2 py-1 text-xs text-ink outline-none data-[highlighted]:bg-hover"
              >
                {speedLabel(factor)}
                <span className="font-sans text-ink-3">{hint(factor)}</span>
              </DropdownMenu.Item>
            ))}
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
    </fieldset>
  );
}

/** Under the clock, where it moves nothing: how fast time really passes, when that is less than was asked for. */
function ReachedSpeed() {
  const speed = useSession((session) => session.state?.speed ?? session.speed);
  const playing = useSession((session) => session.state?.playing ?? false);
  const reached = useLive((run) => (run.frame ? times(run.frame.speed) : ''), 500);
  const behind = useLive((run) => playing && (run.frame?.speed ?? speed) < speed * 0.9, 500);
  if (!behind) return null;
  return (
    <span
      className="num absolute inset-x-0 top-full -mt-1 text-center text-2xs leading-3 text-warn"
      title="The engine gives what it can; the results stay the same"
      data-testid="reached-speed"
    >
      at {reached}
    </span>
  );
}

function hint(factor: number): string {
  if (factor === 0.01) return '10 ms a second';
  if (factor === 1) return 'as in life';
  if (factor === 1000) return 'as fast as it goes';
  return '';
}

/** Virtual time, written straight into the page each animation frame. */
function Clock() {
  const ref = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let handle = requestAnimationFrame(function tick(now) {
      const text = clock(live.timeNow(now));
      if (ref.current && ref.current.textContent !== text) ref.current.textContent = text;
      handle = requestAnimationFrame(tick);
    });
    return () => cancelAnimationFrame(handle);
  }, []);
  return (
    <span
      ref={ref}
      data-testid="clock"
      role="timer"
      aria-label="Virtual time"
      aria-live="off"
      className="num w-[82px] text-center text-base"
    />
  );
}
