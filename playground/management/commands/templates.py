"""Print the designs that come with the playground: ``manage.py templates``."""

from __future__ import annotations

import json
from typing import Any

from playground.headless.text import table
from playground.management.reporting import ReportingCommand
from playground.templates_store import templates


class Command(ReportingCommand):
    """Names for ``manage.py simulate template:NAME``, and what each shows; ``--json``: scenarios included."""

    help = "Print the designs that come with the playground."

    def report(self, as_json: bool, options: dict[str, Any]) -> str:
        """One line a template, or all of them whole as a JSON list in the order of the gallery."""
        found = templates().values()
        if as_json:
            return json.dumps(
                [
                    {
                        "name": template.name,
                        "title": template.title,
                        "summary": template.summary,
                        "scenario": template.scenario.model_dump(mode="json", by_alias=True),
                    }
                    for template in found
                ]
            )
        rows = [
            [
                template.name,
                f"{len(template.scenario.design.blocks)}",
                f"{template.scenario.until_s:g}",
                template.title,
                template.summary,
            ]
            for template in found
        ]
        lines = table(["name", "blocks", "seconds", "title", ""], rows, left=5)
        return "\n".join([*lines, "", "Run one: python3 manage.py simulate template:NAME"])
