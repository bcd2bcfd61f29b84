"""Everybody can use the page: axe finds nothing serious, at three widths, in both colour schemes, with every panel open."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.playground_page import PlaygroundPage

WIDTHS = [(768, 1024), (1280, 800), (1920, 1080)]


def serious(opened: PlaygroundPage) -> list[str]:
    found: list[dict[str, Any]] = Axe().run(opened.page).response["violations"]
    return [
        f"{violation['id']}: {violation['help']}: {[node['target'] for node in violation['nodes']][:4]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_axe_finds_nothing_serious(opened: PlaygroundPage, theme: Any, width: int, height: int) -> None:
    opened.page.emulate_media(color_scheme=theme)
    opened.page.set_viewport_size({"width": width, "height": height})
    opened.open("/t/catalogue")
    expect(opened.test_id("pause")).to_be_visible()
    assert serious(opened) == []
    overflow = opened.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, "the page scrolls sideways"


def test_axe_finds_nothing_serious_in_any_panel(opened: PlaygroundPage) -> None:
    opened.open("/t/catalogue")
    opened.page.locator('[data-kind="app_server"]').first.click()
    expect(opened.test_id("inspector-block")).to_be_visible()
    assert serious(opened) == []
    for button, panel in (
        ("open-templates", "templates-panel"),
        ("open-json", "json-panel"),
        ("open-results", "results-panel"),
    ):
        opened.test_id(button).click()
        expect(opened.test_id(panel)).to_be_visible()
        assert serious(opened) == []
    opened.test_id("dock-table").click()
    assert serious(opened) == []
    opened.page.keyboard.press("Control+k")
    expect(opened.test_id("commands")).to_be_visible()
    assert serious(opened) == []


def test_notable_moments_are_read_out(opened: PlaygroundPage) -> None:
    opened.open("/t/catalogue")
    app = opened.page.locator('[data-kind="app_server"]').first
    app.click(button="right")
    opened.test_id("menu-fault-crash").click()
    expect(opened.test_id("announcer")).to_contain_text("crash", ignore_case=True)


def test_without_motion_the_figures_still_change(opened: PlaygroundPage) -> None:
    opened.page.emulate_media(reduced_motion="reduce")
    opened.open("/t/catalogue")
    opened.expect_traffic(100)
    before = opened.test_id("clock").inner_text()
    expect(opened.test_id("clock")).not_to_have_text(before)


def line_colours(opened: PlaygroundPage) -> int:
    """How bright the grid of a chart is: the mean of its canvas where something is drawn."""
    bright: int = opened.page.evaluate(
        """() => {
            const canvas = document.querySelector('[data-testid=chart-failures] canvas');
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let sum = 0, drawn = 0;
            for (let at = 0; at < data.length; at += 4)
                if (data[at + 3] > 200) { sum += data[at]; drawn += 1; }
            return drawn ? Math.round(sum / drawn) : -1;
        }"""
    )
    return bright


@pytest.mark.parametrize("way", ["the button", "the system"])
def test_charts_take_new_colours_when_the_theme_changes(opened: PlaygroundPage, way: str) -> None:
    opened.open("/t/mm1")
    opened.expect_traffic(1)
    opened.pause()
    dark = line_colours(opened)
    if way == "the button":
        opened.test_id("theme").click()
    else:
        opened.page.emulate_media(color_scheme="light")
    expect(opened.page.locator("html")).to_have_attribute("data-theme", "light")
    opened.page.wait_for_function("document.querySelector('[data-testid=chart-failures] canvas')")
    assert line_colours(opened) > dark + 40
