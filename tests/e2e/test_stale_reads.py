"""A stale read is clicked, and says which write it missed, how old that was, through which replica and why."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.playground_page import PlaygroundPage

PROVENANCE = re.compile(
    r"Stale: node \d answered with version \d+ of key \d+ and missed version \d+ "
    r"\(position \d+, (the reader's own write|by user \d+)\), committed [\d.]+ ms before\. "
    r"Why: (network|apply backlog); the node is \d+ records behind\."
)

QUORUM_PROVENANCE = re.compile(
    r"Stale read of key \d\. It got version \d+ and missed version \d+, acknowledged [\d.]+ ms before it began\. Answered: node \d\. "
    r"It, or a newer one, is on node \d(, node \d)*(, and on its way to node \d(, node \d)*)?\."
    r"( It came to node \d after the answer had left\.)?"
)

AT_A_REPLICA = ("read-your-writes", "db", r"^Key \d+ at node \d: ", PROVENANCE)
IN_A_QUORUM = ("quorum", "store", r"^Key \d+, node \d: ", QUORUM_PROVENANCE)


@pytest.mark.parametrize(("template", "store", "line", "provenance"), [AT_A_REPLICA, IN_A_QUORUM])
def test_a_stale_read_that_is_clicked_says_what_it_missed_and_opens_its_request(
    opened: PlaygroundPage, template: str, store: str, line: str, provenance: re.Pattern[str]
) -> None:
    opened.open(f"/t/{template}")
    expect(opened.test_id("scenario")).to_be_visible()
    opened.still(store).click(position={"x": 60, "y": 12})
    opened.page.locator("summary", has_text=re.compile("^Inside$")).click()
    first = opened.test_id("detail").get_by_role("button", name=re.compile(line)).first
    expect(first).to_be_visible(timeout=20_000)
    opened.pause()
    first.click()
    told = opened.test_id("told")
    expect(told).to_contain_text(provenance)
    sentence = told.locator("p").first.inner_text()
    told.get_by_role("button", name="Follow its request").click()
    # The request as a whole, with the same sentence on the call that was answered by the replica.
    expect(opened.test_id("trace-panel")).to_contain_text(sentence)
