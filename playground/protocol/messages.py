"""Every message on the live socket, as two tagged unions (tag ``type``). Text messages are JSON; frames are binary, see ``frames.py``.

A viewer connects to ``/ws/runs/<run id>/`` and says ``hello`` first. Each request may carry a ``ref``, echoed by ``accepted`` or
``refused``. Durable events carry ``seq`` (1, 2, 3 ...); a viewer that reconnects says the last one it has and gets the rest. Frames are not
durable: a lost one harms nothing, since they carry cumulative counters and present gauges.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from playground.protocol import PROTOCOL_VERSION
from playground.protocol.design import Action, Design, Intervention, Slo
from playground.protocol.errors import InputError, Problem, from_validation, shown
from playground.protocol.strict_json import loads

MESSAGE_BYTES_MAX = 1_000_000
"""A larger message is refused by name and the socket stays open, up to ``SOCKET_BYTES_MAX``: a larger one still closes it (1009)."""

SOCKET_BYTES_MAX = 16_000_000
SPEED_MIN, SPEED_MAX = 0.01, 1000.0


class Message(BaseModel):
    """Base of all messages: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Request(Message):
    """Base of what a viewer sends."""

    ref: Annotated[str, Field(max_length=64)] | None = None


# ---- viewer to server


class Hello(Request):
    """First message. ``after``: the last durable ``seq`` that the viewer holds, or 0; ``control``: the run's control token."""

    type: Literal["hello"] = "hello"
    version: int
    after: Annotated[int, Field(ge=0)] = 0
    control: Annotated[str, Field(max_length=64)] | None = None


class Play(Request):
    """Let virtual time pass."""

    type: Literal["play"] = "play"


class Pause(Request):
    """Hold virtual time."""

    type: Literal["pause"] = "pause"


class Step(Request):
    """While paused: run ``events`` engine events, or ``ns`` of virtual time (exactly one of them), then hold again."""

    type: Literal["step"] = "step"
    events: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    ns: Annotated[int, Field(ge=1, le=60_000_000_000)] | None = None


class Speed(Request):
    """Virtual seconds per second, ``0.01`` to ``1000``; the engine gives what it can and frames say what it reached."""

    type: Literal["speed"] = "speed"
    factor: Annotated[float, Field(ge=SPEED_MIN, le=SPEED_MAX)]


class Seek(Request):
    """Go to a virtual time between 0 and the furthest one reached."""

    type: Literal["seek"] = "seek"
    at_ns: int


class Reset(Request):
    """Back to time 0 with an empty log; with ``seed``, under another seed."""

    type: Literal["reset"] = "reset"
    seed: Annotated[int, Field(ge=0, le=2**53)] | None = None


class Act(Request):
    """Intervene now. At a time before the furthest one this branches: later interventions are dropped, and a durable event says so."""

    type: Literal["act"] = "act"
    action: Action


class Ack(Request):
    """The viewer drew frame ``frame``. Without acknowledgements the server stops sending frames after a few."""

    type: Literal["ack"] = "ack"
    frame: Annotated[int, Field(ge=0)]


class AskHistory(Request):
    """Ask for the recorded series from bucket ``first`` on (after a gap, a seek or a reconnect)."""

    type: Literal["ask_history"] = "ask_history"
    first: Annotated[int, Field(ge=0)] = 0


class AskTrace(Request):
    """Ask for all spans of one sampled request."""

    type: Literal["ask_trace"] = "ask_trace"
    trace: Annotated[int, Field(ge=0)]


class AskResults(Request):
    """Ask for the results so far, in the shape of ``manage.py simulate --json``."""

    type: Literal["ask_results"] = "ask_results"


class AskDetail(Request):
    """Ask for a block's inner state as it is now (cached keys, queue, program ...), for the inspector."""

    type: Literal["ask_detail"] = "ask_detail"
    block: Annotated[str, Field(max_length=64)]


ViewerMessage = Annotated[
    Hello | Play | Pause | Step | Speed | Seek | Reset | Act | Ack | AskHistory | AskTrace | AskResults | AskDetail,
    Field(discriminator="type"),
]

# ---- server to viewer


class BlockLayout(Message):
    """Where a block's figures stand in a frame: ``metrics`` names, in order, its row (common metrics first)."""

    id: str
    kind: str
    metrics: list[str]


class Layout(Message):
    """How to read frames of ``epoch``. A graph edit starts a new epoch; a frame of an unknown epoch is skipped by the viewer."""

    type: Literal["layout"] = "layout"
    epoch: int
    blocks: list[BlockLayout]
    edges: list[str]
    edge_metrics: list[str]
    outcomes: list[str]
    bucket_ns: int


class RunState(Message):
    """How the run stands. ``pending`` holds actions that were accepted but not yet applied; ``stopped`` names why a run ended.

    ``restoring``: the engine process that carried the run is gone, and another one is bringing it back by replay.
    """

    type: Literal["state"] = "state"
    playing: bool
    speed: float
    now_ns: int
    furthest_ns: int
    until_ns: int
    pending: list[Intervention] = []
    stopped: dict[str, Any] | None = None
    engine: Literal["compiled", "interpreted"] = "interpreted"
    viewers: int = 0
    restoring: bool = False


class Welcome(Message):
    """Answer to ``hello``: all that a page needs to draw the run; layout, state and missed durable events follow.

    ``design`` is what runs now, ``origin`` what ran at time 0; ``script`` is what the scenario does by itself in each run of it.
    """

    type: Literal["welcome"] = "welcome"
    version: int = PROTOCOL_VERSION
    run: str
    engine_version: str
    design: Design
    design_hash: str
    origin: Design
    script: list[Intervention] = []
    seed: int
    title: str = ""
    slo: list[Slo] = []
    may_control: bool = True
    last_seq: int = 0


class Notable(Message):
    """A notable moment that the engine named: stampede, crash, pool full, breaker opened, limit hit, ..."""

    kind: str
    severity: Literal["info", "good", "warning", "bad"]
    target: str | None
    title: str
    detail: str
    at_ns: int
    until_ns: int | None = None


class Drawing(Message):
    """The drawing as it is at ``at_ns``, sent after a jump (a seek, a replay) to a time at which it was another one. Not durable."""

    type: Literal["drawing"] = "drawing"
    at_ns: int
    design: Design


class Happened(Message):
    """A durable event: an intervention that was applied, a notable moment, a branch (interventions after ``at_ns`` dropped) or a reset.

    ``design`` is the present drawing where the event changed it, so that canvas and engine agree.
    """

    type: Literal["happened"] = "happened"
    seq: int
    at_ns: int
    what: Literal["intervention", "notable", "branch", "reset", "stopped", "restored"]
    intervention: Intervention | None = None
    notable: Notable | None = None
    design: Design | None = None
    detail: str = ""


class Accepted(Message):
    """The request ``ref`` was taken."""

    type: Literal["accepted"] = "accepted"
    ref: str | None


class Refused(Message):
    """The request ``ref`` was not taken, and nothing changed."""

    type: Literal["refused"] = "refused"
    ref: str | None
    problems: list[Problem]


class History(Message):
    """Recorded series in buckets of ``bucket_ns``: ``columns[name][i]`` belongs to bucket ``first + i``. Gaps are null.

    Names: ``offered``, ``completed``, ``failed`` (counts in the bucket), ``mean_ms``, ``p50_ms``, ``p95_ms``, ``p99_ms`` (of calls that
    ended in the bucket), ``failed.<outcome>`` and, a block, ``utilisation.<id>`` (of the busiest of what it has; a database:
    connections, cores and disks, all nodes' together), ``queue.<id>``, ``in_flight.<id>``. A figure that the design
    watches, as it reads at the bucket's end: ``watch.<target>.<metric>``; one whose highest value it watches also
    ``highest.<target>.<metric>``, the highest of ten looks at it in the bucket.
    """

    type: Literal["history"] = "history"
    ref: str | None
    bucket_ns: int
    first: int
    columns: dict[str, list[float | None]]


class Span(Message):
    """One call within a sampled request. Times in virtual ns, -1 where it did not come so far.

    ``sent`` by the caller, ``arrived`` at the callee, ``started`` being worked on, ``replied`` by the callee, ``ended`` at the caller.
    ``remark`` is what the callee has to say about its answer, a sentence (what a stale one missed, say), or empty.
    """

    call: int
    parent: int
    edge: str
    caller: str
    callee: str
    operation: str
    key: int
    attempt: int
    sent: int
    arrived: int
    started: int
    replied: int
    ended: int
    outcome: str
    remark: str = ""


class Trace(Message):
    """All spans that were kept of one sampled request."""

    type: Literal["trace"] = "trace"
    ref: str | None
    trace: int
    spans: list[Span]


class Results(Message):
    """The results so far."""

    type: Literal["results"] = "results"
    ref: str | None
    results: dict[str, Any]


class Detail(Message):
    """A block's inner state, free in shape, small."""

    type: Literal["detail"] = "detail"
    ref: str | None
    block: str
    at_ns: int
    detail: dict[str, Any]


class Ended(Message):
    """The run is gone (expired, evicted, server going down); the socket closes after it."""

    type: Literal["ended"] = "ended"
    reason: str


ServerMessage = Annotated[
    Welcome | Layout | RunState | Drawing | Happened | Accepted | Refused | History | Trace | Results | Detail | Ended,
    Field(discriminator="type"),
]

_viewer_messages: TypeAdapter[Any] = TypeAdapter(ViewerMessage)


def parse_viewer_message(text: str | bytes) -> Any:
    """One viewer message from ``text``; raise :class:`InputError` for anything else (unknown tag or field named)."""
    return parse_viewer_data(loads(text, bytes_max=MESSAGE_BYTES_MAX, what="message"))


def parse_viewer_data(data: Any) -> Any:
    """One viewer message from parsed JSON; raise :class:`InputError` as :func:`parse_viewer_message` does."""
    if not isinstance(data, dict):
        raise InputError.single("dict_type", "a message is a JSON object with a field 'type'", value=shown(data))
    try:
        return _viewer_messages.validate_python(data)
    except ValidationError as error:
        raise from_validation(error, "message") from None
