"""What a block declares about itself: parameters, ports, metrics and faults.

A block's ``spec.py`` builds one :class:`BlockSpec`. Forms, API, TypeScript types, docs and the checks on a design all derive from
it; nothing else states a parameter's name, unit, bounds or help.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Scalar = bool | int | float | str | None
"""A parameter's value in a saved design. ``None`` means "off" and is taken where the parameter is nullable."""


class Declared(BaseModel):
    """Base of everything declared: immutable, and unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Choice(Declared):
    """One value of a parameter of kind ``choice``."""

    value: str
    label: str
    help: str = ""


class Param(Declared):
    """A parameter of a block, an edge or a fault.

    The name ends in its unit where it has one (``ttl_s``, ``latency_mean_ms``, ``rate_per_s``, ``loss_percent``). ``minimum`` and
    ``maximum`` are inclusive and in that unit. ``live`` says that it may change while a run goes on; ``shown_when`` hides it in forms
    unless each named parameter has one of the listed values (it never affects the engine). ``ascending`` says of a text that it is whole
    numbers with commas between them, each larger than the one before.
    """

    name: str
    label: str
    kind: Literal["number", "integer", "boolean", "choice", "text"]
    default: Scalar
    help: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = False
    choices: tuple[Choice, ...] = ()
    pattern: str | None = None
    pattern_help: str = ""
    ascending: bool = False
    group: str = "General"
    live: bool = True
    shown_when: dict[str, tuple[Scalar, ...]] = Field(default_factory=dict)


class Port(Declared):
    """A typed port. An ``out`` port connects to an ``in`` port of the same ``type``; ``minimum`` and ``maximum`` count its edges.

    ``weighted``: calls are spread over its edges, so their weights can't all be 0. ``deferred``: calls leave it later, whoever caused
    them has been answered by then, so they may come round to where they were caused.
    """

    name: str
    label: str
    direction: Literal["in", "out"]
    type: str
    help: str
    minimum: int = 0
    maximum: int | None = None
    weighted: bool = False
    deferred: bool = False


Look = Literal["empty", "good", "fading", "bad", "locked", "absent", "busy", "first", "second", "third", "fourth"]
"""How a cell is drawn: colour and shape."""


class CellState(Declared):
    """What one cell of a card can be. ``look`` chooses colour and shape, so that states differ without colour too.

    ``callee``: it stands for whoever the block calls, counted from 0 in the order of the edges' ids, and is shown under that one's name.
    """

    name: str
    label: str
    look: Look
    callee: int | None = None


class Cells(Declared):
    """Small cells drawn on the card, one for each key, server, bit ...; ``Block.cells`` gives each cell's state by its number here.

    ``marked`` says what a marked cell means (+ 128), empty where none is ever marked.
    """

    label: str
    help: str
    states: tuple[CellState, ...]
    marked: str = ""


class Rule(Declared):
    """``lesser`` must not be more than ``greater`` (with ``strict``: must be less), where both are on; ``help`` says why.

    Parameters in ``plus`` count with ``lesser``. Without a ``lesser`` it is ``least`` that ``greater`` must reach. The rule holds where
    each parameter in ``when`` has one of the listed values and each in ``above_zero`` is more than 0.
    """

    lesser: str
    greater: str
    help: str
    strict: bool = False
    plus: tuple[str, ...] = ()
    least: float = 0.0
    when: dict[str, tuple[Scalar, ...]] = Field(default_factory=dict)
    above_zero: tuple[str, ...] = ()


class AnyAboveZero(Declared):
    """At least one of ``params`` has to be more than 0; ``help`` says why."""

    params: tuple[str, ...]
    help: str


class Need(Declared):
    """Where each parameter in ``when`` has one of the listed values, one of these ``ports`` has to be connected; ``help`` says why.

    ``callee``: parameters of the block that is connected there, where it has them, and the values that they may have then.
    """

    ports: tuple[str, ...]
    when: dict[str, tuple[Scalar, ...]]
    help: str
    callee: dict[str, tuple[Scalar, ...]] = Field(default_factory=dict)


class HandOver(Declared):
    """Jobs that leave by ``port`` for somebody who hands them on later (a queue): whoever does them in the end needs something connected to
    each of its ``ports``; ``help`` says why.

    It holds where each parameter in ``when`` has one of the listed values, and where the block at each port in ``on`` has the parameter
    named there on. A port in ``same`` has to lead to what this block's own port of that name leads to.
    """

    port: str
    ports: tuple[str, ...]
    help: str
    when: dict[str, tuple[Scalar, ...]] = Field(default_factory=dict)
    on: dict[str, str] = Field(default_factory=dict)
    same: tuple[str, ...] = ()


class Metric(Declared):
    """A figure that a block or edge reports.

    ``counter``: only grows, frames carry its total; ``gauge``: its value now. ``headline`` metrics are drawn on the card, in order.
    ``maximum_metric`` names the gauge that this one fills up towards (busy towards workers), for bars; ``full_is_well`` where a full bar is
    how it should be (targets that are well).
    """

    name: str
    label: str
    kind: Literal["counter", "gauge"]
    help: str
    unit: str = ""
    headline: bool = False
    maximum_metric: str | None = None
    full_is_well: bool = False


class Fault(Declared):
    """Something that can be done to a block or an edge while it runs. ``momentary`` ones have no end (flush)."""

    name: str
    label: str
    help: str
    params: tuple[Param, ...] = ()
    momentary: bool = False


class BlockSpec(Declared):
    """All that is declared about one kind of block. ``icon`` is a lucide icon name; ``version`` counts migrations of its parameters."""

    kind: str
    title: str
    category: Literal["Traffic", "Edge", "Compute", "Memory", "Data"]
    icon: str
    summary: str
    params: tuple[Param, ...]
    ports: tuple[Port, ...]
    metrics: tuple[Metric, ...]
    faults: tuple[Fault, ...]
    rules: tuple[Rule, ...] = ()
    any_above_zero: tuple[AnyAboveZero, ...] = ()
    needs: tuple[Need, ...] = ()
    hands_over: tuple[HandOver, ...] = ()
    cells: Cells | None = None
    version: int = 1
    order: int = 100
    doc: str = ""

    def param(self, name: str) -> Param | None:
        """The parameter called ``name``, or None."""
        return next((param for param in self.params if param.name == name), None)

    def port(self, name: str) -> Port | None:
        """The port called ``name``, or None."""
        return next((port for port in self.ports if port.name == name), None)


class EdgeSpec(Declared):
    """What every edge declares: policies as parameters, metrics and faults."""

    params: tuple[Param, ...]
    metrics: tuple[Metric, ...]
    faults: tuple[Fault, ...]


class Catalogue(Declared):
    """Everything that can be drawn, as the palette, the API and ``manage.py blocks --json`` show it.

    ``common_metrics`` are reported by every block in front of its own ``metrics``; ``outcomes`` are the names of the ways in which a
    call ends, index 0 being success.
    """

    engine_version: str
    blocks: tuple[BlockSpec, ...]
    edge: EdgeSpec
    common_metrics: tuple[Metric, ...]
    outcomes: tuple[str, ...]
    limits: dict[str, int]
