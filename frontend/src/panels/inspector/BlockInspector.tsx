/** Everything about one block. */

import { Copy, Spline, Trash2, X } from 'lucide-react';
import { deleteSelected, duplicateSelected } from '../../canvas/commands';
import { useIssues } from '../../canvas/marks';
import { commonFigures, liveHealth } from '../../canvas/overlay/figures';
import type { Block, Catalogue } from '../../generated/protocol';
import { nameOf, specOf } from '../../lib/catalogue';
import { withLabel } from '../../lib/design';
import { HEALTH_WORDS } from '../../lib/health';
import { BlockIcon } from '../../lib/icons';
import { whyOf } from '../../lib/why';
import { useLive } from '../../run/use-live';
import { edit } from '../../state/design';
import { useSession } from '../../state/session';
import { useUi } from '../../state/ui';
import { IconButton } from '../../ui/IconButton';
import { Section } from '../../ui/Section';
import { CellLegend } from './CellLegend';
import { DetailView } from './DetailView';
import { Faults } from './Faults';
import { BlockMetrics } from './Metrics';
import { ParamForm } from './ParamForm';
import { Prose } from './Prose';

const TONES = { idle: 'text-ink-3', well: 'text-ok', strained: 'text-warn', failing: 'text-bad', down: 'text-bad' };
const SHAPES = { idle: '○', well: '●', strained: '◆', failing: '■', down: '✕' };

/** The inspector of `block`. */
export function BlockInspector({ block }: { block: Block }) {
  const catalogue = useSession((state) => state.catalogue)!;
  const spec = specOf(catalogue, block.kind);
  const health = useLive((live) => (live.frame ? liveHealth(live, block.id) : 'idle'));
  const issue = useIssues(block.id);
  const why = useLive((live) => (live.frame ? whyOf(health, commonFigures(live, block.id)) : null), 500);
  if (!spec) return <p className="p-4 text-sm text-bad">This server knows no block of kind “{block.kind}”.</p>;
  return (
    <div data-testid="inspector-block">
      <div className="flex items-start gap-2.5 px-3.5 pb-2 pt-3">
        <span className="grid size-8 shrink-0 place-items-center rounded-lg border border-line bg-raised text-ink-2">
          <BlockIcon name={spec.icon} size={17} />
        </span>
        <div className="min-w-0 flex-1">
          <input
            key={`${block.id}-${block.label}`}
            className="w-full rounded border border-transparent bg-transparent text-base font-semibold hover:border-line-strong focus:border-accent"
            aria-label="Name of the block"
            data-testid="inspector-name"
            defaultValue={nameOf(catalogue, block)}
            maxLength={200}
            onBlur={(event) => {
              const text = event.currentTarget.value.trim();
              if (text && text !== nameOf(catalogue, block)) edit((design) => withLabel(design, block.id, text));
            }}
            onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
          />
          <p className="text-xs text-ink-2">
            {spec.title} · <span className="num">{block.id}</span> ·{' '}
            <span className={TONES[health]} data-testid="inspector-state">
              {SHAPES[health]} {HEALTH_WORDS[health]}
            </span>
          </p>
        </div>
        <IconButton label="Close" onClick={() => useUi.setState({ right: null })} icon={<X size={15} />} />
      </div>
      <div className="flex gap-1 px-3 pb-2">
        <IconButton
          label="Connect to"
          keys="C"
          testId="connect"
          onClick={() => useUi.setState({ connecting: block.id })}
          icon={<Spline size={15} />}
        />
        <IconButton label="Duplicate" keys="Ctrl D" onClick={duplicateSelected} icon={<Copy size={15} />} />
        <IconButton label="Delete" keys="Del" testId="delete" onClick={deleteSelected} icon={<Trash2 size={15} />} />
      </div>
      {issue && <p className="mx-3.5 mb-2 rounded-lg border border-bad px-2.5 py-1.5 text-xs text-ink">{issue}</p>}
      {why && (
        <p
          className="mx-3.5 mb-2.5 rounded-lg bg-raised px-2.5 py-2 text-xs leading-relaxed text-ink-2"
          data-testid="why"
        >
          <b className="text-ink">Why {HEALTH_WORDS[health]}?</b> {why}
        </p>
      )}
      <Section title="Now">
        <BlockMetrics block={block.id} common={commonOf(catalogue)} own={spec.metrics} />
      </Section>
      {spec.cells && (
        <Section title={spec.cells.label}>
          <CellLegend block={block.id} cells={spec.cells} />
        </Section>
      )}
      <ParamForm thing={block} params={spec.params} spec={spec} />
      <Section title="Faults">
        <Faults key={block.id} target={block.id} faults={spec.faults} />
      </Section>
      <Section title="Inside" open={false}>
        <DetailView block={block.id} />
      </Section>
      <Section title={`About: ${spec.title.toLowerCase()}`} open={false}>
        <Prose text={spec.doc || spec.summary} />
      </Section>
    </div>
  );
}

/** What every block reports, but for its state, which the head says in a word. */
function commonOf(catalogue: Catalogue) {
  return catalogue.common_metrics.filter((metric) => metric.name !== 'health');
}
