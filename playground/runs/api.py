"""REST routes of runs: start one, look at it, end it. Everything that happens in between goes over the live socket."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from ninja import Router, Status

from playground.owners import ensure_owner, owner_of
from playground.protocol import rest
from playground.protocol.design import Scenario, parse_scenario
from playground.protocol.errors import InputError
from playground.refusals import NotThere, NotYours
from playground.runs.hub import hub
from playground.runs.room import Room
from playground.scenarios import shared_scenario, template

router = Router(tags=["runs"])


@router.post("/runs", response={201: rest.RunCreated}, by_alias=True)
async def create(request: HttpRequest, body: rest.NewRun) -> Status[rest.RunCreated]:
    """Start a run of a template, a shared scenario or one's own."""
    scenario, title = await _wanted(body)
    room = await hub().create(scenario, title, ensure_owner(request.session), play=body.play)
    created = rest.RunCreated(
        id=room.id, title=room.title, socket=_socket(room), control=room.control, scenario=room.scenario
    )
    return Status(201, created)


@router.get("/runs/{run_id}", response=rest.RunInfo)
async def look(request: HttpRequest, run_id: str) -> rest.RunInfo:
    """How a run stands."""
    room = _room(run_id)
    state = room.state
    return rest.RunInfo(
        id=room.id,
        title=room.title,
        socket=_socket(room),
        may_control=owner_of(request.session) == room.owner,
        viewers=len(room.viewers),
        **{name: state[name] for name in ("playing", "speed", "now_ns", "furthest_ns", "until_ns", "stopped")},
    )


@router.get("/runs/{run_id}/scenario", response=Scenario, by_alias=True)
async def scenario(request: HttpRequest, run_id: str) -> Scenario:
    """The run as a scenario: what it began with, and its whole log, what is yet to come included. Played, it is this run again."""
    return hub().scenario_of(_room(run_id).id)


@router.delete("/runs/{run_id}", response={204: None})
async def end(request: HttpRequest, run_id: str) -> Status[None]:
    """End a run; only its owner may."""
    room = _room(run_id)
    if owner_of(request.session) != room.owner:
        raise NotYours.single("not_yours", f"the run {run_id!r} was started by another browser", value=run_id)
    hub().end(run_id, "its owner ended it")
    return Status(204, None)


async def _wanted(body: rest.NewRun) -> tuple[Scenario, str]:
    given = [name for name in ("template", "scenario", "share") if getattr(body, name) is not None]
    if len(given) != 1:
        raise InputError.single(
            "what_to_run",
            f"a run is made of one thing, and {' and '.join(given) or 'nothing'} was given",
            value=", ".join(given) or None,
            accepted="exactly one of template, scenario, share",
        )
    if body.template is not None:
        found = template(body.template)
        return found.scenario, found.title
    if body.share is not None:
        return await sync_to_async(shared_scenario)(body.share)
    scenario = parse_scenario(body.scenario)
    return scenario, scenario.design.name


def _room(run_id: str) -> Room:
    room = hub().rooms.get(run_id)
    if room is None:
        raise NotThere.named("run", run_id[:64])
    return room


def _socket(room: Room) -> str:
    return f"/ws/runs/{room.id}/"
