"""The guide's test ids are the page's: each one that it names stands in the page's sources."""

from __future__ import annotations

import re

from playground.bench.server import PROJECT

GUIDE = PROJECT / "docs" / "guides" / "testing-the-page.md"
SOURCES = PROJECT / "frontend" / "src"


def stem(name: str) -> str:
    """``param-<name>`` is looked for as ``param-``."""
    return name.split("<")[0]


def test_every_test_id_in_the_guide_is_in_the_page() -> None:
    rows = [
        line.split("|")[1]
        for line in GUIDE.read_text().splitlines()
        if line.startswith("| `") and "/" not in line.split("|")[1]
    ]
    named = {stem(name) for row in rows for name in re.findall(r"`([^`]+)`", row)}
    sources = "".join(path.read_text() for path in SOURCES.rglob("*.ts*"))
    composed = re.findall(r"(?:data-testid|testId)=\{`([a-z-]+)\$\{", sources)
    known = set(re.findall(r"""['"]([a-z0-9-]+)['"]""", sources)) | set(composed) | {stem(name) for name in composed}
    assert named, "the guide names no test id"
    missing = sorted(
        name for name in named if name not in known and f"`{name}" not in sources and f"{name}$" not in sources
    )
    assert not missing, f"the guide names test ids that the page does not have: {missing}"
