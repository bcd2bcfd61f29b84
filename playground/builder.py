"""From a checked design to a simulation of it, and from one drawing to the next while it runs.

Blocks and edges are made in order of their ids, so that the order in a file changes nothing. An edit applies the difference: what stays
keeps its state; a block whose kind, or a parameter that can't change live, is another one begins anew.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from playground.blocks.declare import PRICES
from playground.blocks.edge import EDGE
from playground.blocks.registry import kinds
from playground.catalogue import check_design, spec_of
from playground.engine.block import Block
from playground.engine.edge import Edge
from playground.engine.params import Params
from playground.engine.simulation import Simulation
from playground.parameters import filled
from playground.protocol import design as drawn
from playground.protocol.catalogue import Scalar
from playground.protocol.errors import InputError

BUILD_S_MAX = 15.0
"""A design that takes longer to build (millions of warm keys, say) is refused, so that a worker's other runs go on."""


@dataclass
class Model:
    """A simulation and its present blocks and edges by id; those that were deleted stay in the simulation, retired."""

    simulation: Simulation
    blocks: dict[str, Block] = field(default_factory=dict)
    edges: dict[str, Edge] = field(default_factory=dict)

    def roots(self) -> list[Block]:
        """Blocks that nobody calls, past ones included: what they counted is what the whole design did."""
        return [block for block in self.simulation.blocks if block.is_root]


def build(design: drawn.Design, seed: int) -> Model:
    """A simulation of ``design`` at time 0; raises :class:`InputError` for a design that can't run."""
    check_design(design)
    model = Model(Simulation(seed))
    _change(model, drawn.Design(), design)
    return model


def apply_edit(model: Model, before: drawn.Design, after: drawn.Design) -> None:
    """Bring a running model from one drawing (that it runs) to another (that was checked)."""
    _change(model, before, after)


def _change(model: Model, before: drawn.Design, after: drawn.Design) -> None:
    old_blocks = {block.id: block for block in before.blocks}
    new_blocks = {block.id: block for block in after.blocks}
    old_edges = {edge.id: edge for edge in before.edges}
    new_edges = {edge.id: edge for edge in after.edges}
    gone = {name for name, old in old_blocks.items() if name not in new_blocks or _begins_anew(old, new_blocks[name])}
    cut = {
        name
        for name, edge in old_edges.items()
        if name not in new_edges or _ends(edge) != _ends(new_edges[name]) or {edge.from_.block, edge.to.block} & gone
    }
    model.simulation.wiring += 1
    touched = _take_out(model, gone, cut)
    made = sorted(name for name in new_blocks if name not in old_blocks or name in gone)
    model.simulation.people.register([name for name in made if _has_users(new_blocks[name])])
    deadline = time.monotonic() + BUILD_S_MAX
    for name in made:
        _make_block(model, new_blocks[name])
    for name, block in new_blocks.items():
        model.blocks[name].label = block.label or name
    resized = _reconfigure(model, old_blocks, new_blocks, set(made))
    for name in sorted(new_edges):
        edge = new_edges[name]
        if name not in old_edges or name in cut:
            _make_edge(model, edge)
            touched.add(edge.from_.block)
        elif edge.params != old_edges[name].params:
            _configure_edge(model.edges[name], edge)
            touched.add(edge.from_.block)
    touched |= set(made) | _callers(model, resized)
    for name in sorted(touched & model.blocks.keys()):
        model.blocks[name].wired()
    for name in made:
        model.blocks[name].started()
        if time.monotonic() > deadline:
            raise InputError.single(
                "too_slow",
                f"building this design takes longer than {BUILD_S_MAX:.0f} s (it came to block {name!r})",
                block=name,
                accepted="fewer warm keys, or fewer blocks",
            )


def _begins_anew(old: drawn.Block, new: drawn.Block) -> bool:
    if old.kind != new.kind:
        return True
    params = spec_of(new).params
    before, after = filled(params, old.params), filled(params, new.params)
    return any(before[param.name] != after[param.name] for param in params if not param.live)


def _ends(edge: drawn.Edge) -> tuple[str, str, str, str]:
    return edge.from_.block, edge.from_.port, edge.to.block, edge.to.port


def _take_out(model: Model, blocks: set[str], edges: set[str]) -> set[str]:
    """Retire these; returns the callers that lost an edge."""
    touched = set()
    for name in sorted(edges):
        edge = model.edges.pop(name)
        edge.retire()
        for port in edge.caller.out.values():
            if edge in port:
                port.remove(edge)
        touched.add(edge.caller.name)
    for name in sorted(blocks):
        block = model.blocks.pop(name)
        # It keeps edges of its own choice; without this a client that was taken out would go on calling.
        block.wired()
        block.retire()
    return touched - blocks


def _has_users(block: drawn.Block) -> bool:
    """Nobody calls it: what it sends is what its own users want."""
    return not any(port.direction == "in" for port in kinds()[block.kind].spec.ports)


def _make_block(model: Model, block: drawn.Block) -> None:
    simulation = model.simulation
    kind = kinds()[block.kind]
    made = kind.behaviour(simulation, len(simulation.blocks), block.id)
    made.has_cells = kind.spec.cells is not None
    made.is_root = _has_users(block)
    made.out = {port.name: [] for port in kind.spec.ports if port.direction == "out"}
    simulation.blocks.append(made)
    model.blocks[block.id] = made
    _configure(model, block)


def _configure(model: Model, block: drawn.Block) -> None:
    made = model.blocks[block.id]
    values = filled(spec_of(block).params, block.params)
    region = values.get("region")
    _set_prices(made, values)
    moved = (region or "") != made.region
    made.region = str(region or "")
    made.configure(Params(dict(values)))
    if moved:
        for edge in model.edges.values():
            if made is edge.caller or made is edge.callee:
                edge.settle_region()


def _set_prices(made: Block, values: Mapping[str, Scalar]) -> None:
    made.set_prices(*(float(str(values.get(name, 0.0))) for name in PRICES))


def _reconfigure(model: Model, old: dict[str, drawn.Block], new: dict[str, drawn.Block], made: set[str]) -> set[str]:
    """Let blocks that stay take changed parameters; returns the ids of those that may behave otherwise now (a price changes nothing)."""
    changed = set()
    for name in sorted(new):
        block = new[name]
        if name in made or block.params == old[name].params:
            continue
        if _unpriced(block) == _unpriced(old[name]):
            _set_prices(model.blocks[name], filled(spec_of(block).params, block.params))
        else:
            _configure(model, block)
            changed.add(name)
    return changed


def _unpriced(block: drawn.Block) -> Mapping[str, Scalar]:
    return {name: value for name, value in block.params.items() if name not in PRICES}


def _make_edge(model: Model, edge: drawn.Edge) -> None:
    simulation = model.simulation
    caller, callee = model.blocks[edge.from_.block], model.blocks[edge.to.block]
    made = Edge(simulation, len(simulation.edges), edge.id, caller, callee)
    simulation.edges.append(made)
    model.edges[edge.id] = made
    _configure_edge(made, edge)
    port = caller.out[edge.from_.port]
    port.append(made)
    port.sort(key=lambda other: other.name)


def _configure_edge(made: Edge, edge: drawn.Edge) -> None:
    made.configure(Params(dict(filled(EDGE.params, edge.params))))


def _callers(model: Model, callees: set[str]) -> set[str]:
    return {edge.caller.name for edge in model.edges.values() if edge.callee.name in callees}
