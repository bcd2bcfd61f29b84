"""The network on an edge: latency, bandwidth, loss, partitions, regions, and the faults that change them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from playground.engine.outcomes import CONNECTION_LOST, OK, REMOVED, TIMEOUT
from playground.engine.simulation import Simulation
from tests.engine.parts import MS, SECOND, US, Echo, Sender, Slow, add, drain, edge_params, inject, run, wire


def pair(**network: object) -> tuple[Simulation, Sender, Echo]:
    simulation = Simulation(4)
    sender = add(simulation, Sender, "client")
    echo = add(simulation, Echo, "server")
    wire(sender, echo, **network)
    return simulation, sender, echo


def test_latency_is_paid_each_way() -> None:
    simulation, sender, echo = pair(latency_mean_ms=0.25)
    sender.send()
    drain(simulation)
    assert echo.arrivals == [250 * US]
    assert sender.answers == [(500 * US, OK, 0)]


def test_random_latency_follows_its_law() -> None:
    simulation, sender, echo = pair(latency_distribution="exponential", latency_mean_ms=2.0)
    for _ in range(3000):
        sender.send()
    drain(simulation)
    assert stats.kstest(echo.arrivals, "expon", args=(0, 2 * MS)).pvalue > 0.001
    assert np.mean(sender.times) == pytest.approx(4 * MS, rel=0.08)


def test_two_kilobytes_take_16_ms_on_a_megabit_per_second() -> None:
    # 2,048 bytes x 8 bits / 10^6 bit/s = 16.384 ms.
    simulation, sender, echo = pair(bandwidth_mbit_per_s=1.0)
    sender.request_bytes = 2048
    sender.send()
    drain(simulation)
    assert echo.arrivals == [16_384 * US]


def test_messages_go_out_one_behind_the_other() -> None:
    simulation, sender, echo = pair(bandwidth_mbit_per_s=1.0, latency_mean_ms=5.0)
    sender.request_bytes = 2048
    for _ in range(4):
        sender.send()
    drain(simulation)
    assert echo.arrivals == [number * 16_384 * US + 5 * MS for number in (1, 2, 3, 4)]


def test_a_line_that_was_idle_is_free_at_once() -> None:
    simulation, sender, echo = pair(bandwidth_mbit_per_s=1.0)
    sender.request_bytes = 2048
    sender.send()
    run(simulation, SECOND)
    sender.send()
    drain(simulation)
    assert echo.arrivals == [16_384 * US, SECOND + 16_384 * US]


def test_the_two_directions_do_not_share_their_bandwidth() -> None:
    simulation, sender, echo = pair(bandwidth_mbit_per_s=1.0)
    sender.request_bytes, echo.reply_bytes = 2048, 2048
    for _ in range(3):
        sender.send()
    drain(simulation)
    assert sender.times == [number * 16_384 * US for number in (2, 3, 4)]


def test_bytes_are_counted_each_way() -> None:
    simulation, sender, echo = pair()
    sender.request_bytes, echo.reply_bytes = 300, 2000
    for _ in range(5):
        sender.send()
    drain(simulation)
    edge = simulation.edges[0]
    assert (edge.bytes_out, edge.bytes_back) == (1500, 10_000)


def test_loss_takes_its_share_of_messages_each_way() -> None:
    simulation, sender, echo = pair(loss_percent=10.0, timeout_ms=10.0)
    for _ in range(4000):
        sender.send()
    drain(simulation)
    assert stats.binomtest(4000 - echo.offered, 4000, 0.1).pvalue > 0.001
    answered = sender.outcomes.count(OK)
    assert stats.binomtest(answered, echo.offered, 0.9).pvalue > 0.001
    assert simulation.edges[0].lost == 4000 - answered == sender.outcomes.count(TIMEOUT)


def test_a_partition_stops_both_ways_and_heals() -> None:
    simulation, sender, echo = pair(timeout_ms=10.0)
    inject(simulation.edges[0], "partition", duration_s=1.0)
    sender.send()
    run(simulation, SECOND)
    assert sender.outcomes == [TIMEOUT]
    assert echo.offered == 0
    sender.send()
    drain(simulation)
    assert sender.outcomes == [TIMEOUT, OK]


def test_a_reply_is_lost_in_a_partition_that_began_after_the_call() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    slow = add(simulation, Slow, "server", service_ns=5 * MS)
    wire(sender, slow)
    sender.send()
    run(simulation, 1 * MS)
    inject(simulation.edges[0], "partition", duration_s=0.1)
    drain(simulation)
    assert slow.completed == 1
    assert sender.outcomes == [CONNECTION_LOST]


def test_overlapping_partitions_heal_when_the_last_one_ends() -> None:
    simulation, sender, _ = pair(timeout_ms=1.0)
    edge = simulation.edges[0]
    inject(edge, "partition", duration_s=1.0)
    inject(edge, "partition", duration_s=3.0)
    for second in range(5):
        run(simulation, second * SECOND + 500 * MS)
        sender.send()
    drain(simulation)
    assert sender.outcomes == [TIMEOUT, TIMEOUT, TIMEOUT, OK, OK]


def test_added_latency_adds_up_and_goes_away() -> None:
    simulation, sender, _ = pair(latency_mean_ms=1.0)
    edge = simulation.edges[0]
    inject(edge, "latency", add_ms=10.0, duration_s=1.0)
    inject(edge, "latency", add_ms=5.0, duration_s=2.0)
    for second in range(3):
        run(simulation, second * SECOND + 1)
        sender.send()
    drain(simulation)
    assert [time % SECOND - 1 for time in sender.times] == [32 * MS, 12 * MS, 2 * MS]


def test_added_loss_comes_on_top_and_goes_away() -> None:
    simulation, sender, echo = pair(loss_percent=0.0, timeout_ms=1.0)
    inject(simulation.edges[0], "loss", percent=100.0)
    sender.send()
    drain(simulation)
    simulation.edges[0].clear_faults()
    sender.send()
    drain(simulation)
    assert sender.outcomes == [TIMEOUT, OK]
    assert echo.offered == 1


def test_a_fault_that_was_cleared_does_not_end_twice() -> None:
    simulation, sender, _ = pair()
    edge = simulation.edges[0]
    inject(edge, "latency", add_ms=10.0, duration_s=1.0)
    edge.clear_faults()
    inject(edge, "latency", add_ms=3.0, duration_s=5.0)
    run(simulation, 2 * SECOND)
    sender.send()
    drain(simulation)
    assert sender.times == [2 * SECOND + 6 * MS]


def test_two_regions_are_half_their_round_trip_apart_each_way() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client", region="us")
    echo = add(simulation, Echo, "server", region="eu")
    wire(sender, echo, latency_mean_ms=1.0)
    sender.send()
    drain(simulation)
    assert echo.arrivals == [51 * MS]
    assert sender.times == [102 * MS]


def test_a_changed_latency_counts_from_the_next_message_on() -> None:
    simulation, sender, _ = pair(latency_mean_ms=1.0)
    sender.send()
    simulation.edges[0].configure(edge_params(latency_mean_ms=7.0))
    drain(simulation)
    assert sender.times == [8 * MS]


def test_a_deleted_edge_resets_the_calls_on_it() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    slow = add(simulation, Slow, "server", service_ns=5 * MS)
    edge = wire(sender, slow, latency_mean_ms=1.0, retries=3)
    sender.send()
    run(simulation, 3 * MS)
    edge.retire()
    drain(simulation)
    assert sender.answers == [(3 * MS, REMOVED, 0)]
    assert slow.done == [6 * MS]
    assert simulation.calls.in_use == 0
