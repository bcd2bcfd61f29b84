"""The saved design: blocks, edges and service-level objectives, as exported, imported, shared and simulated."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playground.protocol.catalogue import Scalar
from playground.protocol.errors import InputError, from_validation, shown

NAME_CHARACTERS_MAX = 200
BLOCKS_MAX = 2_000
EDGES_MAX = 10_000
INTERVENTIONS_MAX = 10_000
HORIZON_S_MAX = 7 * 86_400.0

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:-]*$")]
Name = Annotated[str, Field(max_length=NAME_CHARACTERS_MAX)]
Coordinate = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]


Parsed = TypeVar("Parsed", bound=BaseModel)


class Shape(BaseModel):
    """Base of what is saved: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, allow_inf_nan=False)


NUMBERS_CHECKED_LATER = ConfigDict(allow_inf_nan=True)
"""Where parameters are given: their own check refuses NaN and infinity, and names block and parameter."""


class Position(Shape):
    """Where a block stands on the canvas, in canvas pixels. It changes nothing in a run."""

    x: Coordinate = 0.0
    y: Coordinate = 0.0


class Block(Shape):
    """A block. ``id`` seeds its random streams; ``label`` and ``position`` are for people. Parameters left out take their defaults."""

    model_config = NUMBERS_CHECKED_LATER

    id: Id
    kind: Annotated[str, Field(max_length=64)]
    label: Name = ""
    params: dict[str, Scalar] = Field(default_factory=dict)
    position: Position = Field(default_factory=Position)


class End(Shape):
    """One end of an edge."""

    block: Annotated[str, Field(max_length=64)]
    port: Annotated[str, Field(max_length=64)]


class Edge(Shape):
    """A connection along which calls go, from a caller's out port to a callee's in port."""

    model_config = NUMBERS_CHECKED_LATER

    id: Id
    from_: End = Field(alias="from")
    to: End
    params: dict[str, Scalar] = Field(default_factory=dict)


class Slo(Shape):
    """A service-level objective on the whole design (``block`` null) or on one block.

    ``metric``: ``p50_ms``, ``p95_ms``, ``p99_ms``, ``p999_ms``, ``mean_ms`` (latency), ``availability_percent`` (completed of ended) or
    ``goodput_per_s``. Exactly one of ``at_most`` and ``at_least`` is given.
    """

    metric: Literal["p50_ms", "p95_ms", "p99_ms", "p999_ms", "mean_ms", "availability_percent", "goodput_per_s"]
    block: str | None = None
    at_most: float | None = None
    at_least: float | None = None


class Setting(Shape):
    """One parameter of a block or an edge (``target`` is its id) and a value for it."""

    model_config = NUMBERS_CHECKED_LATER

    target: Id
    param: Annotated[str, Field(max_length=64)]
    value: Scalar


class Switch(Shape):
    """A fix that can be turned on and off while the design runs: the settings that hold with it and without it.

    It is on when every setting in ``on`` holds. ``off`` names the same parameters.
    """

    label: Annotated[str, Field(min_length=1, max_length=80)]
    help: Annotated[str, Field(max_length=400)] = ""
    on: Annotated[list[Setting], Field(min_length=1, max_length=20)]
    off: Annotated[list[Setting], Field(min_length=1, max_length=20)]


class Watch(Shape):
    """A figure that shows what a switch does: a metric of a block or an edge (``target``), compared with the fix on and off.

    ``show``: ``total`` (what a counter grew by), ``rate`` (that per second), ``highest`` or ``last`` (of a gauge). ``law`` says what it
    should come to, and why.
    """

    target: Id
    metric: Annotated[str, Field(max_length=64)]
    label: Annotated[str, Field(min_length=1, max_length=80)]
    show: Literal["total", "rate", "highest", "last"] = "total"
    law: Annotated[str, Field(max_length=400)] = ""


class Design(Shape):
    """A whole drawing."""

    format: Literal[1] = 1
    name: Name = "Untitled"
    description: Annotated[str, Field(max_length=4_000)] = ""
    blocks: Annotated[list[Block], Field(max_length=BLOCKS_MAX)] = Field(default_factory=list)
    edges: Annotated[list[Edge], Field(max_length=EDGES_MAX)] = Field(default_factory=list)
    slo: Annotated[list[Slo], Field(max_length=100)] = Field(default_factory=list)
    switches: Annotated[list[Switch], Field(max_length=10)] = Field(default_factory=list)
    watch: Annotated[list[Watch], Field(max_length=10)] = Field(default_factory=list)


class SetParam(Shape):
    """Change one parameter of a block or an edge (``target`` is its id)."""

    model_config = NUMBERS_CHECKED_LATER

    type: Literal["set_param"] = "set_param"
    target: Id
    param: str
    value: Scalar


class InjectFault(Shape):
    """Do one of the faults that ``target`` (a block or an edge) declares."""

    model_config = NUMBERS_CHECKED_LATER

    type: Literal["fault"] = "fault"
    target: Id
    fault: str
    params: dict[str, Scalar] = Field(default_factory=dict)


class ClearFaults(Shape):
    """End every lasting fault of ``target``: a crashed block restarts, a partition heals."""

    type: Literal["clear_faults"] = "clear_faults"
    target: Id


class EditDesign(Shape):
    """Replace the drawing; the engine applies the difference. Blocks that stay keep their state."""

    type: Literal["edit"] = "edit"
    design: Design


Action = Annotated[SetParam | InjectFault | ClearFaults | EditDesign, Field(discriminator="type")]


SCENARIO = "scenario"
"""The actor of what a scenario does by itself: part of the world like its drawing, and nobody's to take back."""


class Intervention(Shape):
    """Something that happens to a run after its start, at a virtual time in nanoseconds."""

    at_ns: Annotated[int, Field(ge=0, le=int(HORIZON_S_MAX * 1e9))]
    actor: Annotated[str, Field(max_length=64)] = "you"
    action: Action


class Scenario(Shape):
    """What a template or a share link holds: all that a run depends on (``engine_version`` null: the present one)."""

    format: Literal[1] = 1
    design: Design
    seed: Annotated[int, Field(ge=0, le=2**53)] = 1
    interventions: Annotated[list[Intervention], Field(max_length=INTERVENTIONS_MAX)] = Field(default_factory=list)
    until_s: Annotated[float, Field(gt=0, le=HORIZON_S_MAX)] = 60.0
    speed: Annotated[float, Field(ge=0.01, le=1000)] = 1.0
    engine_version: Annotated[str, Field(max_length=32)] | None = None


def parse_design(data: Any) -> Design:
    """Validate ``data`` (parsed JSON) as a design; raise :class:`InputError` naming field, value and block."""
    return _parse(Design, data, "design")


def parse_scenario(data: Any) -> Scenario:
    """Validate ``data`` (parsed JSON) as a scenario; a bare design is taken as a scenario with the usual settings."""
    if isinstance(data, dict) and "design" not in data and "blocks" in data:
        return Scenario(design=parse_design(data))
    return _parse(Scenario, data, "scenario")


def parse_interventions(data: Any) -> list[Intervention]:
    """Validate ``data`` (parsed JSON, a list) as an intervention log."""
    if not isinstance(data, list):
        raise InputError.single(
            "list_type",
            f"an intervention log is a list, not {shown(data)}",
            value=shown(data),
            accepted="a list of interventions",
        )
    if len(data) > INTERVENTIONS_MAX:
        raise InputError.single(
            "too_long",
            f"the log has {len(data)} interventions; at most {INTERVENTIONS_MAX} are accepted",
            accepted=f"at most {INTERVENTIONS_MAX}",
        )
    return [_parse(Intervention, entry, f"interventions[{index}]") for index, entry in enumerate(data)]


def _parse(model: type[Parsed], data: Any, root: str) -> Parsed:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise from_validation(error, root) from None


def canonical(design: Design) -> dict[str, Any]:
    """What a run depends on: no labels, names, positions; blocks and edges by id; keys sorted."""
    return {
        "format": design.format,
        "blocks": [
            {"id": block.id, "kind": block.kind, "params": dict(sorted(block.params.items()))}
            for block in sorted(design.blocks, key=lambda block: block.id)
        ],
        "edges": [
            {
                "id": edge.id,
                "from": [edge.from_.block, edge.from_.port],
                "to": [edge.to.block, edge.to.port],
                "params": dict(sorted(edge.params.items())),
            }
            for edge in sorted(design.edges, key=lambda edge: edge.id)
        ],
    }


def design_hash(design: Design) -> str:
    """SHA-256 of the canonical design, 16 hexadecimal digits: equal for designs that run alike under one seed."""
    text = json.dumps(canonical(design), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
