/** A block's documentation: the few things of Markdown that it uses. */

import type { ReactNode } from 'react';

function inline(text: string): ReactNode[] {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`|\[[^\]]+\]\([^)]+\))/).map((part, index) => {
    const key = `${index}-${part}`;
    if (part.startsWith('**')) return <b key={key}>{part.slice(2, -2)}</b>;
    if (part.startsWith('`')) {
      return (
        <code key={key} className="num rounded bg-raised px-1 text-2xs">
          {part.slice(1, -1)}
        </code>
      );
    }
    const link = part.match(/^\[([^\]]+)\]\(([^)]+)\)$/);
    return link ? link[1] : part;
  });
}

/** Headings, paragraphs, lists and code of `text`. */
export function Prose({ text }: { text: string }) {
  const parts = text.trim().split(/\n{2,}/);
  return (
    <div className="flex flex-col gap-2 text-xs leading-relaxed text-ink-2">
      {parts.map((part, index) => {
        const key = `${index}-${part.slice(0, 20)}`;
        const heading = part.match(/^#+\s+(.*)/);
        if (heading) {
          return (
            <div key={key}>
              <h4 className="font-semibold text-ink">{inline(heading[1]!)}</h4>
              {part.includes('\n') && <p>{inline(part.slice(part.indexOf('\n') + 1).replaceAll('\n', ' '))}</p>}
            </div>
          );
        }
        if (part.startsWith('|') || part.startsWith('```')) {
          return (
            <pre key={key} className="num overflow-x-auto rounded bg-raised p-2 text-2xs">
              {part.replaceAll('```', '').trim()}
            </pre>
          );
        }
        if (/^[-*] /.test(part)) {
          return (
            <ul key={key} className="list-disc pl-4">
              {part.split(/\n(?=[-*] )/).map((item) => (
                <li key={item}>{inline(item.slice(2).replaceAll('\n', ' '))}</li>
              ))}
            </ul>
          );
        }
        return <p key={key}>{inline(part.replaceAll('\n', ' '))}</p>;
      })}
    </div>
  );
}
