"""No work is lost, and it can be handed on: reload, draft, link, fork, import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, WebSocketRoute, expect

from playground.bench.server import LiveServer
from tests.e2e.playground_page import PlaygroundPage


def design(**changes: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "name": "Imported",
        "blocks": [{"id": "client", "kind": "client", "position": {"x": 0, "y": 0}}],
        "edges": [],
        **changes,
    }


def test_a_reload_restores_an_unfinished_drawing(opened: PlaygroundPage) -> None:
    opened.open_empty()
    opened.test_id("palette-client").click()
    opened.test_id("design-name").fill("Half of it")
    opened.test_id("design-name").press("Enter")
    opened.page.reload()
    expect(opened.block("client")).to_be_visible()
    expect(opened.test_id("design-name")).to_have_value("Half of it")


def test_a_reload_comes_back_to_the_same_run(opened: PlaygroundPage) -> None:
    opened.open("/t/catalogue")
    opened.expect_traffic(100)
    address = opened.page.url
    opened.page.reload()
    opened.expect_traffic(100)
    assert opened.page.url == address


def test_a_shared_link_opens_in_another_browser_and_is_forked_there(
    opened: PlaygroundPage, chromium: Browser, live_server_process: LiveServer
) -> None:
    opened.open("/t/catalogue")
    opened.expect_traffic(100)
    opened.test_id("design-name").fill("For you")
    opened.test_id("design-name").press("Enter")
    opened.test_id("share").click()
    opened.test_id("share-make").click()
    link = opened.test_id("share-link").input_value()
    assert "/s/" in link
    other: BrowserContext = chromium.new_context(base_url=live_server_process.url)
    theirs = PlaygroundPage(other.new_page())
    theirs.open(link)
    expect(theirs.test_id("design-name")).to_have_value("For you")
    theirs.expect_traffic(100)
    theirs.test_id("palette-client").click()
    expect(theirs.block("client-2").or_(theirs.block("client"))).to_be_visible()
    theirs.page.reload()
    expect(theirs.block("client-2").or_(theirs.block("client"))).to_be_visible()
    opened.page.goto(link)
    expect(opened.test_id("design-name")).to_have_value("For you")
    expect(opened.block("client-2")).to_have_count(0)
    other.close()


def test_a_broken_connection_comes_back_by_itself(opened: PlaygroundPage) -> None:
    sockets: list[WebSocketRoute] = []

    def through(route: WebSocketRoute) -> None:
        route.connect_to_server()
        sockets.append(route)

    opened.page.route_web_socket("**/ws/runs/**", through)
    opened.open("/t/catalogue")
    opened.expect_traffic(100)
    sockets[0].close()
    expect(opened.test_id("banner-lost")).to_be_visible()
    expect(opened.test_id("banner-lost")).to_have_count(0)
    assert len(sockets) >= 2
    before = opened.figure("total-completed")
    opened.expect_figure("total-completed", lambda completed: completed > before)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"blocks": [,]}', "line 1"),
        ('{"blocks": [], "blocks": [], "edges": []}', "twice"),
        ('{"blocks": [], "edges": [], "name": NaN}', "NaN"),
        ('{"blocks": []}', "edges"),
        (json.dumps(design(blocks=[{"kind": "client"}])), "id"),
        (
            json.dumps(
                design(
                    edges=[{"id": "e", "from": {"block": "client", "port": "out"}, "to": {"block": "x", "port": "in"}}]
                )
            ),
            "x",
        ),
    ],
)
def test_a_bad_import_says_what_is_wrong_and_changes_nothing(
    opened: PlaygroundPage, errors: list[str], tmp_path: Path, text: str, said: str
) -> None:
    opened.open_empty()
    opened.test_id("palette-cache").click()
    file = tmp_path / "bad.json"
    file.write_text(text)
    opened.test_id("import-file").set_input_files(file)
    expect(opened.test_id("toasts")).to_contain_text(said)
    expect(opened.block("cache")).to_be_visible()
    errors[:] = [error for error in errors if "422" not in error]  # the browser logs refused requests by itself


def test_an_imported_name_is_text_and_never_markup(opened: PlaygroundPage, tmp_path: Path) -> None:
    name = "<script>window.broken = 1</script><img src=x onerror='window.broken = 1'>"
    file = tmp_path / "evil.json"
    file.write_text(json.dumps(design(name=name)))
    opened.open("/")
    opened.test_id("import-file").set_input_files(file)
    expect(opened.test_id("design-name")).to_have_value(name)
    assert opened.page.evaluate("window.broken") is None


def test_text_and_drawing_are_edited_beside_one_another(opened: PlaygroundPage, errors: list[str]) -> None:
    opened.open_empty()
    opened.test_id("palette-client").click()
    opened.test_id("open-json").click()
    area = opened.test_id("json")
    text = area.input_value()
    area.fill(text.replace('"Client"', '"Shoppers"'))
    expect(opened.test_id("name-client")).to_have_text("Shoppers")
    area.fill(text.replace('"blocks": [', '"blocks": [,'))
    expect(opened.test_id("json-problems")).to_contain_text("line")
    expect(opened.block("client")).to_be_visible()
    errors[:] = [error for error in errors if "422" not in error]


def test_a_design_is_exported_and_comes_back_the_same(opened: PlaygroundPage, tmp_path: Path) -> None:
    opened.open_empty()
    opened.test_id("palette-client").click()
    opened.test_id("palette-load_balancer").click()
    opened.test_id("document-menu").click()
    with opened.page.expect_download() as downloading:
        opened.test_id("export-json").click()
    file = tmp_path / "design.json"
    downloading.value.save_as(file)
    blocks = json.loads(file.read_text())["design"]["blocks"]
    assert [block["id"] for block in blocks] == ["client", "load_balancer"]
    opened.page.keyboard.press("Control+a")
    opened.page.keyboard.press("Delete")
    opened.test_id("import-file").set_input_files(file)
    expect(opened.page.locator(".react-flow__node")).to_have_count(2)


def test_the_canvas_is_exported_as_a_picture(opened: PlaygroundPage, tmp_path: Path) -> None:
    opened.open("/t/catalogue")
    opened.expect_traffic(100)
    opened.test_id("document-menu").click()
    with opened.page.expect_download() as downloading:
        opened.test_id("export-png").click()
    file = tmp_path / "canvas.png"
    downloading.value.save_as(file)
    assert file.read_bytes().startswith(b"\x89PNG")
    assert file.stat().st_size > 20_000


def test_two_tabs_with_different_designs_each_come_back_to_their_own(
    opened: PlaygroundPage, visitor: BrowserContext
) -> None:
    opened.open("/t/catalogue")
    opened.expect_traffic(100)
    address = opened.page.url
    other = PlaygroundPage(visitor.new_page())
    other.open("/t/mm1")
    other.expect_traffic(1)
    opened.page.goto("about:blank")
    other.test_id("design-name").fill("The other one")
    other.test_id("design-name").press("Enter")
    other.page.goto("about:blank")
    opened.open(address)
    expect(opened.test_id("design-name")).to_have_value("Product catalogue")
    expect(opened.block("lb")).to_be_visible()
    expect(opened.page.locator("[data-pending=true]")).to_have_count(0)
    expect(opened.test_id("feed").locator("[data-what=intervention]")).to_have_count(0)


def test_a_second_tab_of_the_same_run_follows_the_first_and_does_not_fight_it(
    opened: PlaygroundPage, visitor: BrowserContext
) -> None:
    opened.open("/t/mm1")
    opened.expect_traffic(1)
    opened.pause()
    other = PlaygroundPage(visitor.new_page())
    other.open(opened.page.url)
    expect(other.block("server")).to_be_visible()
    expect(other.test_id("play")).to_be_enabled()
    other.test_id("palette-cache").click()
    expect(opened.block("cache")).to_be_visible()
    expect(other.page.locator("[data-pending=true]")).to_have_count(0)
    other.page.keyboard.press("Delete")
    expect(opened.block("cache")).to_have_count(0)
    expect(opened.page.locator('[data-what="intervention"]')).to_have_count(2)


def test_a_run_is_exported_alike_by_who_steered_it_and_by_who_came_later(
    opened: PlaygroundPage, tmp_path: Path
) -> None:
    opened.open("/t/liveness-readiness")
    expect(opened.test_id("scenario")).to_be_visible()
    opened.pause()
    opened.fix(0).toggle()
    browser = opened.page.context.browser
    assert browser
    context = browser.new_context(base_url=opened.page.url.split("/r/")[0], color_scheme="dark")
    guest = PlaygroundPage(context.new_page())
    guest.open(opened.page.url)
    expect(guest.test_id("scenario")).to_be_visible()
    found = []
    for who in (opened, guest):
        who.test_id("document-menu").click()
        with who.page.expect_download() as downloading:
            who.test_id("export-json").click()
        file = tmp_path / f"{len(found)}.json"
        downloading.value.save_as(file)
        found.append(json.loads(file.read_text()))
    context.close()
    assert found[0] == found[1]
    # What was done, and what the scenario has yet to do by itself.
    assert {entry["actor"] for entry in found[0]["interventions"]} > {"scenario"}
