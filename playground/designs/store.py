"""Shares and drafts in the database: made, found, forked, saved without overwriting anybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from playground.designs.models import Draft, Share
from playground.protocol import rest
from playground.protocol.design import Scenario, parse_scenario
from playground.protocol.errors import InputError, Problem
from playground.refusals import Conflicting, NotThere, TooMany

SHARES_PER_HOUR_MAX = 120
DRAFTS_PER_HOUR_MAX = 240
DRAFTS_LISTED_MAX = 100


def share(body: rest.NewShare, owner: str, engine_version: str) -> rest.Shared:
    """Put a scenario behind a link; raises :class:`InputError` for one that isn't a scenario, :class:`TooMany` at the limit."""
    _check_rate(Share, owner, SHARES_PER_HOUR_MAX, "shared")
    scenario = parse_scenario(body.scenario).model_copy(update={"engine_version": engine_version})
    made = Share.objects.create(
        title=body.title or scenario.design.name,
        scenario=_dumped(scenario),
        owner=owner,
        forked_from=_known_share(body.forked_from),
    )
    return shown_share(made)


def find_share(share_id: str) -> Share:
    """The share with this id; raises :class:`NotThere`."""
    try:
        return Share.objects.get(pk=share_id)
    except Share.DoesNotExist:
        raise NotThere.named("share", share_id[:64]) from None


def shown_share(found: Share) -> rest.Shared:
    """A share as the API shows it."""
    return rest.Shared(
        id=found.id,
        url=f"/s/{found.id}",
        title=found.title,
        scenario=parse_scenario(found.scenario),
        forked_from=found.forked_from_id,
        created_at=found.created_at.isoformat(),
    )


def fork(share_id: str, owner: str) -> rest.Draft:
    """A draft of one's own that begins as the share; the share stays as it is."""
    origin = find_share(share_id)
    body = rest.SaveDraft(scenario=origin.scenario, forked_from=origin.id)
    return new_draft(body, owner)


def new_draft(body: rest.SaveDraft, owner: str) -> rest.Draft:
    """A new draft; raises :class:`InputError` for what isn't a scenario, :class:`TooMany` at the limit."""
    _check_rate(Draft, owner, DRAFTS_PER_HOUR_MAX, "drafted")
    scenario = parse_scenario(body.scenario)
    made = Draft.objects.create(
        owner=owner,
        title=scenario.design.name,
        scenario=_dumped(scenario),
        editor=body.editor,
        forked_from=_known_share(body.forked_from),
    )
    return shown_draft(made)


def find_draft(draft_id: str, owner: str) -> Draft:
    """The draft with this id, if it is ``owner``'s; raises :class:`NotThere` otherwise."""
    try:
        return Draft.objects.get(pk=draft_id, owner=owner)
    except Draft.DoesNotExist:
        raise NotThere.named("draft", draft_id[:64]) from None


def save_draft(draft_id: str, body: rest.SaveDraft, owner: str) -> rest.Draft:
    """Save over version ``body.version``; where another tab was faster, keep both and raise :class:`Conflicting`.

    Raises :class:`InputError` for what isn't a scenario and :class:`NotThere` for a draft that isn't there.
    """
    if body.version is None:
        raise InputError.single(
            "missing", "version: a save names the version that it builds on", where="version", accepted="1, 2, 3 ..."
        )
    scenario = parse_scenario(body.scenario)
    with transaction.atomic():
        present = find_draft(draft_id, owner)
        same = Draft.objects.filter(pk=draft_id, owner=owner, version=body.version)
        saved = same.update(
            version=F("version") + 1,
            title=scenario.design.name,
            scenario=_dumped(scenario),
            editor=body.editor,
            updated_at=timezone.now(),
        )
    if saved:
        return shown_draft(find_draft(draft_id, owner))
    raise _conflict(present, body, owner)


def delete_draft(draft_id: str, owner: str) -> None:
    """Delete a draft; raises :class:`NotThere`."""
    find_draft(draft_id, owner).delete()


def drafts_of(owner: str) -> list[rest.DraftSummary]:
    """The owner's drafts, the latest first, without their scenarios."""
    found = Draft.objects.filter(owner=owner).order_by("-updated_at").defer("scenario")
    return [rest.DraftSummary(**_summary(draft)) for draft in found[:DRAFTS_LISTED_MAX]]


def shown_draft(draft: Draft) -> rest.Draft:
    """A draft as the API shows it."""
    return rest.Draft(**_summary(draft), scenario=parse_scenario(draft.scenario))


def _summary(draft: Draft) -> dict[str, Any]:
    return {
        "id": draft.id,
        "title": draft.title,
        "version": draft.version,
        "editor": draft.editor,
        "forked_from": draft.forked_from_id,
        "updated_at": draft.updated_at.isoformat(),
    }


def _conflict(present: Draft, body: rest.SaveDraft, owner: str) -> Conflicting:
    kept = new_draft(body.model_copy(update={"forked_from": None, "version": None}), owner)
    who = f"the tab {present.editor!r}" if present.editor else "another tab"
    problem = Problem(
        code="conflict",
        message=f"{who} saved version {present.version} at {present.updated_at:%H:%M:%S} UTC; yours was kept as a draft of its own",
        where="version",
        value=str(body.version),
        accepted=str(present.version),
    )
    answer = rest.Conflict(problems=[problem], theirs=shown_draft(present), kept=kept)
    return Conflicting(answer.model_dump(mode="json", by_alias=True))


def _known_share(share_id: str | None) -> Share | None:
    return Share.objects.filter(pk=share_id).first() if share_id else None


def _dumped(scenario: Scenario) -> dict[str, Any]:
    return scenario.model_dump(mode="json", by_alias=True)


def _check_rate(model: type[Share] | type[Draft], owner: str, most: int, done: str) -> None:
    since = timezone.now() - timedelta(hours=1)
    made = model.objects.filter(owner=owner, created_at__gt=since).count()
    if made >= most:
        raise TooMany.single("too_many", f"you have {done} {made} designs within an hour", accepted=f"{most} an hour")
