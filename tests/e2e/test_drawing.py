"""The seed's own example, drawn by hand: client, load balancer, two app servers, cache, database."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.playground_page import PlaygroundPage

PLACES = {
    "client": [(60, 200)],
    "load_balancer": [(260, 200)],
    "app_server": [(430, 60), (430, 300)],
    "cache": [(600, 60)],
    "sql_database": [(600, 300)],
}
CALLS = [
    ("client", "load_balancer"),
    ("load_balancer", "app_server"),
    ("load_balancer", "app_server-2"),
    ("app_server", "cache"),
    ("app_server-2", "cache"),
    ("app_server", "sql_database"),
    ("app_server-2", "sql_database"),
]


def kind_of(block_id: str) -> str:
    return block_id.split("-")[0]


def draw_with_the_mouse(opened: PlaygroundPage) -> None:
    # Four columns of cards need more room than a small window has at full size.
    for _ in range(3):
        opened.test_id("zoom-out").click()
    opened.page.wait_for_timeout(400)
    for kind, places in PLACES.items():
        for number, (x, y) in enumerate(places):
            opened.drag_from_palette(kind, x, y)
            expect(opened.block(kind if number == 0 else f"{kind}-{number + 1}")).to_be_visible()
    opened.test_id("fit").click()
    opened.page.wait_for_timeout(400)  # the view glides to its place before a port can be hit
    for caller, callee in CALLS:
        opened.connect_by_mouse(caller, callee, kind_of(caller), kind_of(callee))
        expect(opened.test_id(f"edge-{caller}--{callee}")).to_be_attached()


def test_a_system_is_drawn_with_the_mouse_and_traffic_flows_through_it(opened: PlaygroundPage) -> None:
    opened.open_empty()
    draw_with_the_mouse(opened)
    opened.empty_spot()
    expect(opened.test_id("problems")).to_have_count(0)
    opened.play()
    opened.expect_traffic()
    for block in ("client", "load_balancer", "app_server", "app_server-2", "sql_database"):
        expect(opened.block(block)).not_to_have_attribute("data-state", "idle")


def test_a_system_is_drawn_with_the_keyboard_alone_and_traffic_flows_through_it(opened: PlaygroundPage) -> None:
    opened.open_empty()
    keyboard = opened.page.keyboard
    for kind, places in PLACES.items():
        for number in range(len(places)):
            keyboard.press("/")
            expect(opened.test_id("palette-search")).to_be_focused()
            keyboard.type(kind.replace("_", " "))
            keyboard.press("Enter")
            expect(opened.block(kind if number == 0 else f"{kind}-{number + 1}")).to_be_visible()
            keyboard.press("Escape")
    for caller, callee in CALLS:
        keyboard.press("Control+k")
        expect(opened.test_id("commands")).to_be_focused()
        keyboard.type(f"go to ({caller})")
        keyboard.press("Enter")
        expect(opened.test_id("commands")).to_have_count(0)
        keyboard.press("c")
        expect(opened.test_id("connect-search")).to_be_focused()
        keyboard.type(f"({callee})")
        keyboard.press("Enter")
        expect(opened.test_id(f"edge-{caller}--{callee}")).to_be_attached()
    keyboard.press("l")
    keyboard.press("Escape")
    expect(opened.test_id("problems")).to_have_count(0)
    keyboard.press("Space")
    expect(opened.test_id("pause")).to_be_visible()
    opened.expect_traffic()


def test_a_block_is_moved_with_the_arrow_keys(opened: PlaygroundPage) -> None:
    opened.open_empty()
    opened.test_id("palette-client").click()
    card = opened.page.locator(".react-flow__node").first
    before = card.bounding_box()
    card.focus()
    for _ in range(4):
        opened.page.keyboard.press("ArrowRight")
    after = card.bounding_box()
    assert before
    assert after
    assert after["x"] > before["x"] + 10


def test_a_connection_that_does_not_fit_is_refused_and_says_why(opened: PlaygroundPage) -> None:
    opened.open_empty()
    opened.drag_from_palette("client", 100, 150)
    opened.drag_from_palette("sql_database", 400, 150)
    specs = {spec["kind"]: spec for spec in opened.catalogue()["blocks"]}
    (out,) = [port["name"] for port in specs["client"]["ports"] if port["direction"] == "out"][:1]
    (into,) = [port["name"] for port in specs["sql_database"]["ports"] if port["direction"] == "in"][:1]
    opened.drag_port(f"port-client-{out}", f"port-sql_database-{into}")
    expect(opened.test_id("toasts")).to_contain_text("answers")
    expect(opened.page.locator(".react-flow__edge")).to_have_count(0)


def test_what_is_missing_is_listed_beside_the_drawing(opened: PlaygroundPage) -> None:
    opened.open_empty()
    opened.test_id("palette-load_balancer").click()
    opened.empty_spot()
    expect(opened.test_id("problems")).to_contain_text("client", ignore_case=True)
    opened.test_id("play").click()
    expect(opened.test_id("problems")).to_be_visible()
    expect(opened.test_id("pause")).to_have_count(0)


def test_undo_and_redo_take_single_steps(opened: PlaygroundPage) -> None:
    opened.open_empty()
    opened.test_id("palette-client").click()
    opened.test_id("palette-cache").click()
    opened.page.keyboard.press("Control+z")
    expect(opened.block("cache")).to_have_count(0)
    expect(opened.block("client")).to_be_visible()
    opened.page.keyboard.press("Control+Shift+z")
    expect(opened.block("cache")).to_be_visible()
    opened.page.keyboard.press("Delete")
    expect(opened.block("cache")).to_have_count(0)
    opened.test_id("undo").click()
    expect(opened.block("cache")).to_be_visible()


def test_a_piece_is_copied_pasted_and_deleted(opened: PlaygroundPage) -> None:
    opened.open_empty()
    opened.test_id("palette-client").click()
    opened.test_id("palette-load_balancer").click()
    keyboard = opened.page.keyboard
    keyboard.press("Escape")
    keyboard.press("Control+a")
    keyboard.press("Control+c")
    keyboard.press("Control+v")
    expect(opened.page.locator(".react-flow__node")).to_have_count(4)
    keyboard.press("Delete")
    expect(opened.page.locator(".react-flow__node")).to_have_count(2)
