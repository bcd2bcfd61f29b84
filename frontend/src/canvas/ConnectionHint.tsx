/** While a connection is being drawn: why it can't end where the pointer is. */

import { useConnection } from '@xyflow/react';
import { connectionRefusal } from '../lib/ports';
import { drawing } from '../state/design';
import { catalogue } from '../state/session';

/** A note beside the pointer; nothing while the connection is fine. */
export function ConnectionHint() {
  const connection = useConnection();
  if (!connection.inProgress || !connection.toHandle) return null;
  const { fromHandle, toHandle, to } = connection;
  const [out, into] = fromHandle.type === 'source' ? [fromHandle, toHandle] : [toHandle, fromHandle];
  const refusal = connectionRefusal(
    catalogue(),
    drawing(),
    { block: out.nodeId, port: out.id ?? '' },
    { block: into.nodeId, port: into.id ?? '' },
  );
  if (!refusal) return null;
  return (
    <div
      className="pointer-events-none absolute z-[6] max-w-64 rounded-md border border-bad bg-panel px-2 py-1 text-xs text-ink shadow-lg"
      style={{ left: to.x + 16, top: to.y + 12 }}
      role="status"
    >
      {refusal}
    </div>
  );
}
