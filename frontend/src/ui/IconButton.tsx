/** A button that is an icon, with its name and key on hover and for screen readers. */

import { Tooltip } from 'radix-ui';
import type { ReactNode } from 'react';

interface Props {
  label: string;
  icon: ReactNode;
  onClick: () => void;
  testId?: string;
  /** The key that does the same, as it is written on keyboards. */
  keys?: string;
  disabled?: boolean;
  /** For buttons that switch something on and off. */
  pressed?: boolean;
  className?: string;
}

/** An icon button with a tooltip. */
export function IconButton({ label, icon, onClick, testId, keys, disabled, pressed, className = '' }: Props) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>
        <button
          type="button"
          aria-label={label}
          aria-pressed={pressed}
          data-testid={testId}
          disabled={disabled}
          onClick={onClick}
          className={`grid size-7 shrink-0 place-items-center rounded-md text-ink-2 hover:bg-hover hover:text-ink disabled:opacity-40 disabled:hover:bg-transparent aria-pressed:bg-accent-soft aria-pressed:text-ink ${className}`}
        >
          {icon}
        </button>
      </Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content
          sideOffset={5}
          className="z-50 rounded-md border border-line-strong bg-panel px-2 py-1 text-xs text-ink shadow-lg"
        >
          {label}
          {keys && <kbd className="num ml-2 text-2xs text-ink-2">{keys}</kbd>}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
