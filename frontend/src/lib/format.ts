/** Numbers, times and names as people read them. Widths hardly change while values do, so that nothing jumps. */

const SCALES: [number, string][] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** `value` with three significant digits and a scale: 35.0 k, 1.20 M, 412, 0.93. Not finite: an en dash. */
export function compact(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  for (const [scale, letter] of SCALES) {
    if (size >= scale * 0.9995) return `${digits(value / scale)} ${letter}`;
  }
  return digits(value);
}

function digits(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 99.95) return value.toFixed(0);
  if (size >= 9.995) return value.toFixed(1);
  if (size >= 0.0995) return value.toFixed(2);
  if (size >= 0.00995) return value.toFixed(3);
  return value.toPrecision(2);
}

/** A whole number without decimals up to 9,999 (a thin space between thousands), compact above. */
export function count(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 10_000) return compact(value);
  const rounded = Math.round(value);
  return Math.abs(rounded) >= 1000
    ? `${Math.trunc(rounded / 1000)}\u2009${String(Math.abs(rounded % 1000)).padStart(3, '0')}`
    : String(rounded);
}

/** A duration given in seconds, in the unit that suits it: 12 µs, 1.84 ms, 2.30 s, 3 min 20 s. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const size = Math.abs(seconds);
  if (size === 0) return '0 ms';
  if (size < 1e-6) return `${digits(seconds * 1e9)} ns`;
  if (size < 1e-3) return `${digits(seconds * 1e6)} µs`;
  if (size < 0.9995) return `${digits(seconds * 1e3)} ms`;
  if (size < 120) return `${digits(seconds)} s`;
  const minutes = Math.floor(size / 60);
  if (minutes < 120) return `${seconds < 0 ? '-' : ''}${minutes} min ${Math.round(size % 60)} s`;
  return `${digits(seconds / 3600)} h`;
}

/** Bytes in decimal units: 2.00 kB, 125 MB. */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return Math.abs(value) < 1000 ? `${Math.round(value)} B` : `${compact(value)}B`;
}

/** A figure with its unit, as the catalogue names units (`ms`, `s`, `%`, `per_s`, `bytes`, empty for counts). */
export function withUnit(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  switch (unit) {
    case 'ns':
      return duration(value / 1e9);
    case 'us':
    case 'µs':
      return duration(value / 1e6);
    case 'ms':
      return duration(value / 1e3);
    case 's':
      return duration(value);
    case '%':
    case 'percent':
      return `${percent(value)} %`;
    case 'bytes':
    case 'B':
      return bytes(value);
    case '/s':
    case 'per_s':
    case 'per s':
      return `${compact(value)}/s`;
    case '':
      return Number.isInteger(value) || Math.abs(value) >= 100 ? count(value) : compact(value);
    default:
      return `${compact(value)} ${unit}`;
  }
}

function percent(value: number): string {
  if (value === 0 || value === 100) return String(value);
  if (value > 99.9 && value < 100) return (Math.floor(value * 1000) / 1000).toFixed(3);
  return Math.abs(value) >= 99.95 ? value.toFixed(0) : value.toFixed(1);
}

/** Virtual time as a clock: 00:12.480, and 1:02:03.004 from an hour on. */
export function clock(ns: number): string {
  const total = Math.max(0, Math.floor(ns / 1e6));
  const ms = String(total % 1000).padStart(3, '0');
  const seconds = String(Math.floor(total / 1000) % 60).padStart(2, '0');
  const minutes = String(Math.floor(total / 60_000) % 60).padStart(2, '0');
  const hours = Math.floor(total / 3_600_000);
  return `${hours ? `${hours}:` : ''}${minutes}:${seconds}.${ms}`;
}

/** `number` of something: 1 block, 2 blocks. */
export function plural(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}

/** A unit as the catalogue names it, as people write it: `/s` for `per_s`, `µs` for `us`. */
export function unitText(unit: string): string {
  return { per_s: '/s', us: 'µs', percent: '%' }[unit] ?? unit;
}

/** A setting as a person would write it: every digit, a thin space between thousands, `off` for null. */
export function setting(value: string | number | boolean | null, unit = ''): string {
  if (value === null) return 'off';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  const text =
    typeof value === 'number'
      ? value.toLocaleString('en', { maximumSignificantDigits: 15 }).replaceAll(',', '\u2009')
      : value;
  return unit ? `${text} ${unitText(unit)}` : text;
}

/** A moment in the feed: seconds with two decimals below a minute, else a clock with one. */
export function moment(ns: number): string {
  return ns < 60e9 ? (ns / 1e9).toFixed(2) : clock(ns).slice(0, -2);
}

/** `speed` as the controls show it: 0.01×, 1×, 25×. */
export function times(speed: number): string {
  return `${speed >= 10 ? Math.round(speed) : Number(speed.toPrecision(2))}×`;
}

/** A name from the wire (`queue_full`) as words (`queue full`). */
export function words(name: string): string {
  return name.replaceAll('_', ' ');
}
