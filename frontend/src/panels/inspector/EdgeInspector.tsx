/** Everything about one connection: the network it stands for, and the caller's policies on it. */

import { Trash2, X } from 'lucide-react';
import { deleteSelected, reveal } from '../../canvas/commands';
import { useIssues } from '../../canvas/marks';
import type { Edge } from '../../generated/protocol';
import { edgeName, nameOf, portOf } from '../../lib/catalogue';
import { useDesign } from '../../state/design';
import { useSession } from '../../state/session';
import { useUi } from '../../state/ui';
import { IconButton } from '../../ui/IconButton';
import { Section } from '../../ui/Section';
import { Faults } from './Faults';
import { EdgeMetrics } from './Metrics';
import { ParamForm } from './ParamForm';

/** The inspector of `edge`. */
export function EdgeInspector({ edge }: { edge: Edge }) {
  const catalogue = useSession((state) => state.catalogue)!;
  const blocks = useDesign((state) => state.design.blocks);
  const issue = useIssues(edge.id);
  const caller = blocks.find((block) => block.id === edge.from.block);
  const callee = blocks.find((block) => block.id === edge.to.block);
  const port = caller && portOf(catalogue, caller.kind, edge.from.port);
  return (
    <div data-testid="inspector-edge">
      <div className="flex items-start gap-2.5 px-3.5 pb-2 pt-3">
        <div className="min-w-0 flex-1">
          <h2 className="text-base font-semibold">{edgeName(catalogue, blocks, edge)}</h2>
          <p className="text-xs text-ink-2">
            Connection{port ? ` · ${port.label}: ${port.type}` : ''}
            {caller && callee && (
              <>
                {' · '}
                <button type="button" className="underline" onClick={() => reveal(caller.id)}>
                  {nameOf(catalogue, caller)}
                </button>{' '}
                calls{' '}
                <button type="button" className="underline" onClick={() => reveal(callee.id)}>
                  {nameOf(catalogue, callee)}
                </button>
              </>
            )}
          </p>
        </div>
        <IconButton label="Delete" keys="Del" testId="delete" onClick={deleteSelected} icon={<Trash2 size={15} />} />
        <IconButton label="Close" onClick={() => useUi.setState({ right: null })} icon={<X size={15} />} />
      </div>
      {issue && <p className="mx-3.5 mb-2 rounded-lg border border-bad px-2.5 py-1.5 text-xs text-ink">{issue}</p>}
      <Section title="Now">
        <EdgeMetrics edge={edge.id} metrics={catalogue.edge.metrics} />
      </Section>
      <ParamForm thing={edge} params={catalogue.edge.params} />
      <Section title="Faults">
        <Faults key={edge.id} target={edge.id} faults={catalogue.edge.faults} />
      </Section>
    </div>
  );
}
