"""A Chromium for the tests that drive the page: one that is there, or one that gets installed."""

from __future__ import annotations

import os
import shutil
import subprocess

from playground.setup import environment, steps
from playground.setup.paths import PROJECT, VENV_PYTHON

VARIABLE = "PLAYGROUND_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ADVICE = (
    "install Chromium or Google Chrome so that `chromium` or `google-chrome` is on PATH (Debian: apt-get install "
    f"chromium), or set {VARIABLE} to one; then run the same command again."
)
WHERE_PLAYWRIGHT_KEEPS_IT = (
    "from playwright.sync_api import sync_playwright as p\nwith p() as driver: print(driver.chromium.executable_path)"
)


def ensure() -> str:
    """The path of a Chromium that starts, installed if need be. Raises StepFailed, which says what to do."""
    return _on_path() or _kept_by_playwright() or _from_debian() or _from_playwright() or _give_up()


def _starts(program: str) -> bool:
    """Whether it runs at all: a downloaded browser without its system libraries doesn't."""
    try:
        return subprocess.run([program, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _on_path() -> str | None:
    asked = os.environ.get(VARIABLE)
    if asked:
        if not _starts(asked):
            raise steps.StepFailed(f"Starting {VARIABLE}={asked}", advice=ADVICE)
        return asked
    found = (shutil.which(name) for name in NAMES)
    return next((program for program in found if program and _starts(program)), None)


def _kept_by_playwright() -> str | None:
    """Playwright's own Chromium, if an earlier download left one."""
    where = subprocess.run(
        [VENV_PYTHON, "-c", WHERE_PLAYWRIGHT_KEEPS_IT], capture_output=True, text=True, check=False, cwd=PROJECT
    ).stdout.strip()
    return where if where and _starts(where) else None


def _from_debian() -> str | None:
    """Debian's package, with the libraries that it needs; None where that isn't possible or doesn't work."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    try:
        environment.apt_install("chromium", advice=ADVICE)
    except steps.StepFailed:
        return None
    return _on_path()


def _from_playwright() -> str | None:
    """Playwright's download; None where that doesn't work."""
    try:
        steps.run(
            "Downloading Chromium with Playwright",
            [VENV_PYTHON, "-m", "playwright", "install", "chromium"],
            advice=ADVICE,
            # A machine that can't reach the download shall learn it in seconds.
            env={"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "15000"},
            seconds=600,
        )
    except steps.StepFailed:
        return None
    return _kept_by_playwright()


def _give_up() -> str:
    raise steps.StepFailed("Finding a Chromium for the tests of the page", advice=ADVICE)
