"""How a headless Chromium is started: by the canvas benchmark and by the end-to-end tests."""

from __future__ import annotations

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""No sandbox, because containers and CI run as root; no graphics card; nothing that talks to anybody but the server."""
