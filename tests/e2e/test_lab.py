"""The isolation lab as a person uses it: scripts chosen, stepped and edited, with what went wrong named where it did."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from psycopg.conninfo import conninfo_to_dict

from playground.bench.server import LiveServer, serving
from playground.isolation.schedules import shuffled
from playground.isolation.server import Server
from playground.isolation.sources import templates
from playground.isolation.syntax import Script
from tests.e2e.conftest import VIEWPORT, watch
from tests.e2e.playground_page import PlaygroundPage

BROKEN = "create table test (id int primary key, value int);\ninsert into test values (1, 10);\nT1: begin;\nT1: selct * from test;\n"
WIDTHS = [(768, 1024), (1280, 800), (1920, 1080)]


def open_lab(
    opened: PlaygroundPage, script: str = "", level: str = "", step: int | None = None, dialect: str = ""
) -> Page:
    """The lab on a script of its own, at its first step unless said otherwise."""
    parts = {"template": script, "level": level, "dialect": dialect, "step": "" if step is None else str(step)}
    named = urlencode({name: value for name, value in parts.items() if value})
    opened.page.goto("/lab" + (f"#{named}" if named else ""))
    expect(opened.test_id("lab-schedule")).to_be_visible()
    return opened.page


def at(opened: PlaygroundPage, step: int, last: int) -> None:
    expect(opened.test_id("lab-at")).to_have_text(f"{step} / {last}")


def test_the_first_visit_shows_two_buyers_and_the_sale_that_was_lost(opened: PlaygroundPage) -> None:
    open_lab(opened)
    expect(opened.test_id("lab-anomaly-P4")).to_contain_text("lost update")
    expect(opened.test_id("lab-final-product")).to_contain_text("(1, 0)")


def test_the_lab_is_linked_from_the_playground_and_back(opened: PlaygroundPage) -> None:
    opened.open("/t/mm1")
    opened.test_id("lab-link").click()
    expect(opened.test_id("lab-schedule")).to_be_visible()
    opened.test_id("to-playground").click()
    expect(opened.test_id("canvas")).to_be_visible()


def test_a_template_is_chosen_and_stepped_until_its_anomaly_is_named(opened: PlaygroundPage) -> None:
    open_lab(opened)
    opened.test_id("lab-template").select_option("g2-item")
    at(opened, 0, 8)
    expect(opened.test_id("lab-head-T1")).to_contain_text("not begun")
    for step in range(1, 9):
        expect(opened.test_id("lab-findings")).to_contain_text("No anomaly so far")
        opened.test_id("lab-step").click()
        at(opened, step, 8)
    anomaly = opened.test_id("lab-anomaly-G2-item")
    expect(anomaly.get_by_test_id("lab-cycle")).to_have_text("T1 —rw→ T2 —rw→ T1")
    expect(opened.test_id("lab-edge-T1-rw-T2")).to_be_visible()
    expect(opened.test_id("lab-step")).to_be_disabled()
    opened.test_id("lab-back").click()
    at(opened, 7, 8)
    expect(anomaly).to_have_count(0)
    opened.test_id("lab-goto-3").click()
    at(opened, 3, 8)
    expect(opened.test_id("lab-outcome-3")).to_contain_text("20")


def test_at_another_level_the_anomaly_is_gone_and_the_abort_was_needed(opened: PlaygroundPage) -> None:
    open_lab(opened, "g2-item", "repeatable read")
    expect(opened.test_id("lab-anomaly-G2-item")).to_be_visible()
    opened.test_id("lab-level").select_option("serializable")
    expect(opened.test_id("lab-anomaly-G2-item")).to_have_count(0)
    expect(opened.test_id("lab-outcome-8")).to_contain_text("40001")
    failure = opened.test_id("lab-failure-T2")
    expect(failure.get_by_test_id("lab-failure-kind")).to_have_text("needed")
    expect(failure).to_contain_text("write skew")


def test_a_cautious_abort_is_told_from_a_needed_one(opened: PlaygroundPage) -> None:
    # Each reads by a scan, which is taken to have read all rows; by rows alone nobody read what the other changed.
    open_lab(opened, level="serializable")
    opened.test_id("lab-script").fill(
        "create table test (id int primary key, value int);\ninsert into test values (1, 10), (2, 20);\n"
        "T1: begin;\nT2: begin;\nT1: select * from test where value = 10;\nT2: select * from test where value = 20;\n"
        "T1: update test set value = 11 where id = 1;\nT2: update test set value = 21 where id = 2;\nT1: commit;\nT2: commit;\n"
    )
    expect(opened.test_id("lab-failure-kind")).to_have_text("cautious")


def test_a_wait_is_drawn_while_it_lasts(opened: PlaygroundPage) -> None:
    open_lab(opened, "two-buyers-for-update", step=4)
    expect(opened.test_id("lab-outcome-4")).to_contain_text("waits for T1")
    expect(opened.test_id("lab-waiting-T2-4")).to_be_visible()
    expect(opened.test_id("lab-edge-T2-waits-T1")).to_be_visible()
    expect(opened.test_id("lab-locks")).to_contain_text("FOR UPDATE")
    opened.test_id("lab-run-all").click()
    expect(opened.test_id("lab-outcome-4")).to_contain_text("waited for T1, till step 6")
    expect(opened.test_id("lab-waits")).to_have_count(0)


def test_a_phantom_and_its_row_versions_are_drawn(opened: PlaygroundPage) -> None:
    open_lab(opened, "pmp", "read committed")
    expect(opened.test_id("lab-anomaly-PMP")).to_contain_text("phantom")
    expect(opened.test_id("lab-anomaly-PMP")).to_contain_text("condition did not see")
    opened.test_id("lab-level").select_option("repeatable read")
    expect(opened.test_id("lab-anomaly-PMP")).to_have_count(0)
    opened.test_id("lab-template").select_option("g0")
    opened.test_id("lab-goto-3").click()
    chain = opened.test_id("lab-chain").first.get_by_test_id("lab-version")
    expect(chain).to_have_count(2)
    expect(chain.nth(1)).to_have_attribute("data-standing", "pending")


def test_innodb_is_another_database(opened: PlaygroundPage) -> None:
    open_lab(opened, "p4", "repeatable read")
    expect(opened.test_id("lab-anomaly-P4")).to_have_count(0)
    expect(opened.test_id("lab-schedule")).to_contain_text("could not serialize access due to concurrent update")
    opened.test_id("lab-dialect").select_option("mysql")
    expect(opened.test_id("lab-anomaly-P4")).to_be_visible()


def test_a_syntax_error_is_named_by_line_and_token_and_shown_there(opened: PlaygroundPage) -> None:
    open_lab(opened)
    opened.test_id("lab-script").fill(BROKEN)
    expect(opened.test_id("lab-problems")).to_contain_text("line 4, column 5: 'selct' can't stand here")
    expect(opened.test_id("lab-problems")).to_contain_text("SELECT")
    expect(opened.test_id("lab-wrong-line")).to_have_text("4")
    expect(opened.test_id("lab-wrong-token")).to_have_attribute("data-token", "selct")
    expect(opened.test_id("lab-schedule")).to_have_attribute("data-stale", "true")
    expect(opened.test_id("lab-step")).to_be_disabled()
    opened.test_id("lab-problems").get_by_role("button").click()
    selected = opened.page.evaluate(
        "getSelection().toString() || document.activeElement.value.slice("
        "document.activeElement.selectionStart, document.activeElement.selectionEnd)"
    )
    assert selected == "selct"
    opened.test_id("lab-script").fill(BROKEN.replace("selct", "select"))
    expect(opened.test_id("lab-outcome-2")).to_contain_text("10")
    expect(opened.test_id("lab-unfinished-T1")).to_contain_text("rolled back")


def test_nothing_typed_is_lost_by_a_reload_a_template_or_an_error(opened: PlaygroundPage) -> None:
    page = open_lab(opened, level="serializable")
    opened.test_id("lab-script").fill(BROKEN)
    expect(opened.test_id("lab-wrong-line")).to_be_visible()
    page.reload()
    expect(opened.test_id("lab-script")).to_have_value(BROKEN)
    expect(opened.test_id("lab-level")).to_have_value("serializable")
    opened.test_id("lab-template").select_option("otv")
    expect(opened.test_id("lab-schedule")).to_contain_text("T3")
    page.goto("/lab")
    page.reload()
    expect(opened.test_id("lab-template")).to_have_value("otv")
    opened.test_id("lab-template").select_option("")
    expect(opened.test_id("lab-script")).to_have_value(BROKEN)


def order(opened: PlaygroundPage, script: Script) -> None:
    """The schedule has the steps of a script, in its order."""
    for number, step in enumerate(script.steps, start=1):
        expect(opened.test_id(f"lab-statement-{number}").locator("code")).to_have_text(step.text)


def test_a_shuffle_has_a_seed_and_its_link_shows_the_same(opened: PlaygroundPage) -> None:
    script = templates()["otv"].script
    page = open_lab(opened, "otv", "read committed")
    order(opened, script)
    opened.test_id("lab-shuffle").click()
    expect(opened.test_id("lab-seed")).to_have_value("1")
    order(opened, shuffled(script, 1))
    opened.test_id("lab-seed").fill("42")
    opened.test_id("lab-seed").press("Enter")
    order(opened, shuffled(script, 42))
    page.reload()
    order(opened, shuffled(script, 42))
    opened.test_id("lab-unshuffle").click()
    order(opened, script)


def test_a_server_that_does_not_answer_is_asked_again_and_nothing_is_lost(
    opened: PlaygroundPage, errors: list[str]
) -> None:
    page = open_lab(opened, "g0", step=2)
    page.route("**/api/lab/run", lambda route: route.abort())
    opened.test_id("lab-step").click()
    expect(opened.test_id("lab-problems")).to_contain_text("does not answer")
    at(opened, 2, 8)
    page.unroute("**/api/lab/run")
    opened.test_id("lab-again").click()
    at(opened, 3, 8)
    expect(opened.test_id("lab-again")).to_have_count(0)
    # The browser itself says that the request failed; nothing else may have gone wrong.
    assert errors and all("Failed to load resource" in error for error in errors)
    errors.clear()


def test_arrows_step_unless_something_is_typed(opened: PlaygroundPage) -> None:
    page = open_lab(opened, "g0", step=2)
    at(opened, 2, 8)
    page.keyboard.press("ArrowRight")
    at(opened, 3, 8)
    page.keyboard.press("ArrowLeft")
    at(opened, 2, 8)
    page.keyboard.press("End")
    at(opened, 8, 8)
    opened.test_id("lab-script").press("ArrowLeft")
    page.keyboard.press("Home")
    at(opened, 8, 8)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_axe_finds_nothing_serious_in_the_lab(opened: PlaygroundPage, theme: str, width: int, height: int) -> None:
    opened.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    opened.page.set_viewport_size({"width": width, "height": height})
    for template, step in (("otv", 6), ("g2-item", 8)):
        open_lab(opened, template, "serializable", step)
        expect(opened.test_id("lab-at")).to_contain_text(f"{step} /")
        found = [
            one for one in Axe().run(opened.page).response["violations"] if one["impact"] in ("serious", "critical")
        ]
        assert not found, [f"{one['id']}: {[node['target'] for node in one['nodes']][:4]}" for one in found]
        overflow = opened.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, "the page scrolls sideways"


@pytest.fixture(scope="module")
def beside(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A playground for which a PostgreSQL is configured."""
    url = "postgresql:///?" + urlencode(conninfo_to_dict(server.dsn))
    with serving(tmp_path_factory.mktemp("beside"), DATABASE_URL=url) as playground:
        yield playground


def test_the_same_schedule_on_a_real_postgresql_stands_beside(chromium: Browser, beside: LiveServer) -> None:
    context = chromium.new_context(base_url=beside.url, viewport=VIEWPORT)
    errors: list[str] = []
    page = context.new_page()
    watch(page, errors)
    opened = PlaygroundPage(page)
    open_lab(opened, "two-buyers", "repeatable read", 3)
    opened.test_id("lab-compare").click()
    expect(opened.test_id("lab-verdict")).to_contain_text("The server did the same, statement by statement")
    row = opened.test_id("lab-beside-6").get_by_role("cell")
    expect(row.nth(3)).to_contain_text("could not serialize access due to concurrent update")
    assert row.nth(2).inner_text() == row.nth(3).inner_text()
    expect(opened.test_id("lab-beside-final-product")).to_have_text("(1, 0)")
    opened.test_id("lab-to-schedule").click()
    at(opened, 3, 8)
    opened.test_id("lab-dialect").select_option("mysql")
    expect(opened.test_id("lab-compare")).to_be_disabled()
    context.close()
    assert not errors, "\n".join(errors)
