"""What a job carries on its way from a producer through the queue to a worker, and from there to store and cache."""

from __future__ import annotations

import pytest

from playground.blocks.registry import kinds
from playground.engine.block import Block
from playground.engine.calls import TOLD
from playground.engine.edge import Edge
from playground.engine.outcomes import (
    ABSENT,
    BUY,
    CACHE_DELETE,
    CACHE_SET,
    CREATE,
    DELETE,
    ERROR,
    LIST,
    OK,
    OVERLOADED,
    READ,
    REFRESH,
    UPSTREAM_TIMEOUT,
    WRITE,
)
from playground.engine.params import Params
from playground.engine.simulation import Simulation
from playground.parameters import filled
from playground.protocol.catalogue import Scalar
from tests.engine.parts import MS, SECOND, Sender, add, edge_params, run

NOTHING = (0, 0)


class Recorder(Block):
    """Answers after a millisecond, and writes down what came: operation, key, data, token and extra."""

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.outcome = OK
        self.answer_version = 7
        self.service_ns = MS
        self.came: list[tuple[int, int, int, tuple[int, int]]] = []

    def on_call(self, call: int) -> None:
        calls = self.calls
        told = (calls.token[call], calls.extra[call]) if calls.flags[call] & TOLD else NOTHING
        self.came.append((calls.operation[call], calls.key[call], calls.data[call], told))
        self.work(call, self.service_ns)

    def on_work(self, call: int) -> None:
        self.reply(call, self.outcome, self.answer_version, 0)


def real(simulation: Simulation, kind: str, name: str, **params: Scalar) -> Block:
    """A block of a kind of the catalogue."""
    found = kinds()[kind]
    block = add(simulation, found.behaviour, name)
    block.out = {port.name: [] for port in found.spec.ports if port.direction == "out"}
    block.configure(Params(dict(filled(found.spec.params, params))))
    return block


def connect(caller: Block, port: str, callee: Block, **policies: object) -> Edge:
    simulation = caller.simulation
    edge = Edge(simulation, len(simulation.edges), f"{caller.name} - {callee.name}", caller, callee)
    simulation.edges.append(edge)
    edge.configure(edge_params(**policies))
    caller.out.setdefault(port, []).append(edge)
    caller.wired()
    return edge


class Line:
    """A producer, a queue, a worker, and a store and a cache that write down what they are told."""

    def __init__(self, lacks: tuple[str, ...] = (), **worker: Scalar) -> None:
        self.simulation = Simulation(1)
        self.producer = add(self.simulation, Sender, "producer")
        often: dict[str, Scalar] = {"store_mean_ms": 0, "redelivery_delay_ms": 100, "deliveries_max": 3}
        self.queue = real(self.simulation, "queue", "queue", **often)
        self.worker = real(self.simulation, "worker", "worker", **{"work_mean_ms": 0, **worker})
        self.store = add(self.simulation, Recorder, "store")
        self.cache = add(self.simulation, Recorder, "cache")
        connect(self.producer, "out", self.queue)
        connect(self.queue, "workers", self.worker)
        if "store" not in lacks:
            connect(self.worker, "store", self.store, timeout_ms=50.0)
        if "cache" not in lacks:
            connect(self.worker, "cache", self.cache)

    def job(self, operation: int, told: tuple[int, int] | None = None, until: int = 50 * MS) -> None:
        """Publish a job on key 5 by user 3, and let it be done."""
        call = self.producer.out["out"][0].call(-1, operation, 5, 3, -1, 100, 0)
        if told is not None:
            self.producer.calls.tell(call, *told)
        run(self.simulation, self.simulation.now + until)


@pytest.mark.parametrize("operation", [WRITE, BUY, CREATE, DELETE])
def test_a_write_brings_the_version_that_was_promised_for_it_to_the_store(operation: int) -> None:
    line = Line()
    line.job(operation, told=(41, 0))
    assert line.store.came == [(operation, 5, 0, (41, 0))]
    assert line.producer.outcomes == [OK]


def test_a_write_without_a_promise_tells_the_store_nothing() -> None:
    line = Line()
    line.job(WRITE)
    assert line.store.came == [(WRITE, 5, 0, NOTHING)]


@pytest.mark.parametrize(
    ("after_write", "operation", "cache_told"),
    [
        ("invalidate", WRITE, [(CACHE_DELETE, 5, 7, NOTHING)]),
        ("update", WRITE, [(CACHE_SET, 5, 7, (0, MS))]),
        ("update", CREATE, [(CACHE_SET, 5, 7, (0, MS))]),
        # There is none any more that a cache could still have to write.
        ("update", DELETE, [(CACHE_DELETE, 5, ABSENT, NOTHING)]),
        ("nothing", WRITE, []),
    ],
)
def test_the_cache_is_told_of_a_write_once_the_store_has_it(
    after_write: str, operation: int, cache_told: list[object]
) -> None:
    line = Line(after_write=after_write)
    line.job(operation)
    assert line.cache.came == cache_told


@pytest.mark.parametrize("version", [7, ABSENT])
def test_a_refresh_reads_the_item_and_fills_the_cache_with_the_lock_that_it_carries(version: int) -> None:
    line = Line()
    line.store.answer_version, line.store.service_ns = version, 20 * MS
    line.job(REFRESH, told=(99, 0))
    assert line.store.came == [(READ, 5, 0, NOTHING)]
    # The token of the lock, and how long the read took.
    assert line.cache.came == [(CACHE_SET, 5, version, (99, 20 * MS))]
    assert line.queue.acknowledged == 1


@pytest.mark.parametrize("operation", [READ, LIST])
def test_any_other_job_is_work_alone(operation: int) -> None:
    line = Line(work_mean_ms=10, work_distribution="constant")
    line.job(operation)
    assert line.store.came == line.cache.came == []
    assert line.queue.acknowledged == 1


def test_a_job_is_done_when_all_of_it_is_and_comes_again_with_its_promise_otherwise() -> None:
    line = Line()
    line.cache.outcome = OVERLOADED
    line.job(WRITE, told=(41, 0))
    assert line.queue.acknowledged == 0
    line.cache.outcome = OK
    run(line.simulation, SECOND)
    # The second write promises no more than the first, so a store that has it already stays where it is.
    assert line.store.came == [(WRITE, 5, 0, (41, 0))] * 2
    assert line.queue.acknowledged == 1 and line.queue.redelivered == 1


def test_a_store_that_does_not_answer_in_time_fails_the_job_as_an_upstreams_timeout() -> None:
    line = Line()
    line.store.service_ns = SECOND
    line.job(WRITE, until=60 * MS)
    assert line.worker.failures[UPSTREAM_TIMEOUT] == 1
    assert line.queue.messages.count[1] == 1, "it waits out its delay"


def test_a_producer_is_answered_with_the_version_that_was_promised() -> None:
    line = Line()
    call = line.producer.out["out"][0].call(-1, WRITE, 5, 3, -1, 100, 0)
    line.producer.calls.tell(call, 41, 0)
    seen: list[int] = []
    line.producer.on_reply = lambda it: seen.append(line.producer.calls.version[it])  # type: ignore[method-assign]
    run(line.simulation, 10 * MS)
    assert seen == [41]


@pytest.mark.parametrize(
    ("operation", "lacks", "named"),
    [
        (WRITE, ("store",), "worker has no store"),
        (WRITE, ("store", "cache"), "worker has no store"),
        (REFRESH, ("store",), "worker has no store"),
        (REFRESH, ("cache",), "worker has no cache"),
        (REFRESH, ("store", "cache"), "worker has no store"),
    ],
)
def test_a_job_that_somebody_counts_on_fails_by_name_without_a_wire_and_becomes_a_dead_letter(
    operation: int, lacks: tuple[str, ...], named: str
) -> None:
    line = Line(lacks=lacks)
    line.job(operation, told=(41, 0), until=SECOND)
    assert line.store.came == line.cache.came == []
    assert line.worker.failures[ERROR] == line.worker.unable == 3
    assert line.worker.done == line.queue.acknowledged == 0
    assert line.queue.died == 1 and line.queue.messages.count[3] == 1
    assert [it[4] for it in line.simulation.notables if it[1] == "no_wire"] == [named]


@pytest.mark.parametrize("operation", [WRITE, BUY, CREATE, DELETE])
def test_a_clients_own_request_is_work_alone_without_a_store(operation: int) -> None:
    line = Line(lacks=("store", "cache"))
    line.job(operation)
    assert line.worker.done == line.queue.acknowledged == 1 and line.worker.unable == 0


def test_a_cache_that_is_cut_off_while_an_item_is_read_for_it_fails_the_refresh() -> None:
    line = Line()
    line.store.service_ns = 20 * MS
    line.job(REFRESH, told=(99, 0), until=10 * MS)
    line.worker.cache = None
    run(line.simulation, SECOND)
    assert line.worker.unable == 3 and line.queue.acknowledged == 0 and line.queue.died == 1
