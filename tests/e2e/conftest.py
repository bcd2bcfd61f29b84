"""Real browsers against the real server. One browser a test module, so that its event loop ends before other modules' begin."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from playground.bench.browser import CHROMIUM_ARGUMENTS
from playground.bench.server import LiveServer
from tests.e2e.playground_page import PlaygroundPage

HERE = Path(__file__).parent
VIEWPORT = {"width": 1280, "height": 800}
PATIENCE_MS = 20_000
"""How long actions and expectations wait: a busy machine is slow, not wrong."""

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What drives a browser counts as slow."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A Chromium: the one that the set-up found, or the one on PATH."""
    path = os.environ.get("PLAYGROUND_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(chromium: Browser, live_server_process: LiveServer) -> Iterator[BrowserContext]:
    """A browser profile of its own: no cookies, nothing stored."""
    context = chromium.new_context(base_url=live_server_process.url, viewport=VIEWPORT, color_scheme="dark")
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def errors() -> list[str]:
    """What the pages of a test said in their consoles as errors; a test fails when there is any, see ``opened``."""
    return []


@pytest.fixture
def opened(visitor: BrowserContext, errors: list[str]) -> Iterator[PlaygroundPage]:
    """A page that is not opened on anything yet. It must end without an error in its console."""
    page = visitor.new_page()
    watch(page, errors)
    yield PlaygroundPage(page)
    assert not errors, "\n".join(errors)


def watch(page: Page, errors: list[str]) -> None:
    """Collect what goes wrong inside ``page``."""
    page.on("pageerror", lambda error: errors.append(f"{error.name}: {error.message}"))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
