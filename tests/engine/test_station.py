"""Workers behind one queue: first come, first served; nothing lost; the time integrals are Little's law by the sample path."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.engine.outcomes import OK, OVERLOADED
from playground.engine.simulation import Simulation
from playground.engine.station import FULL, QUEUED, STARTED, Station
from tests.engine.parts import MS, SECOND, Sender, Worker, add, drain, fingerprint, run, wire


def station(workers: int, queue_max: int = -1, instances: int = 1) -> tuple[Simulation, Station]:
    simulation = Simulation(1)
    return simulation, Station(simulation, instances, workers, queue_max)


STEPS = st.lists(
    st.tuples(st.sampled_from(["offer", "release", "leave"]), st.integers(0, 1), st.integers(0, 5)),
    min_size=50,
    max_size=200,
)


@given(STEPS, st.integers(0, 3), st.integers(-1, 4))
def test_it_is_one_list_and_one_count_per_instance(
    steps: list[tuple[str, int, int]], workers: int, queue_max: int
) -> None:
    # A model in plain lists; time passes between steps, and both integrals are summed up beside.
    simulation, made = station(workers, queue_max, instances=2)
    queues: list[list[int]] = [[], []]
    busy = [0, 0]
    busy_area = waiting_area = waited = 0
    queued_at = {}
    for what, instance, gap in steps:
        simulation.now += gap
        busy_area += gap * sum(busy)
        waiting_area += gap * (len(queues[0]) + len(queues[1]))
        if what == "offer":
            call = simulation.calls.take()
            if busy[instance] < workers:
                expected, busy[instance] = STARTED, busy[instance] + 1
            elif 0 <= queue_max <= len(queues[instance]):
                expected = FULL
            else:
                expected, queued_at[call] = QUEUED, simulation.now
                queues[instance].append(call)
            assert made.offer(call, instance) == expected
        elif what == "release" and busy[instance] > 0:
            made.release(instance)
            following = made.pull(instance)
            assert following == (queues[instance].pop(0) if queues[instance] else -1)
            waited += simulation.now - queued_at[following] if following >= 0 else 0
            busy[instance] -= following < 0
        elif what == "leave" and queues[instance]:
            made.remove(queues[instance].pop(len(queues[instance]) // 2), instance)
        assert list(made.busy) == busy
        assert list(made.waiting) == [len(queue) for queue in queues]
        assert (made.busy_all, made.waiting_all) == (sum(busy), len(queues[0]) + len(queues[1]))
        assert (made.busy_integral(), made.waiting_integral()) == (busy_area, waiting_area)
        assert made.waited_ns == waited


def test_a_crashed_instance_forgets_its_own_and_no_others() -> None:
    simulation, made = station(1, instances=2)
    for instance in (0, 0, 1, 1):
        made.offer(simulation.calls.take(), instance)
    made.clear(0)
    assert (list(made.busy), list(made.waiting)) == ([0, 1], [0, 1])
    assert made.pull(0) == -1
    made.release(1)
    assert made.pull(1) >= 0


def test_more_workers_take_the_calls_that_wait() -> None:
    simulation, made = station(1)
    for _ in range(4):
        made.offer(simulation.calls.take(), 0)
    made.resize(1, 3, -1)
    assert [made.pull(0) >= 0 for _ in range(3)] == [True, True, False]
    assert (made.busy_all, made.waiting_all) == (3, 1)


def test_utilisation_is_averaged_over_the_workers_that_there_were() -> None:
    simulation, made = station(1)
    made.offer(simulation.calls.take(), 0)
    simulation.now = 1 * SECOND
    made.resize(1, 3, -1)
    simulation.now = 2 * SECOND
    assert made.utilisation() == pytest.approx(2 / 4)


def queue(seed: int, workers: int, queue_max: int, gap_ns: int, count: int) -> tuple[Simulation, Sender, Worker]:
    """Poisson arrivals at exponential servers (mean 1 ms), run until empty."""
    simulation = Simulation(seed)
    client = add(simulation, Sender, "client")
    server = add(simulation, Worker, "server", mean_ns=1 * MS)
    server.size(1, workers, queue_max)
    wire(client, server)
    client.send_every(gap_ns, count)
    return simulation, client, server


@settings(max_examples=20)
@given(st.integers(0, 1 << 30), st.integers(1, 4), st.sampled_from([-1, 0, 5]))
def test_little_s_law_holds_to_the_nanosecond_on_every_path(seed: int, workers: int, queue_max: int) -> None:
    # L = lambda W (Little 1961) is an identity once the system has emptied: the integral is the sum of the times.
    simulation, client, server = queue(seed, workers, queue_max, 300_000, 200)
    drain(simulation)
    assert server.area == server.residence
    assert server.station.waiting_integral() == server.station.waited_ns
    assert server.residence == server.station.waiting_integral() + server.station.busy_integral()
    assert client.outcomes.count(OK) + client.outcomes.count(OVERLOADED) == 200


def test_calls_start_in_the_order_of_their_arrival() -> None:
    simulation, client, server = queue(3, 1, -1, 500_000, 500)
    drain(simulation)
    assert [number for _, _, number in client.answers] == list(range(500))
    assert server.station.waits > 100


def test_a_full_queue_loses_what_the_formula_for_m_m_1_k_says() -> None:
    # K = 5 places (1 worker, 4 waiting), rho = 0.8: loss (1 - rho) rho^K / (1 - rho^(K + 1)).
    rho, places, count = 0.8, 5, 30_000
    simulation, client, _ = queue(5, 1, places - 1, round(1 * MS / rho), count)
    drain(simulation)
    expected = (1 - rho) * rho**places / (1 - rho ** (places + 1))
    lost = client.outcomes.count(OVERLOADED) / count
    # Losses come in clusters: their variance is a few times the binomial one.
    assert lost == pytest.approx(expected, abs=4 * math.sqrt(3 * expected / count))


def test_ten_servers_at_an_offered_load_of_six_make_one_in_ten_wait() -> None:
    # Erlang C: P(wait) = 0.1013.
    count = 30_000
    simulation, _, server = queue(6, 10, -1, round(1 * MS / 6), count)
    drain(simulation)
    assert server.station.waits / count == pytest.approx(0.1013, abs=4 * math.sqrt(4 * 0.1013 / count))


def test_reading_figures_changes_nothing() -> None:
    simulation, _, server = queue(7, 2, -1, 600_000, 200)
    run(simulation, 50 * MS)
    before = fingerprint(simulation)
    for _ in range(3):
        server.station.utilisation()
        server.station.busy_integral()
        server.station.waiting_integral()
        server.common_metrics()
        server.health()
        server.failures_by_reason()
        server.histogram.percentile(0.99)
        server.histogram.mean()
        simulation.edges[0].metrics()
        simulation.trace_hash()
    assert fingerprint(simulation) == before
