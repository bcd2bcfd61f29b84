/** The dependency graph and the wait-for graph, drawn. */

import { useId } from 'react';
import { Section } from '../ui/Section';
import { type Edge, picture, RADIUS } from './graph';
import { useLab } from './store';
import { dependencyText, grouped } from './words';

const DASHES: Record<string, string | undefined> = { wr: '7 4', rw: '2 4', waits: undefined };

/** Who must come before whom, among those that committed; a cycle is what no serial order explains. */
export function DependencyGraph() {
  const result = useLab((state) => state.result);
  if (!result) return null;
  const inCycle = new Set(
    result.anomalies.flatMap((anomaly) => anomaly.cycle.map((edge) => `${edge.from}${edge.to}${edge.kind}`)),
  );
  const groups = grouped(result.dependencies, (edge) => `${edge.from}${edge.to}${edge.kind}`);
  const committed = result.transactions.filter((one) => one.state === 'committed').map((one) => one.name);
  const names = committed.filter((name) => result.sessions.includes(name) || isTied(name, result.dependencies));
  const edges = groups.map(([way, same]) => {
    const [first] = same;
    const rows = [...new Set(same.map((edge) => edge.key))].join(', ');
    const { from, to, kind } = first!;
    return {
      from,
      to,
      kind,
      label: `${kind} ${rows}`,
      bad: inCycle.has(way),
      told: same.map(dependencyText).join('; '),
    };
  });
  return (
    <Section title="Dependencies">
      {names.length < 2 ? (
        <p className="text-xs text-ink-2">Drawn once two transactions have committed.</p>
      ) : (
        <>
          <Graph testId="lab-dependencies" names={names} edges={edges} what="Dependencies" />
          <p className="mt-1 text-2xs leading-relaxed text-ink-3">
            An arrow says who must come before whom, and by which rows. <b>ww</b> overwrote, <b>wr</b> read it,{' '}
            <b>rw</b> read what was there before. Red: part of a cycle.
          </p>
        </>
      )}
    </Section>
  );
}

const isTied = (name: string, edges: readonly { from: string; to: string }[]) =>
  edges.some((edge) => edge.from === name || edge.to === name);

/** Who waits for whom now. */
export function WaitGraph() {
  const result = useLab((state) => state.result);
  if (!result) return null;
  const { waits } = result.state;
  const edges = waits.flatMap((wait) =>
    wait.for.map((other) => ({
      from: wait.session,
      to: other,
      kind: 'waits',
      label: 'waits',
      bad: false,
      told: `${wait.session} waits for ${other}: ${wait.what}`,
    })),
  );
  const names = result.sessions.filter((name) => isTied(name, edges));
  return (
    <Section title="Who waits for whom">
      {waits.length ? (
        <>
          <Graph testId="lab-waits" names={names} edges={edges} what="Waits" />
          <ul className="text-xs text-ink-2">
            {waits.map((wait) => (
              <li key={wait.session}>
                {wait.session} waits for {wait.for.join(', ')}: {wait.what}
              </li>
            ))}
          </ul>
        </>
      ) : (
        <p className="text-xs text-ink-2">Nobody waits.</p>
      )}
    </Section>
  );
}

function Graph({
  names,
  edges,
  what,
  testId,
}: {
  names: string[];
  edges: (Edge & { bad: boolean; told: string })[];
  what: string;
  testId: string;
}) {
  const id = useId();
  const drawn = picture(names, edges);
  const told = edges.map((edge) => edge.told).join('. ') || 'none';
  const colour = (kind: string, bad: boolean) =>
    bad ? 'var(--bad)' : kind === 'waits' ? 'var(--warn)' : 'var(--ink-2)';
  const extra = new Map(edges.map((edge) => [`${edge.from}${edge.to}${edge.kind}`, edge]));
  return (
    <svg
      role="img"
      aria-label={`${what}: ${told}.`}
      data-testid={testId}
      viewBox={`0 0 ${drawn.width} ${drawn.height}`}
      className="mx-auto block w-full max-w-[400px]"
    >
      <defs>
        {(['var(--bad)', 'var(--warn)', 'var(--ink-2)'] as const).map((fill, at) => (
          <marker
            key={fill}
            id={`${id}${at}`}
            viewBox="0 0 8 8"
            refX="2"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto"
          >
            <path d="M 0 0 L 8 4 L 0 8 z" fill={fill} />
          </marker>
        ))}
      </defs>
      {drawn.edges.map((edge) => {
        const { bad } = extra.get(`${edge.from}${edge.to}${edge.kind}`)!;
        return (
          <path
            key={edge.path}
            data-testid={`lab-edge-${edge.from}-${edge.kind}-${edge.to}`}
            d={edge.path}
            fill="none"
            stroke={colour(edge.kind, bad)}
            strokeWidth={bad ? 2.2 : 1.6}
            strokeDasharray={DASHES[edge.kind]}
            markerEnd={`url(#${id}${bad ? 0 : edge.kind === 'waits' ? 1 : 2})`}
          />
        );
      })}
      {drawn.edges.map((edge) => (
        <text
          key={edge.path}
          x={edge.x}
          y={edge.y + 4}
          textAnchor="middle"
          className="num"
          fontSize="11"
          fill={colour(edge.kind, extra.get(`${edge.from}${edge.to}${edge.kind}`)!.bad)}
          stroke="var(--panel)"
          strokeWidth="7"
          paintOrder="stroke"
        >
          {edge.label}
        </text>
      ))}
      {drawn.nodes.map((node) => (
        <g key={node.name}>
          <circle
            cx={node.x}
            cy={node.y}
            r={RADIUS}
            fill="var(--raised)"
            stroke="var(--line-strong)"
            strokeWidth="1.5"
          />
          <text
            x={node.x}
            y={node.y + 4}
            textAnchor="middle"
            fontSize={node.name.length > 2 ? 10 : 12}
            fontWeight="600"
            fill="var(--ink)"
          >
            {node.name}
          </text>
        </g>
      ))}
    </svg>
  );
}
