/** A titled part of a panel that can be folded away. */

import { ChevronRight } from 'lucide-react';
import type { ReactNode } from 'react';

/** A foldable section; `open` is how it starts. */
export function Section({
  title,
  children,
  open = true,
  aside,
}: {
  title: string;
  children: ReactNode;
  open?: boolean;
  aside?: ReactNode;
}) {
  return (
    <details open={open} className="group border-t border-line px-3.5 py-2.5 first:border-t-0">
      <summary className="flex cursor-pointer list-none items-center gap-1.5 rounded text-xs font-semibold text-ink-2 hover:text-ink">
        <ChevronRight size={13} className="transition-transform group-open:rotate-90" aria-hidden />
        <span className="flex-1">{title}</span>
        {aside}
      </summary>
      <div className="pt-2">{children}</div>
    </details>
  );
}
