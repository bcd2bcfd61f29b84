/** The head of a panel on the right. */

import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useUi } from '../state/ui';
import { IconButton } from '../ui/IconButton';

/** Title, what belongs beside it, and the way to close the panel. */
export function PanelHead({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="flex items-center gap-2 px-3.5 pb-2 pt-3">
      <h2 className="min-w-0 flex-1 truncate text-base font-semibold">{title}</h2>
      {children}
      <IconButton label="Close" onClick={() => useUi.setState({ right: 'inspector' })} icon={<X size={15} />} />
    </div>
  );
}
