"""Message queues when things go wrong: what was accepted is done in the end, or is counted where it went.

Sources: Amazon SQS, "Visibility timeout" and "Dead-letter queues"; RabbitMQ, "Consumer prefetch", "Queue length limit" and "Reliability".
"""

from __future__ import annotations

import random

import pytest

from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Action, Scenario
from playground.protocol.errors import InputError
from tests.execution.test_edits import edited, without
from tests.laws.intervals import poisson_bounds
from tests.laws.queues import WORK, doing, published, queued, unexplained
from tests.sketch import (
    MS,
    SECOND,
    block,
    clear,
    edge,
    example,
    fault,
    figures,
    in_use,
    metric,
    quieten,
    run,
    scenario,
    set_param,
)

# ---- dead letters


def poisoned(**queue: Scalar) -> Scenario:
    """Jobs on key 1 always fail: one in ten."""
    drawing = scenario(
        [
            block("users", "client", rate_per_s=20, keys=10, key_choice="uniform", write_weight=0),
            block("queue", "queue", redelivery_delay_ms=100, **queue),
            block("workers", "worker", work_mean_ms=5, **WORK),
        ],
        [published("users", "queue"), edge("queue", "workers", "workers")],
        until_s=60,
    )
    return doing(drawing, (0, fault("workers", "poison", key=1)))


@pytest.mark.parametrize("most", [1, 3, 5])
def test_a_poison_message_is_a_dead_letter_after_so_many_deliveries(most: int) -> None:
    execution = run(poisoned(deliveries_max=most))
    have = figures(execution, "queue")
    low, high = poisson_bounds(20 * 60 / 10)
    assert low <= have["died"] <= high
    poison = metric(execution, "workers", "poisoned")
    assert poison - most < most * have["died"] <= poison
    assert have["dead"] == have["died"]
    # The others pass by: they are done, each once.
    assert have["acknowledged"] + have["depth"] + have["unacknowledged"] + have["dead"] == have["accepted"]
    assert have["delivered"] == have["acknowledged"] + have["unacknowledged"] + poison
    rows = execution.detail("queue")["dead"]
    assert {row["key"] for row in rows} == {1} and {row["deliveries"] for row in rows} == {most}


def test_without_a_limit_a_poison_message_is_delivered_for_ever() -> None:
    execution = run(poisoned(deliveries_max=None), until_s=20)
    have = figures(execution, "queue")
    assert have["died"] == 0
    assert have["redelivered"] > 1000


def test_dead_letters_that_are_put_back_are_done_once_the_bug_is_mended() -> None:
    drawing = poisoned(deliveries_max=2)
    mended = doing(
        drawing, (0, fault("workers", "poison", key=1)), (20, clear("workers")), (25, fault("queue", "redrive"))
    )
    execution = run(mended, until_s=24)
    dead = metric(execution, "queue", "dead")
    assert dead > 20
    execution.advance(26 * SECOND)
    have = figures(execution, "queue")
    assert have["dead"] == 0 and have["died"] == dead
    assert have["accepted"] - have["acknowledged"] <= 2
    kinds = [it.kind for it in execution.take_notables()]
    assert kinds.count("redrive") == 1 and "dead_letter" in kinds


def test_dead_letters_go_to_the_queue_for_them_or_stay_where_they_are_while_it_is_down() -> None:
    drawing = poisoned(deliveries_max=1)
    blocks = [it.model_dump() for it in drawing.design.blocks]
    edges = [it.model_dump(by_alias=True) for it in drawing.design.edges]
    letters = scenario(
        [*blocks, block("letters", "queue"), block("menders", "worker", work_mean_ms=5, **WORK)],
        [*edges, edge("queue", "letters", "dead_letters"), edge("letters", "menders", "workers")],
        until_s=60,
    )
    acts = ((0, fault("workers", "poison", key=1)), (30, fault("letters", "crash", restart_after_s=10.0)))
    execution = run(doing(letters, *acts))
    have, there = figures(execution, "queue"), figures(execution, "letters")
    assert have["died"] == have["moved"] + have["dead"] + have["moving"]
    assert have["moved"] == there["accepted"] > 60
    assert have["dead"] == pytest.approx(20, abs=12) and have["dead"] > 0
    # Other workers, without the bug, do them.
    assert there["acknowledged"] >= there["accepted"] - 1


# ---- crashes of the queue


def crashing(durable: bool) -> Execution:
    """150 a second come, 100 a second are done; the queue crashes at 10 s for 2 s."""
    drawing = queued(rate=150, queue={"durable": durable}, worker={"workers": 2, "work_mean_ms": 20}, until_s=80)
    acts = (
        (10, fault("queue", "crash", restart_after_s=2.0)),
        (20, set_param("users", "rate_per_s", 0.001)),
    )
    return run(doing(drawing, *acts))


def test_a_durable_queue_keeps_its_messages_through_a_crash_and_delivers_again_what_was_worked_on() -> None:
    execution = crashing(durable=True)
    have = figures(execution, "queue")
    assert have["lost"] == 0
    assert have["acknowledged"] == have["accepted"] == pytest.approx(150 * 18, abs=3)
    # Its 16 deliveries were answered to nobody: these jobs are done twice.
    assert have["redelivered"] == have["late"] == 16
    assert metric(execution, "workers", "done") == have["accepted"] + 16


def test_a_queue_in_memory_alone_loses_exactly_what_it_held() -> None:
    execution = crashing(durable=False)
    have = figures(execution, "queue")
    # 500 more had come than were done.
    assert have["lost"] == pytest.approx(10 * 50, abs=5)
    assert have["accepted"] == have["acknowledged"] + have["lost"]
    (noted,) = [it for it in execution.take_notables() if it.kind == "messages_lost"]
    assert noted.title == f"queue lost {int(have['lost'])} messages"


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["queue", "worker"])
def test_every_accepted_message_is_somewhere_whatever_goes_wrong(kind: str, seed: int) -> None:
    # Conservation: accepted = acknowledged + waiting + worked on + dead + moving + moved + dropped + lost.
    chance = random.Random(seed)
    execution = Execution(example(kind, seed=seed, until_s=3_000), recorded=False)
    queues = [it.id for it in execution.design.blocks if it.kind == "queue"]
    targets: dict[str, list[Action]] = {}
    for it in execution.design.blocks:
        faults = ["crash", "refuse", "pause", *(["redrive"] if it.kind == "queue" else [])]
        if it.kind != "client":
            targets[it.id] = [fault(it.id, name) for name in faults] + [clear(it.id)] * 3
    for it in execution.design.edges:
        targets[it.id] = [fault(it.id, "partition"), fault(it.id, "loss", percent=20.0), clear(it.id), clear(it.id)]
    targets["workers" if kind == "queue" else "writers"].append(
        fault("workers" if kind == "queue" else "writers", "poison", key=2)
    )
    for name in queues:
        targets[name] += [
            set_param(name, "durable", chance.random() < 0.5),
            set_param(name, "when_full", "drop_oldest"),
        ]
    accepted = 0.0
    for _ in range(150):
        execution.advance(execution.now_ns + chance.randint(1, 80) * MS)
        execution.act(chance.choice(targets[chance.choice(sorted(targets))]), "test")
        assert [unexplained(execution, name) for name in queues] == [0] * len(queues)
    accepted = sum(metric(execution, name, "accepted") for name in queues)
    assert accepted > 100
    quieten(execution)
    execution.advance(execution.until_ns)
    for name in queues:
        have = figures(execution, name)
        assert unexplained(execution, name) == 0
        assert have["depth"] == have["unacknowledged"] == have["moving"] == have["queue"] == 0
    assert in_use(execution) == 0


# ---- writing behind


def write_behind(durable: bool, *acts: tuple[float, Action]) -> Execution:
    """50 writes a second for 20 s, done behind the writers' backs at 40 a second, and then time for the rest."""
    drawing = scenario(
        [
            block("users", "client", rate_per_s=50, write_weight=100, read_weight=0, keys=1000),
            block("queue", "queue", durable=durable, redelivery_delay_ms=100, deliveries_max=None),
            block("writers", "worker", workers=1, work_mean_ms=0, **WORK),
            block("db", "sql_database", query_mean_ms=20, query_distribution="constant", commit_mean_ms=5),
            block("cache", "cache"),
        ],
        [
            published("users", "queue"),
            edge("queue", "writers", "workers"),
            edge("writers", "db", "store"),
            edge("writers", "cache", "cache"),
        ],
        until_s=90,
    )
    return run(doing(drawing, *acts, (20, set_param("users", "rate_per_s", 0.001))))


def test_every_write_that_was_accepted_reaches_the_database() -> None:
    execution = write_behind(True)
    accepted = metric(execution, "queue", "accepted")
    low, high = poisson_bounds(50 * 20)
    assert low <= accepted <= high
    assert metric(execution, "db", "commits") == metric(execution, "queue", "acknowledged") == accepted
    # The cache is told of each.
    assert metric(execution, "cache", "deletes") == accepted
    # Writers were answered by the queue: they never waited for the database.
    assert execution.model.blocks["users"].histogram.percentile(0.99) < 10 * MS


@pytest.mark.parametrize("target", ["db", "writers", "queue"])
def test_a_durable_queue_brings_every_write_through_a_crash_of_anything_behind_it(target: str) -> None:
    execution = write_behind(True, (8.01, fault(target, "crash", restart_after_s=3.0)))
    have = figures(execution, "queue")
    assert have["acknowledged"] == have["accepted"] and have["lost"] == 0
    # At least once: some of them twice.
    assert have["accepted"] <= metric(execution, "db", "commits") <= have["accepted"] + 20


def test_writes_that_a_queue_in_memory_loses_are_counted_and_are_missing_in_the_database() -> None:
    execution = write_behind(False, (10, fault("queue", "crash", restart_after_s=1.0)))
    have = figures(execution, "queue")
    # 50 a second came, about 38 a second were written: the others were still here, though their writers had been told that all is well.
    assert have["lost"] > 60
    assert metric(execution, "db", "commits") == have["acknowledged"] + have["late"]
    assert have["accepted"] - have["lost"] == have["acknowledged"]


def test_without_faults_a_thousand_messages_leave_no_record_behind() -> None:
    execution = write_behind(True)
    quieten(execution)
    assert in_use(execution) == 0


# ---- a wire is taken out


def test_writes_that_waited_when_their_workers_wire_was_taken_out_become_dead_letters_and_none_counts_as_done() -> None:
    drawing = scenario(
        [
            block("users", "client", rate_per_s=50, write_weight=100, read_weight=0),
            block("app", "app_server", writes="queue"),
            block("queue", "queue", deliveries_max=3, redelivery_delay_ms=50),
            block("workers", "worker", work_mean_ms=5, **WORK),
            block("db", "sql_database"),
        ],
        [
            edge("users", "app"),
            edge("app", "db", "store"),
            edge("app", "queue", "queue"),
            edge("queue", "workers", "workers"),
            edge("workers", "db", "store"),
        ],
        until_s=60,
    )
    execution = run(drawing, until_s=5)
    execution.act(fault("workers", "crash", restart_after_s=5.0), "test")
    execution.advance(9 * SECOND)
    cut = edited(execution.design, lambda data: without(data, "workers--db"))
    with pytest.raises(InputError, match="'workers'"):
        execution.act(cut, "test")
    # Nobody hands writes over any more: now the wire may go, though some wait.
    execution.act(set_param("app", "writes", "store"), "test")
    execution.act(edited(execution.design, lambda data: without(data, "workers--db")), "test")
    before = figures(execution, "queue")
    assert before["depth"] > 150
    execution.advance(60 * SECOND)
    have, there = figures(execution, "queue"), figures(execution, "workers")
    assert have["acknowledged"] == before["acknowledged"] == there["done"]
    assert have["died"] == have["dead"] == have["accepted"] - have["acknowledged"] > 150
    assert there["unable"] == 3 * have["died"]
    assert unexplained(execution, "queue") == 0
    said = [it for it in execution.take_notables() if it.kind == "no_wire"]
    assert said and said[0].title == "workers has no store" and "a write of key" in said[0].detail
