/** Short messages that go away by themselves. */

import { useUi } from '../state/ui';

/** The messages at the lower edge of the canvas. */
export function Toasts() {
  const toasts = useUi((state) => state.toasts);
  return (
    <div
      className="pointer-events-none absolute bottom-16 left-1/2 z-10 flex -translate-x-1/2 flex-col items-center gap-2"
      role="status"
      data-testid="toasts"
    >
      {toasts.map((toast) => (
        <p
          key={toast.id}
          className={`max-w-md rounded-lg border bg-panel px-3 py-1.5 text-xs text-ink shadow-lg ${toast.tone === 'bad' ? 'border-bad' : 'border-line-strong'}`}
        >
          {toast.text}
        </p>
      ))}
    </div>
  );
}
