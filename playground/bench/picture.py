"""Take the picture of the page that the README shows: ``python -m playground.bench.picture docs/images/catalogue.png``.

It shows what the real server and engine do after some seconds of the catalogue, with its database slowed down on the way, so that there is
something to see.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from playground.bench.browser import CHROMIUM_ARGUMENTS
from playground.bench.server import serving

VIEWPORT = {"width": 1440, "height": 900}
BEFORE_MS = 6_000
AFTER_MS = 4_000


def take(target: Path) -> None:
    """Write the picture to ``target`` (PNG)."""
    path = os.environ.get("PLAYGROUND_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        context = browser.new_context(viewport=VIEWPORT, color_scheme="dark", device_scale_factor=1.5)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{server.url}/t/catalogue")
        page.get_by_test_id("pause").wait_for()
        page.wait_for_timeout(BEFORE_MS)
        database = page.locator('[data-kind="sql_database"]').first
        database.click(button="right")
        page.get_by_test_id("menu-fault-slow_down").click()
        database.click()
        page.wait_for_timeout(AFTER_MS)
        target.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
