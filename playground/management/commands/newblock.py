"""Begin a new kind of block: ``manage.py newblock rate_limiter``."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from playground.management.reporting import Broken, ReportingCommand
from playground.management.skeleton import ACCEPTED, new_block
from playground.setup.paths import PROJECT

NEXT = """
It runs already, as a block that takes a call, works and answers. What is next:
  1. Change the lines marked REPLACE: what it declares in spec.py, what it does in behaviour.py.
  2. Run it:       python3 manage.py simulate {folder}/example.json --until 10
  3. Test it:      python3 manage.py test tests/blocks -k {name}
  4. Tell the page: python3 manage.py codegen, and commit what it writes
  5. See it:       python3 manage.py play, and look for it in the palette
docs/guides/add-a-block.md leads through it."""


class Command(ReportingCommand):
    """Copies the skeleton to ``playground/blocks/NAME`` and says what to do next; ``--json``: the files it made."""

    help = "Make playground/blocks/NAME, a new kind of block, from the skeleton."

    def arguments(self, parser: ArgumentParser) -> None:
        """The new kind's name."""
        parser.add_argument("block_name", metavar="NAME", help=ACCEPTED)

    def report(self, as_json: bool, options: dict[str, Any]) -> str:
        """Make it; raises :class:`InputError` for a name that can't be taken."""
        name = options["block_name"]
        try:
            made = [str(path.relative_to(PROJECT)) for path in new_block(name)]
        except OSError as error:
            raise Broken(f"playground/blocks/{name} can't be written: {error.strerror}") from error
        if as_json:
            return json.dumps({"name": name, "files": made})
        return "\n".join([f"made {path}" for path in made]) + NEXT.format(name=name, folder=f"playground/blocks/{name}")
