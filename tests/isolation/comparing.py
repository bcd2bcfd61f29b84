"""The lab against a server, with a message that can be pasted into the lab where they differ."""

from __future__ import annotations

from playground.isolation.lab import options
from playground.isolation.results import compare
from playground.isolation.server import Server
from playground.isolation.syntax import Script


def same_on(server: Server, script: Script, level: str = "read committed") -> str:
    """Fail unless the server does the same; returns the order in which it did what happened at once, empty for the usual."""
    compared = compare(script, options(level=level), server)
    told = "\n".join(
        f"statement {one['statement']} ({one['session']}), {one['what']}: lab {one['lab']!r}, server {one['server']!r}"
        for one in compared["differences"]
    )
    assert not compared["differences"], f"at {level} the lab and the server differ:\n\n{script.text()}\n{told}"
    return str(compared["order"])
