/** The panel on the right about what is selected. */

import { Copy, Trash2 } from 'lucide-react';
import { deleteSelected, duplicateSelected } from '../canvas/commands';
import { useDesign } from '../state/design';
import { useUi } from '../state/ui';
import { BUTTON } from '../ui/looks';
import { BlockInspector } from './inspector/BlockInspector';
import { DesignInspector } from './inspector/DesignInspector';
import { EdgeInspector } from './inspector/EdgeInspector';

/** A block's, an edge's or the design's inspector. */
export function Inspector() {
  const selected = useUi((state) => state.selected);
  const blocks = useDesign((state) => state.design.blocks);
  const edges = useDesign((state) => state.design.edges);
  const chosenBlocks = blocks.filter((block) => selected.has(block.id));
  const chosenEdges = edges.filter((edge) => selected.has(edge.id));
  if (chosenBlocks.length === 1) return <BlockInspector key={chosenBlocks[0]!.id} block={chosenBlocks[0]!} />;
  if (!chosenBlocks.length && chosenEdges.length === 1) {
    return <EdgeInspector key={chosenEdges[0]!.id} edge={chosenEdges[0]!} />;
  }
  if (!chosenBlocks.length && !chosenEdges.length) return <DesignInspector />;
  return (
    <div className="p-3.5" data-testid="inspector-many">
      <h2 className="mb-2 text-base font-semibold">
        {chosenBlocks.length} blocks{chosenEdges.length ? ` and ${chosenEdges.length} connections` : ''}
      </h2>
      <div className="flex gap-2">
        <button type="button" className={BUTTON} onClick={duplicateSelected}>
          <Copy size={14} aria-hidden /> Duplicate
        </button>
        <button type="button" className={BUTTON} onClick={deleteSelected}>
          <Trash2 size={14} aria-hidden /> Delete
        </button>
      </div>
    </div>
  );
}
