/** What the dots, lines and states on the canvas mean, for who sees them for the first time. */

import { CircleQuestionMark } from 'lucide-react';
import { Popover } from 'radix-ui';
import type { ReactNode } from 'react';
import { PARTICLES } from '../lib/particles';
import { ShapeIcon } from '../ui/ShapeIcon';

const STATES = [
  { glyph: '○', tone: 'text-ink-3', label: 'Idle', help: 'nothing to do' },
  { glyph: '●', tone: 'text-ok', label: 'Well', help: 'keeps up' },
  { glyph: '◆', tone: 'text-warn', label: 'Strained', help: 'full, or calls wait' },
  { glyph: '■', tone: 'text-bad', label: 'Failing', help: 'many calls end in errors' },
  { glyph: '✕', tone: 'text-bad', label: 'Down', help: 'answers nobody' },
];

/** The button in the canvas tools, and what it opens. */
export function Legend() {
  return (
    <Popover.Root>
      <Popover.Trigger asChild>
        <button
          type="button"
          aria-label="What the dots mean"
          title="What the dots mean"
          data-testid="legend"
          className="grid size-7 shrink-0 place-items-center rounded-md text-ink-2 hover:bg-hover hover:text-ink data-[state=open]:bg-accent-soft data-[state=open]:text-ink"
        >
          <CircleQuestionMark size={15} aria-hidden />
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          side="top"
          align="start"
          sideOffset={8}
          collisionPadding={8}
          data-testid="legend-panel"
          aria-label="What the dots mean"
          className="z-30 max-h-(--radix-popover-content-available-height) w-[340px] overflow-y-auto rounded-lg border border-line-strong bg-panel p-3 text-xs text-ink-2 shadow-xl"
        >
          <Part title="Dots: real requests, a few of all. Click one to follow it.">
            {Object.values(PARTICLES).map(({ shape, role, label, help }) => (
              <Entry key={label} label={label} help={help}>
                <ShapeIcon shapes={[{ shape, role }]} scale={2} centred />
              </Entry>
            ))}
          </Part>
          <Part title="Lines: the wider, the more calls a second.">
            <Entry label="Dashes" help="the share of calls that fail">
              <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" className="shrink-0">
                <path d="M0 8H16" stroke="var(--flow)" strokeWidth="5" opacity="0.35" />
                <path d="M1 8H16" stroke="var(--bad)" strokeWidth="3" strokeDasharray="5 4" />
              </svg>
            </Entry>
          </Part>
          <Part title="Cards: how a block is">
            <li className="grid grid-cols-2">
              {STATES.map(({ glyph, tone, label, help }) => (
                <Entry key={label} as="span" label={label} help={help}>
                  <span className={`w-4 shrink-0 text-center ${tone}`} aria-hidden>
                    {glyph}
                  </span>
                </Entry>
              ))}
            </li>
          </Part>
          <p className="pt-1 leading-relaxed">
            Small cells on a card are keys, servers or bits: select the block, and the inspector names each kind.
          </p>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="pb-2">
      <h3 className="pb-1 font-semibold text-ink">{title}</h3>
      <ul>{children}</ul>
    </section>
  );
}

function Entry({
  as: Tag = 'li',
  label,
  help,
  children,
}: {
  as?: 'li' | 'span';
  label: string;
  help: string;
  children: ReactNode;
}) {
  return (
    <Tag className="flex items-start gap-2 py-0.5 leading-snug">
      <span className="flex h-[17px] items-center">{children}</span>
      <span>
        <b className="font-medium text-ink">{label}</b> {help}
      </span>
    </Tag>
  );
}
