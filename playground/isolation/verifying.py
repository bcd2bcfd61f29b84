"""The same script on a real PostgreSQL, where one is configured and its client is installed."""

from __future__ import annotations

import os
from typing import Any

from playground.isolation.lab import Options
from playground.isolation.syntax import Script

VARIABLE = "DATABASE_URL"
SCHEMES = ("postgres://", "postgresql://")
LIMIT_S = 600.0
"""How long a script may take on the server, unless asked otherwise."""


class NotCompared(RuntimeError):
    """The server could not be used: not reached, too slow, or it did what no schedule explains. The message is for people."""


def database_url() -> str | None:
    """DATABASE_URL where it names a PostgreSQL."""
    url = os.environ.get(VARIABLE, "")
    return url if url.startswith(SCHEMES) else None


def verified(dsn: str, script: Script, chosen: Options, limit_s: float = LIMIT_S) -> dict[str, Any]:
    """Run a script on the server too, within ``limit_s``; docs/guides/isolation.md has the shape. Raises NotCompared."""
    try:
        from playground.isolation.server import Server
    except ImportError as error:
        raise NotCompared("comparing with a PostgreSQL needs psycopg: pip install 'psycopg[binary]'") from error
    from playground.isolation.results import compare

    with Server(dsn, chosen.is_indexed, limit_s) as server:
        return compare(script, chosen, server)
