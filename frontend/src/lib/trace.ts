/** Where a sampled request's time went, span by span, and in words. */

import type { Span } from '../generated/protocol';
import { duration, words } from './format';

/** A part of a span during which one thing happened. */
export interface Part {
  what: 'network' | 'queue' | 'work' | 'waiting';
  from: number;
  to: number;
}

/** A span with its depth in the tree and its parts in the order of time. */
export interface Bar {
  span: Span;
  depth: number;
  from: number;
  to: number;
  parts: Part[];
}

/** Spans as a waterfall: callers above their callees, siblings by the time they were sent. */
export function waterfall(spans: readonly Span[]): Bar[] {
  const children = new Map<number, Span[]>();
  const known = new Set(spans.map((span) => span.call));
  const roots: Span[] = [];
  for (const span of spans) {
    if (!known.has(span.parent) || span.parent === span.call) roots.push(span);
    else children.set(span.parent, [...(children.get(span.parent) ?? []), span]);
  }
  const last = Math.max(...spans.map(endOf));
  const bars: Bar[] = [];
  const visit = (span: Span, depth: number) => {
    const callees = (children.get(span.call) ?? []).sort((a, b) => a.sent - b.sent);
    bars.push({ span, depth, from: span.sent, to: spanEnd(span, last), parts: partsOf(span, callees, last) });
    for (const callee of callees) visit(callee, depth + 1);
  };
  for (const root of roots.sort((a, b) => a.sent - b.sent)) visit(root, 0);
  return bars;
}

function endOf(span: Span): number {
  return Math.max(span.sent, span.arrived, span.started, span.replied, span.ended);
}

function spanEnd(span: Span, last: number): number {
  return span.ended >= 0 ? span.ended : last;
}

/** Times that did not come stay out: a call that timed out while it queued has no start. */
function partsOf(span: Span, callees: readonly Span[], last: number): Part[] {
  const end = spanEnd(span, last);
  const parts: Part[] = [];
  const add = (what: Part['what'], from: number, to: number) => {
    const until = Math.min(to, end);
    if (until > from) parts.push({ what, from, to: until });
  };
  if (span.arrived < 0) {
    add('network', span.sent, end);
    return parts;
  }
  add('network', span.sent, span.arrived);
  if (span.started < 0) {
    add('queue', span.arrived, span.replied >= 0 ? span.replied : end);
  } else {
    add('queue', span.arrived, span.started);
    let at = span.started;
    const done = span.replied >= 0 ? span.replied : end;
    for (const callee of callees) {
      const from = Math.max(at, callee.sent);
      const to = Math.min(done, spanEnd(callee, last));
      if (to <= from) continue;
      add('work', at, from);
      add('waiting', from, to);
      at = to;
    }
    add('work', at, done);
  }
  if (span.replied >= 0) add('network', span.replied, end);
  return parts;
}

/** What took longest, and what blocks remarked on their answers, in sentences; `name` gives a block's name. */
export function explain(bars: readonly Bar[], name: (block: string) => string): string[] {
  const root = bars[0];
  if (!root) return [];
  const total = root.to - root.from;
  const spent = new Map<string, number>();
  for (const { span, parts } of bars) {
    for (const part of parts) {
      if (part.what === 'waiting') continue;
      const where = {
        network: 'on the network to and from',
        queue: 'waiting for a worker at',
        work: 'being worked on by',
      }[part.what];
      const key = `${where} ${name(span.callee)}`;
      spent.set(key, (spent.get(key) ?? 0) + part.to - part.from);
    }
  }
  const kind = words(root.span.operation);
  const outcome = root.span.outcome === 'ok' ? '' : ` and ended as ${words(root.span.outcome)}`;
  const first = `This ${kind} of key ${root.span.key} took ${duration(total / 1e9)}${outcome}.`;
  const longest = [...spent].sort((a, b) => b[1] - a[1]).slice(0, 3);
  const remarks = bars.flatMap(({ span }) => (span.remark ? [span.remark] : []));
  return [
    first,
    ...remarks,
    ...longest
      .filter(([, ns]) => ns > 0)
      .map(([where, ns]) => `${duration(ns / 1e9)} ${total ? `(${Math.round((100 * ns) / total)} %) ` : ''}${where}.`),
  ];
}
