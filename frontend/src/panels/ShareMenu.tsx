/** A link that anybody can open: the drawing, or the run with everything that was done to it. */

import { Link2 } from 'lucide-react';
import { Popover } from 'radix-ui';
import { useState } from 'react';
import { share } from '../run/boot';
import { interventions, useSession } from '../state/session';
import { BUTTON, FIELD, PRIMARY } from '../ui/looks';
import { Switch } from '../ui/Switch';

/** The Share button with its panel. */
export function ShareMenu() {
  const [withLog, setWithLog] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  const [note, setNote] = useState('');
  const actions = useSession((state) => interventions(state.events).length);
  const make = async () => {
    try {
      const made = await share(withLog && actions > 0);
      setLink(made);
      await navigator.clipboard?.writeText(made).then(
        () => setNote('Copied.'),
        () => setNote('Copy it from the field.'),
      );
    } catch (error) {
      setNote(error instanceof Error ? error.message : String(error));
    }
  };
  const onOpenChange = () => {
    setLink(null);
    setNote('');
  };
  return (
    <Popover.Root onOpenChange={onOpenChange}>
      <Popover.Trigger className={`${BUTTON} hidden sm:inline-flex`} data-testid="share">
        <Link2 size={14} aria-hidden />
        <span className="hidden lg:inline">Share</span>
        <span className="sr-only lg:hidden">Share</span>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className="z-50 w-80 rounded-xl border border-line-strong bg-panel p-3.5 text-sm shadow-lg"
          sideOffset={6}
          align="start"
          aria-label="Share"
        >
          <p className="mb-2.5 text-xs text-ink-2">
            The link keeps the drawing and its seed for good. Whoever opens it gets a run of their own with the same
            numbers.
          </p>
          {actions > 0 && (
            <div className="mb-2.5 flex items-center justify-between gap-3 text-xs">
              <span>
                With the {actions} thing{actions === 1 ? '' : 's'} done to this run
              </span>
              <Switch
                checked={withLog}
                onChange={setWithLog}
                label="Share what was done to the run as well"
                testId="share-log"
              />
            </div>
          )}
          <button type="button" className={PRIMARY} onClick={make} data-testid="share-make">
            Make a link
          </button>
          {link && (
            <input
              readOnly
              aria-label="Link to this design"
              data-testid="share-link"
              className={`${FIELD} num mt-2.5 w-full text-xs`}
              value={link}
              onFocus={(event) => event.currentTarget.select()}
            />
          )}
          <p className="mt-1.5 text-xs text-ink-2" role="status">
            {note}
          </p>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
