"""Message queues: what was accepted is done, the oldest first, at least once, as fast as workers can.

Sources: Amazon SQS, "Visibility timeout" and "Dead-letter queues"; RabbitMQ, "Consumer prefetch", "Queue length limit" and "Reliability".
"""

from __future__ import annotations

import pytest

from playground.blocks.queue.messages import DEAD, DELAYED, WAITING, WORKED_ON, Messages
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Action
from tests.laws.intervals import assert_agrees, runs
from tests.laws.queues import doing, queued, unexplained
from tests.sketch import (
    SECOND,
    fault,
    figures,
    metric,
    run,
    set_param,
    unaccounted,
)

# ---- throughput and depth


@pytest.mark.parametrize(("instances", "workers", "ms"), [(1, 1, 20), (2, 3, 40), (5, 4, 100)])
def test_throughput_of_a_full_queue_is_workers_over_time_per_job(instances: int, workers: int, ms: float) -> None:
    capacity = instances * workers / ms * 1000
    size: dict[str, Scalar] = {"instances": instances, "workers": workers, "work_mean_ms": ms}
    execution = run(queued(rate=2 * capacity, queue={}, worker=size), until_s=5)
    before = metric(execution, "queue", "acknowledged")
    execution.advance(20 * SECOND)
    assert metric(execution, "queue", "acknowledged") - before == pytest.approx(15 * capacity, rel=0.005)
    assert metric(execution, "workers", "workers_busy") == instances * workers


def test_depth_grows_by_what_comes_less_what_can_be_done() -> None:
    # The fluid limit: 300 a second come, 4 workers do 100 each in 10 ms, of one worker each: 200 a second pile up.
    drawing = queued(rate=300, queue={"prefetch": 1}, worker={"workers": 1, "work_mean_ms": 10})
    rate = 1 / (0.010 + 2 * 0.00025)
    for seconds in (5, 10, 20):
        depth = metric(run(drawing, until_s=seconds), "queue", "depth")
        assert depth == pytest.approx((300 - rate) * seconds, rel=0.01)
    execution = run(drawing)
    # The one whose turn is next came when as many had come as were done since: half an age behind the queue's growth.
    assert metric(execution, "queue", "oldest_age_s") == pytest.approx(20 * (1 - rate / 300), rel=0.01)


def test_littles_law_holds_for_messages_as_well() -> None:
    # M/M/1 with arrival 80/s and service 100/s has 4 in the system. Prefetch lets no worker wait for its next message.
    drawing = queued(
        rate=80,
        arrivals="poisson",
        queue={},
        worker={"workers": 1, "work_mean_ms": 10, "work_distribution": "exponential"},
        until_s=400,
    )
    found = runs(drawing, range(1, 9))
    assert_agrees([it.model.blocks["workers"].in_flight_integral() / it.now_ns for it in found], 4.0, narrow=0.12)


# ---- back-pressure


def flooded(when_full: str, *acts: tuple[float, Action]) -> Execution:
    """100 a second come, 10 a second are done, 50 may wait."""
    queue: dict[str, Scalar] = {"length_max": 50, "when_full": when_full, "prefetch": 1}
    return run(doing(queued(rate=100, queue=queue, worker={"workers": 1, "work_mean_ms": 99.5}), *acts))


def test_a_full_queue_turns_producers_away_by_name() -> None:
    execution = flooded("reject")
    rejected = metric(execution, "queue", "rejected")
    assert metric(execution, "queue", "depth") == 50
    assert execution.model.blocks["users"].failures_by_reason() == {"overloaded": rejected}
    assert metric(execution, "queue", "accepted") + rejected == pytest.approx(2000, abs=2)
    assert metric(execution, "queue", "acknowledged") == pytest.approx(200, abs=3)
    (noted,) = [it for it in execution.take_notables() if it.kind == "queue_full"][:1]
    assert "turned away" in noted.detail


def test_a_full_queue_can_let_producers_wait_until_there_is_room() -> None:
    execution = flooded("hold")
    have = figures(execution, "queue")
    assert have["rejected"] == 0 and have["depth"] == 50
    # Back-pressure: the producers' calls pile up instead, and are answered as fast as jobs are done.
    assert have["queue"] == pytest.approx(2000 - have["accepted"], abs=2)
    assert have["accepted"] == pytest.approx(have["acknowledged"] + 51)
    assert unaccounted(execution) == []


def test_a_full_queue_can_drop_its_oldest_messages_and_counts_them() -> None:
    execution = flooded("drop_oldest")
    have = figures(execution, "queue")
    assert execution.model.blocks["users"].failed == 0
    assert have["accepted"] == pytest.approx(2000, abs=2)
    assert have["dropped"] == have["accepted"] - have["acknowledged"] - 51
    # Only the last 50 are left, half a second old.
    assert have["oldest_age_s"] == pytest.approx(0.5, abs=0.02)
    assert unexplained(execution, "queue") == 0


def test_when_a_full_queue_is_to_turn_away_those_who_wait_are_answered_too() -> None:
    execution = flooded("hold", (15, set_param("queue", "when_full", "reject")))
    have = figures(execution, "queue")
    assert have["queue"] == 0
    # 1,300 waited at 15 s, and 90 a second of those that came later found no room.
    assert have["rejected"] == pytest.approx(2000 - have["accepted"], abs=2)
    assert have["accepted"] == have["acknowledged"] + 51


# ---- delivery


def test_the_oldest_message_is_delivered_first() -> None:
    drawing = queued(rate=200, queue={"prefetch": 1}, worker={"workers": 1, "work_mean_ms": 10, "instances": 1})
    execution = Execution(drawing, recorded=False)
    workers = execution.model.blocks["workers"]
    came, ages = 0, []
    while execution.now_ns < 5 * SECOND:
        oldest = metric(execution, "queue", "oldest_age_s")
        execution.step(1)
        if workers.offered > came:
            came = int(workers.offered)
            ages.append(oldest)
    assert len(ages) > 450
    # Messages wait ever longer, each as long as the queue has grown since: none was passed by.
    accepted = [number * 10.5e-3 - age for number, age in enumerate(ages)]
    assert accepted == sorted(accepted)


def test_a_message_that_comes_back_takes_the_place_that_its_age_gives_it() -> None:
    messages = Messages()
    entries = [messages.add(0, key, 0, 0, 0, 0) for key in range(6)]
    for entry in entries[:4]:
        messages.put_last(entry, WORKED_ON)
    for entry in entries[4:]:
        messages.put_last(entry, WAITING)
    for entry in (entries[2], entries[0], entries[3]):
        messages.take_out(entry)
        messages.put_by_age(entry, WAITING)
    found, entry = [], messages.head[WAITING]
    while entry >= 0:
        found.append(int(messages.key[entry]))
        entry = messages.after[entry]
    assert found == [0, 2, 3, 4, 5]
    assert [messages.count[place] for place in (WAITING, DELAYED, WORKED_ON, DEAD)] == [5, 0, 1, 0]


@pytest.mark.parametrize("prefetch", [1, 3, 16])
def test_no_instance_has_more_unanswered_deliveries_than_prefetch(prefetch: int) -> None:
    drawing = queued(rate=500, queue={"prefetch": prefetch}, worker={"instances": 4, "workers": 2, "work_mean_ms": 100})
    execution = run(drawing, until_s=5)
    assert metric(execution, "queue", "unacknowledged") == 4 * prefetch
    # One message less than workers leaves a worker idle.
    assert metric(execution, "workers", "workers_busy") <= 4 * min(prefetch, 2)


# ---- at least once


def slow(visibility_s: float, **queue: Scalar) -> Execution:
    """Ten jobs a second of which each takes half a second, and workers enough."""
    changed: dict[str, Scalar] = {"visibility_timeout_s": visibility_s, "prefetch": 100, **queue}
    return run(queued(rate=10, queue=changed, worker={"workers": 100, "work_mean_ms": 500}))


def test_a_job_that_takes_longer_than_the_visibility_timeout_is_done_more_than_once() -> None:
    execution = slow(0.3, deliveries_max=3)
    have = figures(execution, "queue")
    # Each is delivered three times, 300 ms apart, is done three times, and never in time.
    assert have["acknowledged"] == 0
    assert have["died"] == pytest.approx(10 * (20 - 0.9), abs=2)
    assert have["delivered"] == pytest.approx(10 * (20 + 19.7 + 19.4), abs=3)
    assert have["redelivered"] == pytest.approx(10 * (19.7 + 19.4), abs=3)
    assert have["late"] == metric(execution, "workers", "done") == pytest.approx(10 * (19.5 + 19.2 + 18.9), abs=3)
    assert unexplained(execution, "queue") == 0


def test_a_job_within_the_visibility_timeout_is_done_once() -> None:
    execution = slow(0.6)
    have = figures(execution, "queue")
    assert have["redelivered"] == have["ran_out"] == have["late"] == 0
    assert have["acknowledged"] == metric(execution, "workers", "done") == pytest.approx(195, abs=2)


def test_a_message_whose_delivery_is_lost_is_delivered_again_after_the_visibility_timeout() -> None:
    drawing = queued(
        rate=10,
        queue={"visibility_timeout_s": 2, "prefetch": 100, "deliveries_max": None},
        worker={"workers": 10, "work_mean_ms": 10},
    )
    lossy = doing(
        drawing,
        (5, fault("queue--workers", "partition", duration_s=3.0)),
    )
    execution = run(lossy, until_s=7.9)
    lost = metric(execution, "queue--workers", "lost")
    assert lost >= 20
    execution.advance(11 * SECOND)
    have = figures(execution, "queue")
    # All that got lost was delivered again, and nothing is missing.
    assert have["accepted"] - have["acknowledged"] <= 2
    assert have["redelivered"] == have["ran_out"] >= lost


def test_workers_that_die_with_jobs_in_them_lose_none() -> None:
    drawing = queued(rate=50, queue={}, worker={"instances": 2, "workers": 5, "work_mean_ms": 100}, until_s=60)
    crashes = [(second, fault("workers", "crash", instance=0, restart_after_s=2.0)) for second in (5.03, 15.03, 25.03)]
    execution = run(doing(drawing, *crashes), until_s=45)
    have = figures(execution, "queue")
    assert have["redelivered"] >= 3
    assert have["died"] == have["lost"] == 0
    assert have["accepted"] - have["acknowledged"] <= 8
    # Nothing is delivered to one that is away; each of its deaths cost the messages in it one delivery.
    assert have["delivered"] - have["acknowledged"] - have["unacknowledged"] < 60


def test_while_all_workers_are_away_messages_wait_without_being_tried_in_vain() -> None:
    drawing = queued(rate=100, queue={"redelivery_delay_ms": 0}, worker={"workers": 10, "work_mean_ms": 10})
    execution = run(doing(drawing, (5, fault("workers", "crash", restart_after_s=5.0))), until_s=9.9)
    have = figures(execution, "queue")
    assert have["depth"] == pytest.approx(490, abs=3)
    # One delivery that found it dead, and those that it died with.
    assert have["delivered"] <= have["acknowledged"] + 5
    execution.advance(11 * SECOND + 1)
    assert metric(execution, "queue", "depth") < 490
    execution.advance(13 * SECOND)
    have = figures(execution, "queue")
    assert have["depth"] == 0 and have["died"] == 0
