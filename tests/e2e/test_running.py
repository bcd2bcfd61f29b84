"""A run as its viewer steers it: the first visit, faults, changes while it runs, time back and forth."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from playground.bench.server import LiveServer
from tests.e2e.playground_page import PlaygroundPage


def first_app(opened: PlaygroundPage) -> str:
    """The id of the first app server of what is open."""
    card = opened.page.locator('[data-kind="app_server"]').first
    expect(card).to_be_visible()
    return str(card.get_attribute("data-testid")).removeprefix("block-")


def test_the_first_visit_shows_the_catalogue_running(opened: PlaygroundPage) -> None:
    opened.open("/")
    expect(opened.test_id("pause")).to_be_visible()
    expect(opened.page.locator(".react-flow__node").first).to_be_visible()
    opened.expect_traffic(1000)
    expect(opened.page).to_have_url(re.compile(r"/r/"))


def test_a_killed_server_shows_errors_and_recovers(opened: PlaygroundPage) -> None:
    opened.open("/t/catalogue")
    app = first_app(opened)
    opened.expect_traffic(100)
    opened.block(app).click(button="right")
    opened.test_id("menu-fault-crash").click()
    expect(opened.block(app)).to_have_attribute("data-state", "down")
    expect(opened.test_id("feed")).to_contain_text("crash")
    opened.empty_spot()
    opened.expect_figure("total-failed", lambda failed: failed > 0)
    opened.block(app).click(button="right")
    opened.test_id("menu-clear-faults").click()
    expect(opened.block(app)).not_to_have_attribute("data-state", "down")
    opened.block(app).click()
    opened.expect_figure("metric-completed", lambda rate: rate > 0)


def test_a_parameter_changed_while_the_run_goes_on_reaches_the_engine(opened: PlaygroundPage) -> None:
    opened.open("/t/catalogue")
    app = first_app(opened)
    opened.expect_traffic(100)
    opened.block(app).click()
    field = opened.page.locator('[data-testid^="param-"][inputmode="decimal"]').first
    name = str(field.get_attribute("data-testid")).removeprefix("param-")
    (label,) = {
        param["label"]
        for spec in opened.catalogue()["blocks"]
        if spec["kind"] == "app_server"
        for param in spec["params"]
        if param["name"] == name
    }
    wanted = str(float(field.input_value()) + 1).removesuffix(".0")
    field.fill(wanted)
    field.press("Enter")
    expect(opened.test_id("feed")).to_contain_text(re.compile(rf": {re.escape(label)} \S.* → {wanted}\b"))
    expect(opened.page.locator("[data-pending=true]")).to_have_count(0)
    opened.test_id(f"default-{name}").click()


def test_the_cells_of_a_card_are_counted_and_named(opened: PlaygroundPage) -> None:
    opened.open("/t/catalogue")
    (cells,) = (spec["cells"] for spec in opened.catalogue()["blocks"] if spec["kind"] == "load_balancer")
    opened.expect_traffic(100)
    opened.still("lb").click()
    expect(opened.test_id("cells")).to_contain_text(cells["states"][0]["label"])
    numbers = [opened.figure(f"cells-{state['name']}") for state in cells["states"]]
    assert sum(numbers) == 8, "four app servers of two instances each"
    opened.test_id("cells-of-lb").hover(position={"x": 5, "y": 12})
    expect(opened.test_id("cells-of-lb")).to_have_attribute("title", re.compile(rf"^{cells['label']}, no\. 1: "))


def test_a_value_that_is_not_accepted_says_what_would_be(opened: PlaygroundPage) -> None:
    opened.open("/t/catalogue")
    opened.block(first_app(opened)).click()
    field = opened.page.locator('[data-testid^="param-"][inputmode="decimal"]').first
    name = str(field.get_attribute("data-testid")).removeprefix("param-")
    for typed in ("-5", "NaN", "1e999", "many"):
        field.fill(typed)
        field.press("Enter")
        expect(opened.test_id(f"problem-{name}")).to_contain_text("takes")
    field.press("Escape")
    expect(opened.test_id(f"problem-{name}")).to_have_count(0)


def test_a_graph_edit_while_the_run_goes_on_is_taken_over(opened: PlaygroundPage) -> None:
    opened.open("/t/catalogue")
    opened.expect_traffic(100)
    app = first_app(opened)
    opened.block(app).click()
    before = opened.page.locator(".react-flow__node").count()
    opened.page.keyboard.press("Delete")
    expect(opened.page.locator(".react-flow__node")).to_have_count(before - 1)
    expect(opened.test_id("feed")).to_contain_text("taken out")
    opened.page.keyboard.press("Control+z")
    expect(opened.block(app)).to_be_visible()
    expect(opened.page.locator("[data-pending=true]")).to_have_count(0)


def test_time_waits_for_a_drawing_that_cannot_run_and_goes_on_when_it_can_again(opened: PlaygroundPage) -> None:
    opened.open("/t/mm1")
    opened.expect_traffic(1)
    opened.still("server").click()
    opened.page.keyboard.press("Delete")
    expect(opened.test_id("play")).to_be_visible()
    expect(opened.test_id("banner-differs")).to_contain_text("time waits")
    opened.test_id("play").click()
    expect(opened.test_id("problems")).to_be_visible()
    expect(opened.test_id("pause")).to_have_count(0)
    opened.page.keyboard.press("Control+z")
    expect(opened.test_id("pause")).to_be_visible()
    expect(opened.test_id("banner-differs")).to_have_count(0)


def test_who_watches_a_run_sees_its_owner_change_the_drawing(
    opened: PlaygroundPage, chromium: Browser, live_server_process: LiveServer
) -> None:
    opened.open("/t/mm1")
    opened.expect_traffic(1)
    other = chromium.new_context(base_url=live_server_process.url)
    watcher = PlaygroundPage(other.new_page())
    watcher.open(opened.page.url)
    expect(watcher.test_id("banner-watching")).to_be_visible()
    opened.test_id("palette-cache").click()
    expect(watcher.block("cache")).to_be_visible()
    other.close()


def test_time_is_stepped_sped_up_and_scrubbed(opened: PlaygroundPage) -> None:
    opened.open("/t/catalogue")
    opened.expect_traffic(100)
    opened.pause()
    clock = opened.test_id("clock")
    before = clock.inner_text()
    opened.test_id("step-time").click()
    expect(clock).not_to_have_text(before)
    opened.test_id("timeline").focus()
    opened.page.keyboard.press("Home")
    expect(clock).to_have_text("00:00.000")
    opened.page.keyboard.press("End")
    expect(clock).not_to_have_text("00:00.000")
    opened.test_id("speed-menu").click()
    opened.page.get_by_role("menuitem").filter(has_text=re.compile(r"^0\.1\D")).click()
    opened.play()
    expect(opened.test_id("speed-menu")).to_contain_text("0.1")


def test_a_run_that_reached_its_end_says_so_and_plays_again_from_its_start(opened: PlaygroundPage) -> None:
    opened.open("/t/metastable")
    opened.expect_traffic(1)
    opened.test_id("speed-menu").click()
    opened.page.get_by_role("menuitem").filter(has_text="Max").click()
    expect(opened.test_id("banner-end")).to_be_visible()
    opened.test_id("speed-menu").click()
    opened.page.get_by_role("menuitem").filter(has_text=re.compile(r"^1×")).click()
    opened.play()
    expect(opened.test_id("banner-end")).to_have_count(0)
    expect(opened.test_id("clock")).to_have_text(re.compile(r"^00:0"))


def test_a_particle_opens_the_story_of_its_request(opened: PlaygroundPage) -> None:
    opened.open("/t/catalogue")
    opened.expect_traffic(100)
    opened.pause()
    edge = opened.page.locator(".react-flow__edge-path").first
    points = edge.evaluate(
        """path => Array.from({length: 60}, (_, i) => {
            const at = path.getPointAtLength(path.getTotalLength() * (i + 0.5) / 60);
            const screen = at.matrixTransform(path.getScreenCTM());
            return [screen.x, screen.y];
        })"""
    )
    for x, y in points:
        opened.page.mouse.click(x, y)
        if opened.test_id("trace-panel").count():
            break
    expect(opened.test_id("trace-panel")).to_contain_text("Request")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_blocks_are_a_table_as_well(opened: PlaygroundPage, theme: str) -> None:
    opened.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    opened.open("/t/catalogue")
    opened.test_id("dock-table").click()
    row = opened.test_id(f"row-{first_app(opened)}")
    expect(row).to_be_visible()
    expect(row).not_to_contain_text("idle")
