"""Where the set-up keeps what it makes; all of it is ignored by git and may be deleted at any time."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
VENV = PROJECT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
BUILD = PROJECT / ".build"
LOGS = BUILD / "log"
FRONTEND = PROJECT / "frontend"
BUNDLE = PROJECT / "static" / "dist"
