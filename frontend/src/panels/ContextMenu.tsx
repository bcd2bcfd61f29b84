/** What can be done to the block or edge under the pointer, or to the canvas. Opens by right click or with X. */

import { DropdownMenu } from 'radix-ui';
import { arrange, deleteSelected, duplicateSelected, fit, paste, selectAll } from '../canvas/commands';
import type { Fault } from '../generated/protocol';
import { edgeName, nameOf, settingOf, specOf } from '../lib/catalogue';
import { act } from '../run/controller';
import { useDesign } from '../state/design';
import { useSession } from '../state/session';
import { useUi } from '../state/ui';

const ITEM =
  'flex justify-between gap-8 rounded-md px-2 py-1 text-sm text-ink outline-none data-[disabled]:opacity-45 data-[highlighted]:bg-hover';

/** The context menu of the canvas. */
export function ContextMenu() {
  const menu = useUi((state) => state.menu);
  const close = () => useUi.setState({ menu: null });
  return (
    <DropdownMenu.Root open={menu !== null} onOpenChange={(open) => !open && close()} modal={false}>
      <DropdownMenu.Trigger
        aria-hidden
        tabIndex={-1}
        className="pointer-events-none fixed size-0"
        style={{ left: menu?.x ?? 0, top: menu?.y ?? 0 }}
      />
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          className="z-50 max-h-[70vh] min-w-56 overflow-y-auto rounded-lg border border-line-strong bg-panel p-1 shadow-lg"
          align="start"
          sideOffset={2}
          data-testid="context-menu"
          onCloseAutoFocus={(event) => event.preventDefault()}
        >
          {menu?.target ? <TargetItems target={menu.target} /> : <CanvasItems />}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function CanvasItems() {
  return (
    <>
      <Item text="Add a block" keys="/" onSelect={() => useUi.setState({ commands: true })} />
      <Item text="Paste" keys="Ctrl V" onSelect={paste} />
      <Item text="Select all" keys="Ctrl A" onSelect={selectAll} />
      <Item text="Arrange" keys="L" onSelect={arrange} />
      <Item text="Show all" keys="F" onSelect={fit} />
    </>
  );
}

function TargetItems({ target }: { target: string }) {
  const catalogue = useSession((state) => state.catalogue)!;
  const running = useSession((state) => state.running !== null && state.mayControl);
  const design = useDesign((state) => state.design);
  const block = design.blocks.find((candidate) => candidate.id === target);
  const edge = design.edges.find((candidate) => candidate.id === target);
  const faults = block ? (specOf(catalogue, block.kind)?.faults ?? []) : catalogue.edge.faults;
  const name = block ? nameOf(catalogue, block) : edge ? edgeName(catalogue, design.blocks, edge) : target;
  return (
    <>
      <DropdownMenu.Label className="max-w-64 truncate px-2 py-1 text-xs font-semibold text-ink-2">
        {name}
      </DropdownMenu.Label>
      {faults.map((fault) => (
        <Item
          key={fault.name}
          text={fault.label}
          testId={`menu-fault-${fault.name}`}
          disabled={!running}
          title={fault.help}
          onSelect={() => inject(target, fault)}
        />
      ))}
      <Item
        text="End all faults"
        testId="menu-clear-faults"
        disabled={!running}
        onSelect={() => void act({ type: 'clear_faults', target })}
      />
      <DropdownMenu.Separator className="my-1 h-px bg-line" />
      {block && (
        <>
          <Item text="Connect to" keys="C" onSelect={() => useUi.setState({ connecting: target })} />
          <Item text="Rename" keys="F2" onSelect={() => useUi.setState({ renaming: target })} />
          <Item text="Duplicate" keys="Ctrl D" onSelect={duplicateSelected} />
        </>
      )}
      <Item text="Inspect" keys="I" onSelect={() => useUi.setState({ right: 'inspector' })} />
      <Item text="Delete" keys="Del" testId="menu-delete" onSelect={deleteSelected} />
    </>
  );
}

/** Does a fault with its parameters' defaults; the inspector has the form for others. */
function inject(target: string, fault: Fault): void {
  const params = Object.fromEntries(fault.params.map((param) => [param.name, settingOf({}, param)]));
  void act({ type: 'fault', target, fault: fault.name, params });
}

function Item({
  text,
  keys,
  onSelect,
  testId,
  disabled,
  title,
}: {
  text: string;
  keys?: string;
  onSelect: () => void;
  testId?: string;
  disabled?: boolean;
  title?: string;
}) {
  return (
    <DropdownMenu.Item className={ITEM} data-testid={testId} disabled={disabled} title={title} onSelect={onSelect}>
      {text}
      {keys && <kbd className="num text-2xs text-ink-2">{keys}</kbd>}
    </DropdownMenu.Item>
  );
}
