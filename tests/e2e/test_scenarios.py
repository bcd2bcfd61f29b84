"""The scenarios as a student meets them: opened by address, failing by name, mended by their switch while they run.
The figure stands on both sides."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.e2e.playground_page import PlaygroundPage, Watched

Good = Callable[[Watched], bool]


@dataclass(frozen=True)
class Lesson:
    """A scenario: what the feed says while it fails, what the first watched figure comes to without the fix, and then with it."""

    name: str
    fix: str
    fails: str
    speed: str
    without: Good
    with_it: Good
    mended: str = ""


def off(least: float, most: float = float("inf")) -> Good:
    """The side without the fix lies between these."""
    return lambda seen: seen.off is not None and least <= seen.off <= most


def on(most: float, least: float = 0.0) -> Good:
    """The side with the fix lies between these."""
    return lambda seen: seen.on is not None and least <= seen.on <= most


LESSONS = (
    Lesson(
        "cache-lock",
        "Lock on rebuild",
        r"Stampede on key 1: \d+ rebuilds",
        "2×",
        off(1700, 2300),
        on(1, 1),
        r"Key 1 rebuilt once",
    ),
    Lesson("soft-hard-ttl", "Soft TTL of 8 s", r"Stampede on key 1: \d+ rebuilds", "2×", off(1700), on(100)),
    Lesson(
        "negative-caching", "Negative caching, 30 s", r"asked for items that don't exist", "5×", off(300, 700), on(250)
    ),
    Lesson("bloom-filter", "Bloom filter", r"asked for items that don't exist", "2×", off(3500, 4300), on(400)),
    Lesson("without-sticky", "Sticky sessions", r"Users of Shoppers are being logged out", "10×", off(10), on(5)),
    Lesson("with-sticky", "Sessions in a shared store", r"sessions lost with App 2", "5×", off(60, 200), on(5)),
    Lesson("liveness-readiness", "Route by readiness", r"Servers 2 is being restarted", "5×", off(8), on(6)),
    Lesson(
        "gslb", "Nearest healthy region", r"Balancer EU crashed", "25×", off(30, 70), on(15), r"Balancer EU found dead"
    ),
    Lesson("read-your-writes", "Leader after a write", r"doesn't see their own write", "2×", off(1), on(0.2)),
    Lesson(
        "failover",
        "Synchronous replication",
        r"\d+ acknowledged writes lost at Database",
        "5×",
        off(3, 30),
        on(0),
        r"Node \d of Database is the leader",
    ),
    Lesson("split-brain", "Fencing", r"drops \d+ records of its own timeline", "10×", off(900), on(0)),
    Lesson("crash-commit", "Wait for the flush", r"\d+ acknowledged writes lost at Database", "5×", off(3, 120), on(0)),
    Lesson("two-buyers", "SELECT ... FOR UPDATE", r"Item \d+ sold twice: stock was 1", "2×", off(5), on(1)),
    Lesson("write-skew", "SERIALIZABLE", r"Nobody is on call in team \d+", "5×", off(4), on(1)),
    Lesson(
        "hot-shard",
        "Hash instead of range",
        r"Shard 4 is a hot shard",
        "2×",
        off(75, 90),
        on(35),
        r"Shard 4 is no hot shard any more",
    ),
    Lesson("reshard", "Throttle the move", r"Router has resharded", "5×", off(2), on(1.5), r"Router has resharded"),
    Lesson("conditional-requests", "ETag with each answer", "", "5×", off(15e6), on(7e6)),
    Lesson("deep-page", "Signed cursors", r"Row \d+ shown twice to one reader", "2×", off(20), on(15)),
    Lesson("quorum", "R + W > N", r"stale read of key \d", "2×", off(8, 40), on(0.5)),
)


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.name for lesson in LESSONS])
def test_a_scenario_fails_by_name_until_its_fix_is_turned_on(opened: PlaygroundPage, lesson: Lesson) -> None:
    opened.open(f"/t/{lesson.name}")
    expect(opened.test_id("scenario")).to_be_visible()
    expect(opened.test_id("scenario")).to_contain_text(lesson.fix)
    assert not opened.fix(0).is_on()

    opened.choose_speed(lesson.speed)
    if lesson.fails:
        event = opened.test_id("feed").get_by_test_id("event-title").filter(has_text=re.compile(lesson.fails))
        expect(event.first).to_be_visible(timeout=90_000)
    before = opened.expect_watch(0, lesson.without, within_ms=90_000)
    assert before.on is None, "nothing is known of the fix before it was ever on"
    opened.fix(0).toggle()
    assert opened.fix(0).is_on()
    after = opened.expect_watch(0, lesson.with_it, within_ms=90_000)
    assert after.off is not None, "what it was without the fix stays beside it"
    assert f"{lesson.fix}: on" in opened.feed_titles()
    if lesson.mended:
        mended = opened.test_id("feed").get_by_test_id("event-title").filter(has_text=re.compile(lesson.mended))
        expect(mended.first).to_be_visible(timeout=60_000)
    opened.fix(0).toggle()
    assert not opened.fix(0).is_on()
    assert f"{lesson.fix}: off" in opened.feed_titles()


@pytest.mark.parametrize(
    ("name", "fault", "most"),
    [
        ("with-sticky", "App 2 crashed", 5),
        ("liveness-readiness", "Deadlock in Servers 2", 20),
        ("gslb", "Balancer EU", 15),
    ],
)
def test_what_a_scenario_does_comes_with_its_fix_on_from_the_start_too(
    opened: PlaygroundPage, name: str, fault: str, most: float
) -> None:
    opened.open(f"/t/{name}")
    expect(opened.test_id("scenario")).to_be_visible()
    opened.fix(0).toggle()
    assert opened.fix(0).is_on()
    opened.choose_speed("25×")
    event = opened.test_id("feed").get_by_test_id("event-title").filter(has_text=fault)
    expect(event.first).to_be_visible(timeout=90_000)
    opened.expect_watch(0, on(most), within_ms=90_000)


CARD_WIDTH = 188
"""Canvas pixels, as ``frontend/src/canvas/card.ts`` has it."""
ZOOM_READABLE = 0.88
"""From here on the texts on a card, 12.5 pixels at zoom 1, are 11 pixels or more."""


@pytest.mark.parametrize("name", [lesson.name for lesson in LESSONS])
def test_all_of_a_scenario_can_be_read_at_1280(opened: PlaygroundPage, name: str) -> None:
    opened.open(f"/t/{name}")
    expect(opened.test_id("scenario")).to_be_visible()
    opened.pause()
    opened.page.wait_for_timeout(600)  # the view glides to its place
    canvas = opened.test_id("canvas").bounding_box()
    assert canvas
    for card in opened.page.locator("[data-kind].card").all():
        box = card.bounding_box()
        assert box and box["width"] >= ZOOM_READABLE * CARD_WIDTH
        assert canvas["x"] <= box["x"] and box["x"] + box["width"] <= canvas["x"] + canvas["width"]
        assert canvas["y"] <= box["y"] and box["y"] + box["height"] <= canvas["y"] + canvas["height"]


def test_a_block_of_a_scenario_is_inspected_by_a_click(opened: PlaygroundPage) -> None:
    opened.open("/t/cache-lock")
    expect(opened.test_id("right-panel")).to_have_count(0)
    expect(opened.test_id("scenario")).to_be_visible()
    opened.still("cache").click(position={"x": 60, "y": 12})
    expect(opened.test_id("cells")).to_be_attached()
    opened.test_id("scenario-cost").click()
    expect(opened.test_id("cost-total")).to_be_visible()


def test_what_a_scenario_does_by_itself_it_does_again_after_going_back_to_the_start(opened: PlaygroundPage) -> None:
    opened.open("/t/liveness-readiness")
    expect(opened.test_id("scenario")).to_be_visible()
    opened.pause()
    opened.fix(0).toggle()
    opened.test_id("reset").click()
    expect(opened.test_id("clock")).to_contain_text("00:00.000")
    opened.choose_speed("5×")
    opened.play()
    event = opened.test_id("feed").get_by_test_id("event-title").filter(has_text="Deadlock in Servers 2")
    expect(event.first).to_be_visible(timeout=60_000)
    assert opened.fix(0).is_on()


def test_all_of_the_first_design_can_be_made_out_at_1280_beside_its_panels(opened: PlaygroundPage) -> None:
    opened.open("/t/catalogue")
    expect(opened.test_id("right-panel")).to_be_visible()
    opened.pause()
    opened.page.wait_for_timeout(600)
    canvas = opened.test_id("canvas").bounding_box()
    cards = [card.bounding_box() for card in opened.page.locator("[data-kind].card").all()]
    assert canvas and len(cards) == 8
    for box in cards:
        assert box and box["width"] >= 0.8 * CARD_WIDTH
        assert canvas["x"] <= box["x"] and box["x"] + box["width"] <= canvas["x"] + canvas["width"]
        assert canvas["y"] <= box["y"] and box["y"] + box["height"] <= canvas["y"] + canvas["height"]
    for at, one in enumerate(cards):
        for other in cards[at + 1 :]:
            assert one and other
            apart = max(abs(one["x"] - other["x"]) - one["width"], abs(one["y"] - other["y"]) - one["height"])
            assert apart > 0, "no card lies on another"


def test_a_stampede_that_is_over_in_a_moment_is_shown_in_slow_motion(opened: PlaygroundPage) -> None:
    opened.open("/t/cache-lock")
    expect(opened.test_id("speed-0.1")).to_have_attribute("aria-pressed", "true")
    event = opened.test_id("feed").get_by_test_id("event-title").filter(has_text=re.compile(r"Stampede on key 1: \d+"))
    expect(event.first).to_be_visible(timeout=15_000)
    opened.expect_watch(0, off(1700, 2300))


def test_read_your_writes_is_mended_by_each_of_three_switches_one_at_a_time(opened: PlaygroundPage) -> None:
    opened.open("/t/read-your-writes")
    expect(opened.test_id("scenario")).to_be_visible()
    opened.choose_speed("5×")
    opened.expect_watch(0, off(1), within_ms=60_000)
    names = ["Leader after a write", "Wait for the user's position", "Commits wait until replicas show them"]
    for number, name in enumerate(names):
        opened.fix(number).toggle()
        assert [opened.fix(it).is_on() for it in range(3)] == [it == number for it in range(3)]
        expect(opened.test_id("scenario").get_by_text("partly")).to_have_count(0)
        assert f"{name}: on" in opened.feed_titles()
        if number != 1:
            opened.fix(number).toggle()
            assert f"{name}: off" in opened.feed_titles()
        else:
            # The first one sets the same parameter: it takes this one's place.
            opened.fix(0).toggle()
            assert [opened.fix(it).is_on() for it in range(3)] == [True, False, False]
            opened.fix(0).toggle()
    opened.fix(1).toggle()
    opened.expect_watch(0, on(0.2), within_ms=60_000)


def test_who_comes_later_sees_the_figures_of_both_sides_as_who_was_there(opened: PlaygroundPage) -> None:
    opened.open("/t/cache-lock")
    opened.choose_speed("1×")
    opened.expect_watch(0, off(1700, 2300))
    opened.fix(0).toggle()
    opened.expect_watch(0, on(1, 1))
    # A highest value counts once what is looked back on is past the turn.
    opened.expect_watch(2, lambda it: it.on is not None)
    opened.pause()
    opened.page.wait_for_timeout(1_000)
    figures = range(3)
    there = [opened.watch(number) for number in figures]
    assert all(watched.off is not None and watched.on is not None for watched in there)

    # Somebody else, in a profile of its own; then a reload.
    browser = opened.page.context.browser
    assert browser
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=opened.page.url.split("/r/")[0])
    guest = PlaygroundPage(context.new_page())
    guest.open(opened.page.url)
    assert [guest.expect_watch(number, lambda it, number=number: it == there[number]) for number in figures] == there
    context.close()
    opened.page.reload()
    assert [opened.expect_watch(number, lambda it, number=number: it == there[number]) for number in figures] == there
