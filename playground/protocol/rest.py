"""What the REST API below ``/api`` takes and gives, besides the catalogue and the scenario themselves.

Times are ISO 8601 strings in UTC. Every refusal has the one shape :class:`Problems`: 422 for bad input, 404 for what is not there, 403 for
what is not yours, 409 for a conflict, 429 for a limit.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from playground.protocol.design import Scenario
from playground.protocol.errors import Problem

SHARE_ID_PATTERN = r"^[A-Za-z0-9]{6,32}$"
TITLE_CHARACTERS_MAX = 200


class Rest(BaseModel):
    """Base of all REST shapes: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Problems(Rest):
    """The answer to a request that could not be taken; nothing changed."""

    problems: list[Problem]


class Checked(Rest):
    """Whether a design can run, and everything that stands in its way."""

    ok: bool
    problems: list[Problem]


class TemplateSummary(Rest):
    """One template in the gallery."""

    name: str
    title: str
    summary: str


class TemplateFull(TemplateSummary):
    """A template with the scenario that it holds."""

    scenario: Scenario


class EngineStatus(Rest):
    """Which engine new runs get, and how far the build of the compiled one is (``progress`` 0 to 1, null when none is under way).

    ``error`` says why the last build failed; runs then go on interpreted: slower, with the same results.
    """

    mode: Literal["compiled", "interpreted"]
    building: bool
    progress: float | None
    error: str | None


class NewRun(Rest):
    """Body of ``POST /api/runs``: exactly one of a template's name, a scenario (or a bare design) and a share's id.

    ``play`` starts it at once.
    """

    template: Annotated[str, Field(max_length=64)] | None = None
    scenario: Any = None
    share: Annotated[str, Field(max_length=64)] | None = None
    play: bool = False


class RunCreated(Rest):
    """A new run. ``socket`` is the path of its live socket; ``control`` lets another browser steer it too (its ``hello`` carries it)."""

    id: str
    title: str
    socket: str
    control: str
    scenario: Scenario


class RunInfo(Rest):
    """How a run stands, for those who only look in; the live socket tells more."""

    id: str
    title: str
    socket: str
    may_control: bool
    playing: bool
    speed: float
    now_ns: int
    furthest_ns: int
    until_ns: int
    stopped: dict[str, Any] | None
    viewers: int


class NewShare(Rest):
    """Body of ``POST /api/shares``."""

    scenario: Any
    title: Annotated[str, Field(max_length=TITLE_CHARACTERS_MAX)] = ""
    forked_from: Annotated[str, Field(pattern=SHARE_ID_PATTERN)] | None = None


class Shared(Rest):
    """A shared scenario. It never changes; ``url`` is the page that shows it, ``engine_version`` the engine it was shared under."""

    id: str
    url: str
    title: str
    scenario: Scenario
    forked_from: str | None
    created_at: str


class SaveDraft(Rest):
    """Body of ``POST /api/drafts`` (without ``version``) and ``PUT /api/drafts/{id}`` (``version``: the one that this save builds on).

    ``editor`` names the tab, so that a conflict can say who was faster.
    """

    scenario: Any
    version: Annotated[int, Field(ge=1)] | None = None
    editor: Annotated[str, Field(max_length=64)] = ""
    forked_from: Annotated[str, Field(pattern=SHARE_ID_PATTERN)] | None = None


class Draft(Rest):
    """A design being worked on, saved as it is even where it can't run yet; only its owner's browser sees it."""

    id: str
    title: str
    version: int
    scenario: Scenario
    editor: str
    forked_from: str | None
    updated_at: str


class DraftSummary(Rest):
    """One of a browser's drafts, without its scenario."""

    id: str
    title: str
    version: int
    editor: str
    forked_from: str | None
    updated_at: str


class Conflict(Problems):
    """The answer 409 to a save that builds on an old version.

    Nothing is lost: ``theirs`` stays, and ``kept`` is yours as a draft of its own.
    """

    theirs: Draft
    kept: Draft
