"""Each stale read of a quorum store can say which write it missed, how old that was, through which nodes it came, and why."""

from __future__ import annotations

import re

import pytest

from playground.execution import Execution
from tests.laws.quorums import Bench, steady
from tests.laws.shards import reach
from tests.sketch import metric, template

# A write is at its coordinator at once, and at the other replicas after 15 ms; reads take 1 ms each way.
LATE_COPIES = {
    **steady(1),
    "write_mean_ms": 15.0,
    "coordinator": "replica",
    "read_quorum": 1,
    "write_quorum": 1,
    "read_repair": "off",
    "anti_entropy_every_s": None,
}


def test_a_stale_read_says_what_it_missed_how_old_that_was_who_answered_and_where_it_was_meanwhile() -> None:
    bench = Bench(instances=3, **LATE_COPIES)
    first, second, third = bench.nodes_of()
    write = bench.write(node=first)
    bench.reach(5)
    acked = bench.answer(write).at_ms
    bench.read(node=second)
    bench.reach(30)
    (row,) = bench.store.detail()["latest_stale_reads"]
    others = ", ".join(f"node {node + 1}" for node in sorted((second, third)))
    assert row["says"] == (
        f"Stale read of key 1. It got version 1 and missed version 2, acknowledged {5 - acked:.3g} ms before it began. "
        f"Answered: node {second + 1}. It, or a newer one, is on node {first + 1}, and on its way to {others}."
    )
    assert row["line"] == f"Key 1, node {second + 1}: not there yet"
    assert (row["read_version"], row["missed_version"], row["age_ms"]) == (1, 2, 5 - acked)
    assert (row["answered"], row["on"], row["on_its_way_to"]) == (f"node {second + 1}", f"node {first + 1}", others)
    # By now it is everywhere, and nothing more is told.
    bench.read(node=third)
    bench.reach(60)
    assert bench.metric("reads_stale") == len(bench.store.detail()["latest_stale_reads"]) == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_stale_read_has_a_story_that_agrees_with_the_request_that_read_it(seed: int) -> None:
    execution = reach(Execution(template("quorum", seed=seed)), 4)
    rows = execution.detail("store")["latest_stale_reads"]
    assert len(rows) == 20 and metric(execution, "store", "reads_stale") > 20
    # Who was answered with something old has been told so, all the way back.
    assert metric(execution, "shoppers", "stale_answers") == pytest.approx(
        metric(execution, "store", "reads_stale"), abs=3
    )
    for row in rows:
        assert row["missed_version"] > row["read_version"] and row["age_ms"] > 0
        assert re.fullmatch(r"node \d", row["answered"]), "R = 1"
        late = row["answered"] in row["on"].split(", ")
        assert late == (f"It came to {row['answered']} after the answer had left." in row["says"])
    # The same is said to whoever follows the request.
    told = execution.model.blocks["store"].stale
    followed = [number for number in range(max(0, told.total - 256), told.total) if told.trace[number % 256] > 0]
    assert followed
    for number in followed:
        (read,) = [it for it in execution.trace(told.trace[number % 256]) if it.callee == "store"]
        assert (read.key, read.remark) == (told.key[number % 256], told.story(number))
