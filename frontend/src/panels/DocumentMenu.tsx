/** New, open, import and export. */

import { DropdownMenu } from 'radix-ui';
import { type ReactNode, useRef } from 'react';
import { openDesign } from '../run/boot';
import { startDrawing } from '../run/controller';
import { exportJson, exportPng, importFile } from '../run/files';
import { toast, useUi } from '../state/ui';

const ITEM =
  'flex justify-between gap-8 rounded-md px-2 py-1 text-sm text-ink outline-none data-[highlighted]:bg-hover';

/** The menu at the very left of the top bar. */
export function DocumentMenu({ trigger }: { trigger: ReactNode }) {
  const input = useRef<HTMLInputElement>(null);
  const failed = (error: unknown) => toast(error instanceof Error ? error.message : String(error), 'bad');
  return (
    <>
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger
          aria-label="Document"
          data-testid="document-menu"
          className="grid size-8 shrink-0 place-items-center rounded-md text-ink-2 hover:bg-hover hover:text-ink"
        >
          {trigger}
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content
            className="z-50 min-w-56 rounded-lg border border-line-strong bg-panel p-1 shadow-lg"
            sideOffset={6}
            align="start"
          >
            <DropdownMenu.Item className={ITEM} data-testid="new-design" onSelect={() => openDesign()}>
              New design
            </DropdownMenu.Item>
            <DropdownMenu.Item className={ITEM} onSelect={() => useUi.setState({ right: 'templates' })}>
              Templates
            </DropdownMenu.Item>
            <DropdownMenu.Item className={ITEM} asChild>
              <a href="/lab" data-testid="to-lab">
                Isolation lab
              </a>
            </DropdownMenu.Item>
            <DropdownMenu.Item className={ITEM} data-testid="import" onSelect={() => input.current?.click()}>
              Import JSON
            </DropdownMenu.Item>
            <DropdownMenu.Separator className="my-1 h-px bg-line" />
            <DropdownMenu.Item className={ITEM} data-testid="export-json" onSelect={() => void exportJson()}>
              Export JSON
            </DropdownMenu.Item>
            <DropdownMenu.Item className={ITEM} data-testid="export-png" onSelect={() => exportPng().catch(failed)}>
              Export PNG
            </DropdownMenu.Item>
            <DropdownMenu.Separator className="my-1 h-px bg-line" />
            <DropdownMenu.Item className={ITEM} data-testid="rerun" onSelect={() => startDrawing(true)}>
              Run afresh from time 0
            </DropdownMenu.Item>
            <DropdownMenu.Item className={ITEM} onSelect={() => useUi.setState({ commands: true })}>
              All commands <kbd className="num text-2xs text-ink-2">Ctrl K</kbd>
            </DropdownMenu.Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      <input
        ref={input}
        type="file"
        accept="application/json,.json"
        className="hidden"
        aria-label="Import a design from a JSON file"
        data-testid="import-file"
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = '';
          if (file) importFile(file).catch(failed);
        }}
      />
    </>
  );
}
