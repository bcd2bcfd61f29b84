"""The page as a person uses it: what the tests do, without where it is in the markup. See docs/guides/testing-the-page.md."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

LOOK_MS = 200


@dataclass
class Fix:
    """One of the design's fixes: its switch in the scenario panel."""

    switch: Locator

    def toggle(self) -> None:
        """Turn it, and wait until the drawing has it the other way and the engine runs that."""
        wanted = "false" if self.is_on() else "true"
        self.switch.click()
        expect(self.switch).to_have_attribute("aria-checked", wanted)
        expect(self.switch.page.locator("[data-pending=true]")).to_have_count(0)

    def is_on(self) -> bool:
        """Whether all of its settings are as with the fix."""
        return self.switch.get_attribute("aria-checked") == "true"


@dataclass
class Watched:
    """A watched figure of the scenario panel; None on a side that the run has not been on yet."""

    off: float | None
    on: float | None


@dataclass
class PlaygroundPage:
    """A browser page with the playground in it."""

    page: Page

    # ---- opening

    def open(self, path: str = "/") -> None:
        """Go to ``path`` and wait until something is there to work with."""
        self.page.goto(path)
        expect(self.test_id("canvas")).to_be_visible()

    def import_scenario(self, scenario: dict[str, Any]) -> None:
        """Open a design or a scenario as a file. It stands still until Play is pressed."""
        text = json.dumps(scenario).encode()
        self.test_id("import-file").set_input_files({"name": "it.json", "mimeType": "application/json", "buffer": text})
        expect(self.test_id("design-name")).to_have_value(scenario.get("design", scenario)["name"])

    def open_empty(self) -> None:
        """An empty canvas, reached through the menu as a person would."""
        self.open("/")
        self.test_id("document-menu").click()
        self.test_id("new-design").click()
        expect(self.test_id("empty-canvas")).to_be_visible()

    # ---- finding

    def test_id(self, name: str) -> Locator:
        """The element with this test id."""
        return self.page.get_by_test_id(name)

    def block(self, block_id: str) -> Locator:
        """A block's card."""
        return self.test_id(f"block-{block_id}")

    def still(self, block_id: str) -> Locator:
        """A block's card, once the view has glided to its place: before, a click may fall beside it."""
        card = self.block(block_id)
        seen = None
        for _ in range(60_000 // LOOK_MS):
            box = card.bounding_box()
            if box is not None and box == seen:
                return card
            seen = box
            self.page.wait_for_timeout(LOOK_MS)
        raise AssertionError(f"the card of {block_id} never stood still")

    def figure(self, name: str) -> float:
        """A figure of the inspector as a number: ``35.0 k`` is 35000."""
        text = self.test_id(name).inner_text().replace("\u2009", "").split("/")[0].strip()
        parts = text.split(" ")
        if not parts[0][:1].isdigit():
            return 0.0
        scale = {"k": 1e3, "M": 1e6, "G": 1e9}.get(parts[1][:1] if len(parts) > 1 else "", 1.0)
        return float(parts[0]) * scale

    # ---- a scenario: its fixes, what they change, what happened

    def fix(self, number: int) -> Fix:
        """The design's fix with this number, from 0."""
        return Fix(self.test_id(f"fix-{number}"))

    def watch(self, number: int) -> Watched:
        """What the watched figure with this number came to so far, without the fix and with it, in its own unit."""
        sides = [self.test_id(f"watch-{number}-{side}").get_attribute("data-value") for side in ("off", "on")]
        return Watched(*(None if side is None else float(side) for side in sides))

    def expect_watch(self, number: int, good: Callable[[Watched], bool], within_ms: int = 60_000) -> Watched:
        """Wait until a watched figure satisfies ``good``; gives it."""
        expect(self.test_id(f"watch-{number}-off")).to_be_visible()
        for _ in range(within_ms // LOOK_MS):
            if good(found := self.watch(number)):
                return found
            self.page.wait_for_timeout(LOOK_MS)
        raise AssertionError(f"watched figure {number} stayed at {self.watch(number)}")

    def feed_titles(self) -> list[str]:
        """What the feed lists, newest first."""
        return self.test_id("feed").get_by_test_id("event-title").all_inner_texts()

    def choose_speed(self, label: str) -> None:
        """Choose how fast time passes: ``10×``, ``Max``."""
        self.test_id("speed-menu").click()
        self.page.get_by_role("menuitem").filter(has_text=re.compile(rf"^{label}")).click()

    # ---- the catalogue, as the page got it

    def catalogue(self) -> dict[str, Any]:
        """What can be drawn."""
        answer = self.page.request.get("/api/catalogue")
        assert answer.ok
        found: dict[str, Any] = answer.json()
        return found

    def ports(self, caller: str, callee: str) -> tuple[str, str]:
        """The first out port of the kind ``caller`` that fits an in port of the kind ``callee``."""
        specs = {spec["kind"]: spec for spec in self.catalogue()["blocks"]}
        for out in specs[caller]["ports"]:
            for into in specs[callee]["ports"]:
                if (out["direction"], into["direction"]) == ("out", "in") and out["type"] == into["type"]:
                    return out["name"], into["name"]
        raise AssertionError(f"a {caller} can't call a {callee}")

    # ---- drawing with the mouse

    def drag_from_palette(self, kind: str, x: float, y: float) -> None:
        """Drag a kind of block from the palette to a place on the canvas."""
        self.test_id(f"palette-{kind}").drag_to(self.test_id("canvas"), target_position={"x": x, "y": y})

    def connect_by_mouse(self, caller: str, callee: str, caller_kind: str, callee_kind: str) -> None:
        """Draw a connection from port to port."""
        out, into = self.ports(caller_kind, callee_kind)
        self.drag_port(f"port-{caller}-{out}", f"port-{callee}-{into}")

    def drag_port(self, start: str, end: str) -> None:
        """Press on one port, move to another, let go."""
        from_box = self.test_id(start).bounding_box()
        to_box = self.test_id(end).bounding_box()
        assert from_box and to_box
        mouse = self.page.mouse
        mouse.move(from_box["x"] + from_box["width"] / 2, from_box["y"] + from_box["height"] / 2)
        mouse.down()
        x, y = to_box["x"] + to_box["width"] / 2, to_box["y"] + to_box["height"] / 2
        mouse.move(x - 20, y - 10, steps=4)
        mouse.move(x, y, steps=4)
        mouse.up()

    def empty_spot(self) -> None:
        """Click where nothing is: nothing is selected then."""
        self.page.keyboard.press("Escape")

    # ---- running

    def play(self) -> None:
        """Press Play and wait until time passes."""
        self.test_id("play").click()
        expect(self.test_id("pause")).to_be_visible()

    def pause(self) -> None:
        """Press Pause and wait until time stands."""
        self.test_id("pause").click()
        expect(self.test_id("play")).to_be_visible()

    def expect_traffic(self, at_least: float = 1.0) -> None:
        """Wait until the design has completed requests."""
        self.empty_spot()
        self.expect_figure("total-completed", lambda value: value >= at_least)

    def expect_figure(self, name: str, good: Callable[[float], bool], within_ms: int = 20_000) -> None:
        """Wait until a figure satisfies ``good``."""
        found = self.test_id(name)
        expect(found).to_be_visible()
        for _ in range(within_ms // LOOK_MS):
            if good(self.figure(name)):
                return
            self.page.wait_for_timeout(LOOK_MS)
        raise AssertionError(f"{name} stayed at {found.inner_text()!r}")
