/** On or off. */

import { Switch as Radix } from 'radix-ui';

/** A switch named by `label` for screen readers. */
export function Switch({
  checked,
  onChange,
  label,
  testId,
  disabled,
}: {
  checked: boolean;
  onChange: (checked: boolean) => void;
  label: string;
  testId?: string;
  disabled?: boolean;
}) {
  return (
    <Radix.Root
      checked={checked}
      onCheckedChange={onChange}
      aria-label={label}
      data-testid={testId}
      disabled={disabled}
      className="relative h-[18px] w-8 shrink-0 rounded-full border border-line-strong bg-raised data-[state=checked]:border-accent data-[state=checked]:bg-accent disabled:opacity-50"
    >
      <Radix.Thumb className="block size-3 translate-x-0.5 rounded-full bg-ink-2 transition-transform data-[state=checked]:translate-x-[15px] data-[state=checked]:bg-accent-ink" />
    </Radix.Root>
  );
}
