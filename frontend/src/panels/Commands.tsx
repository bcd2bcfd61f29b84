/** Everything by name: the command palette (Ctrl K) and the list of what a block can be connected to (C). */

import { Command } from 'cmdk';
import {
  addBlock,
  arrange,
  connect,
  copySelected,
  deleteSelected,
  duplicateSelected,
  fit,
  paste,
  reveal,
  selectAll,
} from '../canvas/commands';
import { nameOf, settingOf, specOf } from '../lib/catalogue';
import { BlockIcon } from '../lib/icons';
import { offersFrom } from '../lib/ports';
import { openDesign } from '../run/boot';
import { act, pause, playOrStart, reset, setSpeed, startDrawing, stepEvent, stepTime } from '../run/controller';
import { exportJson, exportPng } from '../run/files';
import { redo, undo, useDesign } from '../state/design';
import { useSession } from '../state/session';
import { setTheme, togglePanel, useUi } from '../state/ui';

const ITEM =
  'flex cursor-pointer items-center gap-2.5 rounded-md px-2.5 py-1.5 text-sm data-[selected=true]:bg-hover data-[selected=true]:text-ink';
const GROUP =
  '[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:font-semibold [&_[cmdk-group-heading]]:text-ink-3';
const DIALOG =
  'fixed left-1/2 top-[14vh] z-50 w-[min(560px,92vw)] -translate-x-1/2 overflow-hidden rounded-xl border border-line-strong bg-panel shadow-2xl';

function Row({
  text,
  keys,
  icon,
  onSelect,
  testId,
}: {
  text: string;
  keys?: string;
  icon?: string;
  onSelect: () => void;
  testId?: string;
}) {
  const run = () => {
    useUi.setState({ commands: false, connecting: null });
    onSelect();
  };
  return (
    <Command.Item className={ITEM} value={text} onSelect={run} data-testid={testId}>
      {icon && <BlockIcon name={icon} size={15} />}
      <span className="flex-1">{text}</span>
      {keys && <kbd className="num text-2xs text-ink-2">{keys}</kbd>}
    </Command.Item>
  );
}

/** The command palette. */
export function CommandPalette() {
  const open = useUi((state) => state.commands);
  return (
    <Command.Dialog
      open={open}
      onOpenChange={(next) => useUi.setState({ commands: next })}
      label="All commands"
      className="text-ink"
      contentClassName={DIALOG}
      overlayClassName="fixed inset-0 z-40 bg-bg/50"
    >
      <Command.Input
        data-testid="commands"
        placeholder="What do you want to do?"
        className="w-full border-b border-line bg-transparent px-4 py-3 text-base outline-none placeholder:text-ink-3"
      />
      <Command.List className="max-h-[52vh] overflow-y-auto p-1.5">
        <Command.Empty className="px-3 py-4 text-sm text-ink-2">There is no such command.</Command.Empty>
        {open && <CommandRows />}
      </Command.List>
    </Command.Dialog>
  );
}

function CommandRows() {
  const catalogue = useSession((state) => state.catalogue)!;
  const design = useDesign((state) => state.design);
  return (
    <>
      <Command.Group heading="Run" className={GROUP}>
        <Row text="Play" keys="Space" onSelect={() => void playOrStart()} />
        <Row text="Pause" keys="Space" onSelect={() => void pause()} />
        <Row text="Step one event" keys="." onSelect={() => void stepEvent()} />
        <Row text="Step 10 milliseconds" keys="," onSelect={() => void stepTime()} />
        <Row text="Back to the start" keys="Home" onSelect={() => void reset()} />
        <Row text="Run afresh from time 0" onSelect={() => void startDrawing(true)} />
        {[0.01, 0.1, 1, 10, 100, 1000].map((factor) => (
          <Row key={factor} text={`Speed ${factor}×`} onSelect={() => setSpeed(factor)} />
        ))}
      </Command.Group>
      <SelectionRows />
      <Command.Group heading="Add" className={GROUP}>
        {catalogue.blocks.map((spec) => (
          <Row
            key={spec.kind}
            text={`Add ${spec.title}`}
            icon={spec.icon}
            testId={`command-add-${spec.kind}`}
            onSelect={() => addBlock(spec.kind)}
          />
        ))}
      </Command.Group>
      <Command.Group heading="Go to" className={GROUP}>
        {design.blocks.map((block) => (
          <Row
            key={block.id}
            text={`Go to ${nameOf(catalogue, block)} (${block.id})`}
            onSelect={() => reveal(block.id)}
          />
        ))}
      </Command.Group>
      <Command.Group heading="Canvas" className={GROUP}>
        <Row text="Undo" keys="Ctrl Z" onSelect={undo} />
        <Row text="Redo" keys="Ctrl Shift Z" onSelect={redo} />
        <Row text="Arrange all blocks" keys="L" onSelect={arrange} />
        <Row text="Show all" keys="F" onSelect={fit} />
        <Row text="Select all" keys="Ctrl A" onSelect={selectAll} />
        <Row text="Paste" keys="Ctrl V" onSelect={paste} />
      </Command.Group>
      <Command.Group heading="Document" className={GROUP}>
        <Row text="New design" onSelect={() => openDesign()} />
        <Row text="Templates" onSelect={() => useUi.setState({ right: 'templates' })} />
        <Row text="Isolation lab" onSelect={() => location.assign('/lab')} />
        <Row text="Results" onSelect={() => togglePanel('results')} />
        <Row text="Design as JSON" onSelect={() => togglePanel('json')} />
        <Row text="Export JSON" onSelect={() => void exportJson()} />
        <Row text="Export PNG" onSelect={() => void exportPng()} />
        <Row text="Dark or light colours" onSelect={() => setTheme(useUi.getState().dark ? 'light' : 'dark')} />
      </Command.Group>
    </>
  );
}

function SelectionRows() {
  const catalogue = useSession((state) => state.catalogue)!;
  const running = useSession((state) => state.running !== null);
  const selected = useUi((state) => state.selected);
  const design = useDesign((state) => state.design);
  const [target] = [...selected];
  if (!target || selected.size !== 1) return null;
  const block = design.blocks.find((candidate) => candidate.id === target);
  const faults = block ? (specOf(catalogue, block.kind)?.faults ?? []) : catalogue.edge.faults;
  return (
    <Command.Group heading={`Selected: ${block ? nameOf(catalogue, block) : target}`} className={GROUP}>
      {block && <Row text="Connect to" keys="C" onSelect={() => useUi.setState({ connecting: target })} />}
      {running &&
        faults.map((fault) => (
          <Row
            key={fault.name}
            text={`Fault: ${fault.label}`}
            onSelect={() => {
              const params = Object.fromEntries(fault.params.map((param) => [param.name, settingOf({}, param)]));
              void act({ type: 'fault', target, fault: fault.name, params });
            }}
          />
        ))}
      {running && (
        <Row text="End all faults of the selection" onSelect={() => void act({ type: 'clear_faults', target })} />
      )}
      <Row text="Copy" keys="Ctrl C" onSelect={copySelected} />
      <Row text="Duplicate" keys="Ctrl D" onSelect={duplicateSelected} />
      <Row text="Delete" keys="Del" onSelect={deleteSelected} />
    </Command.Group>
  );
}

/** What the block can be connected to. */
export function ConnectList() {
  const connecting = useUi((state) => state.connecting);
  const catalogue = useSession((state) => state.catalogue)!;
  const design = useDesign((state) => state.design);
  const block = design.blocks.find((candidate) => candidate.id === connecting);
  const offers = block ? offersFrom(catalogue, design, block.id) : [];
  return (
    <Command.Dialog
      open={block !== undefined}
      onOpenChange={(next) => !next && useUi.setState({ connecting: null })}
      label={block ? `Connect ${nameOf(catalogue, block)} to` : 'Connect'}
      className="text-ink"
      contentClassName={DIALOG}
      overlayClassName="fixed inset-0 z-40 bg-bg/50"
    >
      <Command.Input
        data-testid="connect-search"
        placeholder={block ? `Connect ${nameOf(catalogue, block)} to …` : ''}
        className="w-full border-b border-line bg-transparent px-4 py-3 text-base outline-none placeholder:text-ink-3"
      />
      <Command.List className="max-h-[40vh] overflow-y-auto p-1.5">
        <Command.Empty className="px-3 py-4 text-sm text-ink-2">
          Nothing on the canvas answers what this block calls. Add a block that does, or free a port.
        </Command.Empty>
        {offers.map((offer) => (
          <Row
            key={`${offer.from.port}-${offer.to.block}-${offer.to.port}`}
            text={`${offer.label} (${offer.block.id})`}
            icon={specOf(catalogue, offer.block.kind)?.icon ?? 'box'}
            testId={`connect-${offer.block.id}`}
            onSelect={() => connect(offer)}
          />
        ))}
      </Command.List>
    </Command.Dialog>
  );
}
