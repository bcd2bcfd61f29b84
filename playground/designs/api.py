"""REST routes of saved designs: check, share, fork, drafts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Body, Router, Status

from playground.designs import store
from playground.owners import ensure_owner
from playground.protocol import rest
from playground.protocol.design import parse_scenario
from playground.protocol.errors import InputError

router = Router(tags=["designs"])


@router.post("/designs/check", response=rest.Checked)
def check(request: HttpRequest, body: Body[Any]) -> rest.Checked:
    """Say whether a design or scenario can run, and name all that stands in its way."""
    from playground.catalogue import check_design

    try:
        check_design(parse_scenario(body).design)
    except InputError as error:
        return rest.Checked(ok=False, problems=error.problems)
    return rest.Checked(ok=True, problems=[])


@router.post("/shares", response={201: rest.Shared}, by_alias=True)
def share(request: HttpRequest, body: rest.NewShare) -> Status[rest.Shared]:
    """Put a scenario behind a link that never changes."""
    from playground.catalogue import catalogue

    return Status(201, store.share(body, ensure_owner(request.session), catalogue().engine_version))


@router.get("/shares/{share_id}", response=rest.Shared, by_alias=True)
def shared(request: HttpRequest, share_id: str) -> rest.Shared:
    """What is behind a link."""
    return store.shown_share(store.find_share(share_id))


@router.post("/shares/{share_id}/fork", response={201: rest.Draft}, by_alias=True)
def fork(request: HttpRequest, share_id: str) -> Status[rest.Draft]:
    """A draft of one's own that begins as the share."""
    return Status(201, store.fork(share_id, ensure_owner(request.session)))


@router.get("/drafts", response=list[rest.DraftSummary])
def drafts(request: HttpRequest) -> list[rest.DraftSummary]:
    """This browser's drafts, the latest first."""
    return store.drafts_of(ensure_owner(request.session))


@router.post("/drafts", response={201: rest.Draft}, by_alias=True)
def new_draft(request: HttpRequest, body: rest.SaveDraft) -> Status[rest.Draft]:
    """Begin a draft."""
    return Status(201, store.new_draft(body, ensure_owner(request.session)))


@router.get("/drafts/{draft_id}", response=rest.Draft, by_alias=True)
def draft(request: HttpRequest, draft_id: str) -> rest.Draft:
    """One of this browser's drafts."""
    return store.shown_draft(store.find_draft(draft_id, ensure_owner(request.session)))


@router.put("/drafts/{draft_id}", response={200: rest.Draft, 409: rest.Conflict}, by_alias=True)
def save_draft(request: HttpRequest, draft_id: str, body: rest.SaveDraft) -> rest.Draft:
    """Save over the version that ``version`` names; a save that comes too late is kept beside it (409)."""
    return store.save_draft(draft_id, body, ensure_owner(request.session))


@router.delete("/drafts/{draft_id}", response={204: None})
def delete_draft(request: HttpRequest, draft_id: str) -> Status[None]:
    """Delete a draft."""
    store.delete_draft(draft_id, ensure_owner(request.session))
    return Status(204, None)
