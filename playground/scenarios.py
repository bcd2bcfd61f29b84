"""Where scenarios come from that have a name already: templates and shares."""

from __future__ import annotations

from django.apps import apps

from playground.protocol.design import Scenario, parse_scenario
from playground.protocol.rest import TemplateFull
from playground.refusals import NotThere
from playground.templates_store import templates


def template(name: str) -> TemplateFull:
    """The template called ``name``; raises :class:`NotThere`, naming those that are."""
    found = templates().get(name)
    if found is None:
        raise NotThere.single(
            "not_found", f"there is no template {name[:64]!r}", value=name[:64], accepted=", ".join(sorted(templates()))
        )
    return TemplateFull(name=found.name, title=found.title, summary=found.summary, scenario=found.scenario)


def shared_scenario(share_id: str) -> tuple[Scenario, str]:
    """Scenario and title of the share with this id, from the database; raises :class:`NotThere`."""
    # Through the registry: runs and designs are apps of their own and don't import one another.
    found = apps.get_model("designs", "Share").objects.filter(pk=share_id).values("scenario", "title").first()
    if found is None:
        raise NotThere.named("share", share_id[:64])
    return parse_scenario(found["scenario"]), found["title"]
