"""Where a script comes from: a file, standard input, or one of the scripts that come with the lab."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from playground.isolation.parsing import parse
from playground.isolation.syntax import Script
from playground.isolation.tokens import CHARACTERS_MAX
from playground.protocol.errors import InputError, shown

TEMPLATE = "template:"
STANDARD_INPUT = "-"
HERMITAGE = "Hermitage"
GROUPS = {"two-buyers": "Two buyers", "two-doctors": "Write skew"}
"""Headings by how a script's name begins; all others are cases of Kleppmann's Hermitage suite."""
FOLDER = Path(__file__).resolve().parent / "scripts"


@dataclass(frozen=True)
class Template:
    """A script that comes with the lab; ``title`` says what it shows, ``group`` with which others it belongs."""

    name: str
    title: str
    text: str

    @property
    def group(self) -> str:
        """A heading to list it under."""
        return next((group for start, group in GROUPS.items() if self.name.startswith(start)), HERMITAGE)

    @property
    def script(self) -> Script:
        """It, parsed."""
        return parse(self.text)


@cache
def templates() -> dict[str, Template]:
    """All of them, by name."""
    found = {}
    for path in sorted(FOLDER.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        found[path.stem] = Template(path.stem, text.splitlines()[0].removeprefix("--").strip(), text)
    return found


def script_of(source: str) -> Script:
    """The script that ``source`` stands for: ``template:NAME``, ``-``, or a file. Raises InputError."""
    if source.startswith(TEMPLATE):
        found = templates().get(source.removeprefix(TEMPLATE))
        if found is None:
            name = shown(source.removeprefix(TEMPLATE))
            raise InputError.single(
                "unknown_template", f"there is no script {name!r}", value=name, accepted=", ".join(templates())
            )
        return found.script
    name = "standard input" if source == STANDARD_INPUT else shown(source)
    try:
        # One character more than there may be, so that the parser can say so; never all of something endless.
        if source == STANDARD_INPUT:
            text = sys.stdin.buffer.read(4 * CHARACTERS_MAX + 4).decode("utf-8")
        else:
            with open(source, "rb") as file:
                text = file.read(4 * CHARACTERS_MAX + 4).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError.single("encoding", f"{name} is not a text in UTF-8", value=name) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError.single(
            "unreadable", f"{name} can't be read: {reason}", value=name, accepted="a file, -, or template:NAME"
        ) from error
    return parse(text)
