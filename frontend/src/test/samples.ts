/** A small catalogue and design for tests: enough kinds to connect, refuse and configure. */

import type { BlockSpec, Catalogue, Design, Param, Port } from '../generated/protocol';

/** A parameter with everything that is not given at its simplest. */
export function param(name: string, given: Partial<Param> = {}): Param {
  return {
    name,
    label: name,
    kind: 'number',
    default: 1,
    help: '',
    unit: '',
    minimum: null,
    maximum: null,
    nullable: false,
    choices: [],
    pattern: null,
    pattern_help: '',
    ascending: false,
    group: 'General',
    live: true,
    shown_when: {},
    ...given,
  };
}

function port(name: string, direction: 'in' | 'out', type: string, maximum: number | null = null): Port {
  return { name, label: name, direction, type, help: '', minimum: 0, maximum, weighted: false, deferred: false };
}

function kind(name: string, title: string, params: Param[], ports: Port[]): BlockSpec {
  return {
    kind: name,
    title,
    category: 'Compute',
    icon: 'box',
    summary: '',
    params,
    ports,
    metrics: [],
    faults: [],
    rules: [],
    any_above_zero: [],
    cells: null,
    needs: [],
    hands_over: [],
    version: 1,
    order: 1,
    doc: '',
  };
}

/** A client, a server and a database. */
export const CATALOGUE: Catalogue = {
  engine_version: 'test',
  blocks: [
    kind('client', 'Client', [param('rate_per_s', { default: 100 })], [port('out', 'out', 'http', 1)]),
    kind(
      'server',
      'App server',
      [param('workers', { default: 10, kind: 'integer', minimum: 1, maximum: 1000 }), param('seats', { live: false })],
      [port('in', 'in', 'http'), port('out', 'out', 'http'), port('store', 'out', 'sql', 1)],
    ),
    kind('database', 'SQL database', [], [port('in', 'in', 'sql', 2)]),
  ],
  edge: { params: [param('latency_ms', { default: 0.5 })], metrics: [], faults: [] },
  common_metrics: [],
  outcomes: ['ok'],
  limits: {},
};

/** A client that calls a server that calls a database. */
export function design(): Design {
  const block = (id: string, of: string, x: number) => ({ id, kind: of, label: '', params: {}, position: { x, y: 0 } });
  return {
    format: 1,
    name: 'Test',
    description: '',
    blocks: [block('client', 'client', 0), block('server', 'server', 300), block('database', 'database', 600)],
    edges: [
      { id: 'a', from: { block: 'client', port: 'out' }, to: { block: 'server', port: 'in' }, params: {} },
      { id: 'b', from: { block: 'server', port: 'store' }, to: { block: 'database', port: 'in' }, params: {} },
    ],
    slo: [],
    switches: [],
    watch: [],
  };
}
