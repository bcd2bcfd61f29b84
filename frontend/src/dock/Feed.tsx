/** What happened, newest first. A click goes there. */

import { useMemo, useState } from 'react';
import { reveal } from '../canvas/commands';
import type { Happened } from '../generated/protocol';
import { nameOf } from '../lib/catalogue';
import { eventDetail, eventTarget, eventTitle, type Tone, toneOf } from '../lib/events';
import { moment } from '../lib/format';
import { seek } from '../run/controller';
import { useDesign } from '../state/design';
import { designsBefore, useSession } from '../state/session';

const SHOWN_MAX = 150;
const FILTERS: { name: string; label: string; tones: Tone['name'][] | null }[] = [
  { name: 'all', label: 'All', tones: null },
  { name: 'trouble', label: 'Trouble', tones: ['warning', 'bad'] },
  { name: 'you', label: 'Yours', tones: ['you'] },
];

/** The event feed. */
export function Feed() {
  const events = useSession((state) => state.events);
  const [filter, setFilter] = useState('all');
  const { tones } = FILTERS.find((candidate) => candidate.name === filter)!;
  const shown = useMemo(
    () =>
      [...events]
        .filter((event) => !tones || tones.includes(toneOf(event).name))
        .sort((a, b) => b.at_ns - a.at_ns || b.seq - a.seq)
        .slice(0, SHOWN_MAX),
    [events, tones],
  );
  return (
    <section aria-label="Events" className="flex h-full min-h-0 flex-col">
      <div className="flex items-center gap-1 px-3 pb-1 pt-2">
        <h2 className="flex-1 text-xs font-semibold">Events</h2>
        {FILTERS.map(({ name, label }) => (
          <button
            key={name}
            type="button"
            aria-pressed={filter === name}
            onClick={() => setFilter(name)}
            className="rounded px-1.5 text-2xs leading-5 text-ink-2 hover:bg-hover aria-pressed:bg-raised aria-pressed:text-ink"
          >
            {label}
          </button>
        ))}
      </div>
      <ol data-testid="feed" className="min-h-0 flex-1 overflow-y-auto px-1.5 pb-2">
        {shown.map((event) => (
          <Row key={event.seq} event={event} />
        ))}
        {!shown.length && (
          <li className="px-1.5 py-2 text-xs text-ink-2">
            {events.length
              ? 'Nothing of this kind yet.'
              : 'Notable moments appear here: a full pool, a crash, a stampede, and whatever you do.'}
          </li>
        )}
      </ol>
    </section>
  );
}

function Row({ event }: { event: Happened }) {
  const target = eventTarget(event);
  const catalogue = useSession((state) => state.catalogue)!;
  const design = useDesign((state) => state.design);
  const block = design.blocks.find((candidate) => candidate.id === target);
  const tone = toneOf(event);
  const detail = eventDetail(event);
  const before = useSession((state) => designsBefore(state.events, state.origin).get(event.seq) ?? null);
  // A changed parameter's title says whose it is.
  const named = !event.notable && event.intervention?.action.type !== 'set_param';
  return (
    <li>
      <button
        type="button"
        data-testid={`event-${event.seq}`}
        data-what={event.what}
        className="flex w-full gap-2 rounded-md px-1.5 py-1 text-left text-xs hover:bg-hover"
        title={detail}
        onClick={() => {
          if (target) reveal(target);
          void seek(event.at_ns);
        }}
      >
        <span className="num w-13 shrink-0 text-right text-ink-3">{moment(event.at_ns)}</span>
        <span className={`w-3 shrink-0 text-center ${tone.text}`} aria-hidden>
          {tone.glyph}
        </span>
        <span className="min-w-0 flex-1">
          <b className="font-semibold text-ink" data-testid="event-title">
            {eventTitle(event, catalogue, design, before)}
          </b>{' '}
          <span className="text-ink-2">
            {block && named && `on ${nameOf(catalogue, block)}`}{' '}
            {tone.name === 'you' && event.what !== 'branch' ? '' : detail}
          </span>
        </span>
      </button>
    </li>
  );
}
