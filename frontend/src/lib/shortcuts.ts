/** Keys that work anywhere on the page, except where somebody types. */

import { useEffect } from 'react';
import {
  arrange,
  copySelected,
  deleteSelected,
  duplicateSelected,
  fit,
  paste,
  selectAll,
  zoom,
} from '../canvas/commands';
import { pause, playOrStart, reset, stepEvent, stepTime } from '../run/controller';
import { redo, undo } from '../state/design';
import { useSession } from '../state/session';
import { select, useUi } from '../state/ui';

type Handler = (event: KeyboardEvent) => void;

function playing(): boolean {
  return useSession.getState().state?.playing ?? false;
}

function single(): string | null {
  const { selected } = useUi.getState();
  return selected.size === 1 ? [...selected][0]! : null;
}

function withSingle(use: (id: string) => void): Handler {
  return () => {
    const id = single();
    if (id) use(id);
  };
}

function openMenuAt(id: string): void {
  const bounds = document
    .querySelector(`[data-testid="block-${CSS.escape(id)}"], [data-testid="edge-${CSS.escape(id)}"]`)
    ?.getBoundingClientRect();
  useUi.setState({
    menu: {
      target: id,
      x: bounds ? bounds.left + bounds.width / 2 : 300,
      y: bounds ? bounds.top + bounds.height / 2 : 200,
    },
  });
}

const PLAIN: Record<string, Handler> = {
  ' ': () => void (playing() ? pause() : playOrStart()),
  '.': () => void stepEvent(),
  ',': () => void stepTime(),
  Home: () => void reset(),
  Delete: deleteSelected,
  Backspace: deleteSelected,
  Escape: () => select([]),
  '/': () => {
    useUi.setState({ left: true });
    requestAnimationFrame(() => document.getElementById('palette-search')?.focus());
  },
  c: withSingle((id) => useUi.setState({ connecting: id })),
  x: withSingle(openMenuAt),
  F2: withSingle((id) => useUi.setState({ renaming: id })),
  i: () => useUi.setState({ right: 'inspector' }),
  l: arrange,
  f: fit,
  '+': () => zoom(true),
  '=': () => zoom(true),
  '-': () => zoom(false),
};

const WITH_CONTROL: Record<string, Handler> = {
  z: (event) => (event.shiftKey ? redo() : undo()),
  y: redo,
  k: () => useUi.setState((state) => ({ commands: !state.commands })),
  c: copySelected,
  x: () => {
    copySelected();
    deleteSelected();
  },
  v: paste,
  d: duplicateSelected,
  a: selectAll,
};

/** Whether the key belongs to a field, a menu or a dialog. */
function elsewhere(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  return (
    target.closest?.('input, textarea, select, [contenteditable], [role=menu], [role=dialog], [role=slider]') !== null
  );
}

/** Keys by which a focused button is pressed. */
function presses(event: KeyboardEvent): boolean {
  return (
    event.key === ' ' && (event.target as HTMLElement).closest?.('button, summary, [role=tab], [role=switch]') !== null
  );
}

/** Listens as long as the page is there. */
export function useShortcuts(): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const control = event.ctrlKey || event.metaKey;
      if (event.altKey || (elsewhere(event) && !(control && event.key.toLowerCase() === 'k'))) return;
      if (!control && presses(event)) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const handler = (control ? WITH_CONTROL : PLAIN)[key];
      if (!handler) return;
      event.preventDefault();
      handler(event);
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}
