/** The versions of every row, chained from old to new, with who made and who ended each. */

import { ArrowRight } from 'lucide-react';
import type { LabVersion } from '../generated/protocol';
import { Section } from '../ui/Section';
import { chains, standing } from './chains';
import { useLab } from './store';

/** A section for the chains of all tables. */
export function Versions() {
  const result = useLab((state) => state.result);
  if (!result) return null;
  return (
    <Section title="Row versions">
      {Object.entries(result.state.versions).map(([table, versions]) => (
        <div key={table} data-testid={`lab-versions-${table}`} className="mb-2">
          <p className="mb-1 text-2xs text-ink-3">
            {table} ({result.tables[table]?.join(', ')})
          </p>
          {!versions.length && <p className="text-xs text-ink-2">No row.</p>}
          <ul className="flex flex-col gap-1">
            {chains(versions).map((chain) => (
              <li key={chain[0]!.position} className="flex flex-wrap items-center gap-1" data-testid="lab-chain">
                {chain.map((version, at) => (
                  <span key={version.position} className="flex items-center gap-1">
                    {at > 0 && <ArrowRight size={12} className="text-ink-3" aria-label="replaced by" />}
                    <Version version={version} />
                  </span>
                ))}
              </li>
            ))}
          </ul>
        </div>
      ))}
      <p className="text-2xs leading-relaxed text-ink-3">
        Solid: committed and current. Dashed: not committed yet. Struck through: ended, or rolled back.
      </p>
    </Section>
  );
}

const LOOKS = {
  live: 'border-ok text-ink',
  pending: 'border-dashed border-accent text-ink',
  dead: 'border-line-strong text-ink-2',
  undone: 'border-bad text-ink-2',
};

function endText({ ended, ended_by: by, newer }: LabVersion): string {
  if (ended === 'in progress') return newer === null ? `${by} deletes it` : `${by} replaces it`;
  return newer === null ? `deleted by ${by}` : `replaced by ${by}`;
}

function Version({ version }: { version: LabVersion }) {
  const state = standing(version);
  const gone = state === 'dead' || state === 'undone';
  return (
    <span
      data-testid="lab-version"
      data-standing={state}
      className={`inline-flex items-baseline gap-1.5 rounded-md border px-1.5 py-0.5 text-2xs ${LOOKS[state]}`}
    >
      <span className={`num ${gone ? 'line-through' : ''}`}>({version.row.join(', ')})</span>
      <span className="text-ink-3">
        {version.made_by}
        {version.made === 'rolled back' && ' rolled back'}
        {version.ended_by && version.ended !== 'rolled back' && ` · ${endText(version)}`}
      </span>
    </span>
  );
}
