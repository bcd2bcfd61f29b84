"""Who is who without accounts: a random name in the browser's signed session cookie.

What a browser makes (runs, drafts) belongs to its owner name. The cookie is signed, so nobody can take another's name; the name
itself never leaves the server.
"""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from typing import Any

SESSION_KEY = "owner"


def owner_of(session: MutableMapping[str, Any]) -> str | None:
    """The owner name in ``session``, None before it has one."""
    name = session.get(SESSION_KEY)
    return name if isinstance(name, str) else None


def ensure_owner(session: MutableMapping[str, Any]) -> str:
    """The owner name in ``session``, made now if it has none."""
    name = owner_of(session)
    if name is None:
        name = session[SESSION_KEY] = secrets.token_urlsafe(16)
    return name
