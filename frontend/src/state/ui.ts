/** What is open, selected and chosen on the page; nothing here is part of a design or a run. */

import { create } from 'zustand';

/** What the panel on the right shows. */
export type RightPanel = 'inspector' | 'json' | 'templates' | 'trace' | 'results';
/** What the dock below shows. */
export type DockTab = 'charts' | 'table';
/** Dark and light, or as the system has it. */
export type Theme = 'system' | 'dark' | 'light';

/** A short message at the lower edge of the canvas. */
export interface Toast {
  id: number;
  text: string;
  tone: 'info' | 'bad';
}

interface UiState {
  selected: ReadonlySet<string>;
  left: boolean;
  right: RightPanel | null;
  /** Whether panels were put away for a scenario; what is opened next gets them back. */
  madeRoom: boolean;
  dock: boolean;
  dockTab: DockTab;
  theme: Theme;
  /** Whether the document is dark now. It changes after the document did, so that who listens reads the new colours. */
  dark: boolean;
  commands: boolean;
  /** The block whose connections are being chosen from a list. */
  connecting: string | null;
  /** The block or edge whose context menu is open, and where on the screen. */
  menu: { target: string | null; x: number; y: number } | null;
  /** The block whose name is being edited on its card. */
  renaming: string | null;
  toasts: Toast[];
}

const THEME_KEY = 'playground.theme';

function storedTheme(): Theme {
  const stored = globalThis.localStorage?.getItem(THEME_KEY);
  return stored === 'dark' || stored === 'light' ? stored : 'system';
}

/** Whether the window is wider than `pixels`. */
export function wide(pixels: number): boolean {
  return (globalThis.innerWidth ?? 1280) > pixels;
}

/** On a narrow screen the panels lie over the canvas, so they wait to be asked for. */
function usualPanels(): Pick<UiState, 'left' | 'right'> {
  return { left: wide(900), right: wide(1100) ? 'inspector' : null };
}

/** The store of the page's own state. */
export const useUi = create<UiState>()(() => ({
  selected: new Set<string>(),
  ...usualPanels(),
  madeRoom: false,
  dock: true,
  dockTab: 'charts',
  theme: storedTheme(),
  dark: true,
  commands: false,
  connecting: null,
  menu: null,
  renaming: null,
  toasts: [],
}));

/** Selects exactly `ids` (blocks and edges). */
export function select(ids: Iterable<string>): void {
  const next = new Set(ids);
  const { selected } = useUi.getState();
  if (next.size === selected.size && [...next].every((id) => selected.has(id))) return;
  useUi.setState({ selected: next });
}

/**
 * Puts panels away where a scenario that was just opened could not be read beside them: it has a panel of its own, and is there to be
 * watched first. Anything else gets them back.
 */
export function makeRoom(scenario: boolean): void {
  if (scenario) {
    useUi.setState(({ left, right }) => ({
      left: left && wide(1800),
      right: wide(1560) ? right : null,
      madeRoom: !wide(1800),
    }));
  } else if (useUi.getState().madeRoom) useUi.setState({ ...usualPanels(), madeRoom: false });
}

/** Opens `panel` on the right, or closes it when it is what is open. */
export function togglePanel(panel: RightPanel): void {
  useUi.setState((state) => ({ right: state.right === panel ? null : panel }));
}

/** Chooses the theme and remembers it. */
export function setTheme(theme: Theme): void {
  useUi.setState({ theme });
  localStorage.setItem(THEME_KEY, theme);
  applyTheme();
}

/** Puts the theme onto the document. */
export function applyTheme(): void {
  const { theme } = useUi.getState();
  const dark = theme === 'system' ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  useUi.setState({ dark });
}

let nextToast = 1;

/** Says something in passing; it goes away by itself. */
export function toast(text: string, tone: Toast['tone'] = 'info'): void {
  const id = nextToast++;
  useUi.setState((state) => ({ toasts: [...state.toasts.slice(-2), { id, text, tone }] }));
  setTimeout(
    () => useUi.setState((state) => ({ toasts: state.toasts.filter((other) => other.id !== id) })),
    tone === 'bad' ? 8_000 : 4_500,
  );
}
