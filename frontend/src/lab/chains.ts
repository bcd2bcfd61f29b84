/** Versions of rows as chains, from the oldest to the newest. */

import type { LabVersion } from '../generated/protocol';

/** The versions of a table, one list a row; a row that was deleted and one inserted later with its key are two. */
export function chains(versions: readonly LabVersion[]): LabVersion[][] {
  const at = new Map(versions.map((version) => [version.position, version]));
  const replaced = new Set(versions.map((version) => version.newer));
  return versions
    .filter((version) => !replaced.has(version.position))
    .map((first) => {
      const chain = [first];
      const seen = new Set([first.position]);
      for (let next = first.newer; next !== null && !seen.has(next); next = chain.at(-1)!.newer) {
        const version = at.get(next);
        if (!version) break;
        seen.add(next);
        chain.push(version);
      }
      return chain;
    })
    .sort((one, other) => (one[0]?.row[0] ?? 0) - (other[0]?.row[0] ?? 0));
}

/** How a version stands: seen by everyone new, not committed yet, replaced or deleted, or never to be seen. */
export function standing(version: LabVersion): 'live' | 'pending' | 'dead' | 'undone' {
  if (version.made === 'rolled back') return 'undone';
  if (version.made === 'in progress') return 'pending';
  return version.ended === 'committed' ? 'dead' : 'live';
}
