/** The theme's colours for the overlay, read from the document once per theme. */

/** Colours by role, as CSS colours. */
export interface Colours {
  ok: string;
  warn: string;
  bad: string;
  flow: string;
  stale: string;
  ink: string;
  ink2: string;
  ink3: string;
  line: string;
  lineStrong: string;
  panel: string;
  raised: string;
  bg: string;
}

/** The document's colours as they are now. */
export function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const get = (name: string) => style.getPropertyValue(name).trim();
  return {
    ok: get('--ok'),
    warn: get('--warn'),
    bad: get('--bad'),
    flow: get('--flow'),
    stale: get('--stale'),
    ink: get('--ink'),
    ink2: get('--ink-2'),
    ink3: get('--ink-3'),
    line: get('--line'),
    lineStrong: get('--line-strong'),
    panel: get('--panel'),
    raised: get('--raised'),
    bg: get('--bg'),
  };
}
