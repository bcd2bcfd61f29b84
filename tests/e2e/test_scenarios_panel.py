"""A design's fixes and what they change: switches that edit the drawing, figures side by side, words in the feed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.playground_page import PlaygroundPage, Watched


def lesson() -> dict[str, Any]:
    """One key, asked for 20 times a second; it lives for half a second in a cache, or with the fix for an hour."""
    ends = (
        ("client", "out", "app", "in"),
        ("app", "cache", "cache", "in"),
        ("app", "store", "db", "in"),
    )
    edges = [
        {"id": f"{caller}--{callee}", "from": {"block": caller, "port": out}, "to": {"block": callee, "port": into}}
        for caller, out, callee, into in ends
    ]
    blocks = [
        ("client", "client", {"rate_per_s": 20, "keys": 1, "write_weight": 0}),
        ("app", "app_server", {"workers": 200}),
        ("cache", "cache", {"ttl_s": 0.5, "ttl_jitter_percent": 0}),
        ("db", "sql_database", {}),
    ]
    return {
        "format": 1,
        "seed": 3,
        "until_s": 3600,
        "design": {
            "format": 1,
            "name": "A key that never lives",
            "description": "The key expires twice a second.\n\nThis is for those who read on.",
            "blocks": [
                {"id": name, "kind": kind, "label": name.title(), "params": params, "position": {"x": 280 * at, "y": 0}}
                for at, (name, kind, params) in enumerate(blocks)
            ],
            "edges": edges,
            "switches": [
                {
                    "label": "Let it live",
                    "help": "An hour instead of half a second.",
                    "on": [
                        {"target": "cache", "param": "ttl_s", "value": 3600},
                        {"target": "cache", "param": "ttl_jitter_percent", "value": 20},
                    ],
                    "off": [
                        {"target": "cache", "param": "ttl_s", "value": 0.5},
                        {"target": "cache", "param": "ttl_jitter_percent", "value": 0},
                    ],
                }
            ],
            "watch": [
                {"target": "cache", "metric": "misses", "label": "Misses", "law": "one an expiry: two a second"},
                {"target": "cache", "metric": "misses", "label": "Misses a second", "show": "rate"},
                {"target": "client--app", "metric": "in_flight", "label": "In flight", "show": "highest"},
            ],
        },
    }


@pytest.fixture
def running(opened: PlaygroundPage) -> PlaygroundPage:
    """The lesson, under way."""
    return start(opened)


def start(opened: PlaygroundPage) -> PlaygroundPage:
    """Open the lesson and let time pass."""
    opened.open("/t/mm1")
    opened.import_scenario(lesson())
    opened.play()
    return opened


def is_known(figure: Watched) -> bool:
    return figure.off is not None and figure.on is not None


def test_a_fix_is_turned_in_one_step_and_its_figures_stand_side_by_side(running: PlaygroundPage) -> None:
    assert not running.fix(0).is_on()
    expect(running.test_id("scenario")).to_contain_text("The key expires twice a second.")
    expect(running.test_id("scenario")).not_to_contain_text("for those who read on")
    running.choose_speed("10×")
    before = running.expect_watch(0, lambda misses: (misses.off or 0) >= 20)
    assert before.on is None
    running.fix(0).toggle()
    assert running.fix(0).is_on()
    running.expect_watch(1, lambda rate: rate.on is not None and rate.on < 0.2)
    rate = running.watch(1)
    assert rate.off is not None and 1.5 < rate.off < 2.5, "one miss an expiry, and the key expires twice a second"
    flight = running.expect_watch(2, is_known)
    assert (flight.off or 0) >= 1
    assert running.feed_titles()[0] == "Let it live: on"


def test_turning_a_fix_is_one_step_back(running: PlaygroundPage) -> None:
    running.fix(0).toggle()
    running.empty_spot()
    running.page.keyboard.press("Control+z")
    expect(running.test_id("fix-0")).to_have_attribute("aria-checked", "false")
    expect(running.test_id("undo")).to_be_disabled()
    expect(running.test_id("feed").get_by_test_id("event-title").first).to_have_text("Let it live: off")


def test_what_comes_later_does_not_count_after_going_back(running: PlaygroundPage) -> None:
    running.choose_speed("10×")
    running.expect_watch(0, lambda misses: (misses.off or 0) >= 2)
    running.fix(0).toggle()
    running.expect_watch(0, lambda misses: misses.on is not None)
    running.pause()
    running.page.wait_for_timeout(500)
    known = running.watch(0)
    running.test_id("timeline").focus()
    for _ in range(8):
        running.page.keyboard.press("Home")
        # And back as soon as it is seen: between two looks of the page at the figure, which then read the same.
        while running.watch(0) != Watched(None, None):
            running.page.wait_for_timeout(5)
        running.page.keyboard.press("End")
        running.expect_watch(0, lambda misses: misses == known)


def test_a_parameter_changed_by_hand_leaves_the_fix_partly_on_and_is_named_in_the_feed(running: PlaygroundPage) -> None:
    running.still("cache").click()
    field = running.test_id("param-ttl_s")
    field.fill("30")
    field.press("Enter")
    expect(running.test_id("scenario")).to_contain_text("partly")
    expect(running.test_id("feed").get_by_test_id("event-title").first).to_have_text("Cache: Time to live 0.5 s → 30 s")
    running.fix(0).toggle()
    assert running.fix(0).is_on()


def test_the_panel_folds_away_and_keeps_its_switches(running: PlaygroundPage) -> None:
    running.test_id("scenario-fold").click()
    expect(running.test_id("watch-0-off")).to_have_count(0)
    running.fix(0).toggle()
    running.test_id("scenario-fold").click()
    expect(running.test_id("watch-0-off")).to_be_visible()


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (768, 1024)], ids=str)
def test_the_panel_covers_no_block(opened: PlaygroundPage, size: tuple[int, int]) -> None:
    opened.page.set_viewport_size({"width": size[0], "height": size[1]})
    running = start(opened)
    panel = running.test_id("scenario")
    for fold in range(2):
        # The view follows in a quarter of a second.
        running.page.keyboard.press("f")
        running.page.wait_for_timeout(500)
        box = panel.bounding_box()
        assert box, "the panel is there"
        for block in ("client", "app", "cache", "db"):
            card = running.block(block).bounding_box()
            assert card
            apart = (
                card["x"] >= box["x"] + box["width"]
                or card["x"] + card["width"] <= box["x"]
                or card["y"] >= box["y"] + box["height"]
                or card["y"] + card["height"] <= box["y"]
            )
            assert apart, f"{block} lies under the panel, folded away: {bool(fold)}"
        running.test_id("scenario-fold").click()


def test_a_design_without_fixes_has_no_panel(opened: PlaygroundPage) -> None:
    opened.open("/t/mm1")
    opened.expect_traffic(1)
    expect(opened.test_id("scenario")).to_have_count(0)


def test_the_signs_on_the_canvas_are_explained(opened: PlaygroundPage) -> None:
    opened.open("/t/mm1")
    opened.test_id("legend").click()
    legend = opened.test_id("legend-panel")
    for words in ("304", "Stale", "Nothing there", "Retry", "Failure", "Strained"):
        expect(legend).to_contain_text(words)
    opened.page.keyboard.press("Escape")
    expect(legend).to_have_count(0)


def test_what_a_design_costs_is_told_by_block(running: PlaygroundPage) -> None:
    running.empty_spot()
    total = running.test_id("cost-total")
    expect(total).not_to_have_attribute("data-value", "0")
    expect(running.test_id("cost-db")).to_be_visible()
    running.still("db").click()
    running.page.locator("summary", has_text=re.compile("^Cost$")).click()
    running.test_id("param-price_per_hour").fill("500")
    running.test_id("param-price_per_hour").press("Enter")
    running.test_id("clock").click()
    running.empty_spot()
    running.expect_figure("cost-total", lambda cost: cost > 10)
