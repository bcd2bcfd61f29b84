/** Class names that several panels share, so that the same thing looks the same everywhere. */

/** An ordinary button with text. */
export const BUTTON =
  'inline-flex items-center gap-1.5 rounded-lg border border-line-strong bg-raised px-2.5 py-1 text-sm text-ink hover:bg-hover disabled:opacity-45 whitespace-nowrap';
/** The one button of a panel that is meant to be pressed. */
export const PRIMARY =
  'inline-flex items-center gap-1.5 rounded-lg bg-accent px-2.5 py-1 text-sm font-medium text-accent-ink hover:brightness-110 disabled:opacity-45 whitespace-nowrap';
/** A field to type in. */
export const FIELD =
  'rounded-md border border-line-strong bg-raised px-2 py-1 text-sm text-ink placeholder:text-ink-3 aria-invalid:border-bad';
