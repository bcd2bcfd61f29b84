"""Storms over clusters, and over shards that are clusters: no run dies or falls silent, every call ends, nothing is lost untold.

A storm that fails says how it can be pasted: ``through_a_cluster(seed, [...])`` runs it again, and runs what is left of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from playground.execution import Execution
from playground.protocol.design import Scenario
from tests.execution.variants import digest
from tests.laws.storms import (
    Asker,
    Storm,
    a_cluster,
    act,
    asked,
    at_database,
    at_router,
    calm,
    moments,
    pass_time,
    some_shards,
    stores,
    weather,
)
from tests.laws.test_buying import ENDS
from tests.sketch import SECOND, figures, infinite, metric, quick_or_slow, unaccounted

SEEDS = 40
AT_ONCE = 10


@contextmanager
def pasteable(call: str, seed: int, storm: Storm) -> Iterator[None]:
    """Whatever goes wrong says which storm it was."""
    try:
        yield
    except Exception as wrong:
        raise AssertionError(f"{wrong!r} in {call}({seed}, {list(storm)!r})") from wrong


def a_storm(chance: random.Random, shards: bool) -> Storm:
    until_s = chance.choice([8.0, 15.0])
    found = []
    for at in moments(chance, until_s):
        number = chance.randint(1, 4)
        if not shards:
            op = at_database(chance, "db", chance.randint(1, 5))
        elif chance.random() < 0.5:
            op = at_database(chance, f"shard-{number:03}", chance.randint(1, 4))
        else:
            op = at_router(chance, number)
        found.append((at, op))
    return found


def drawn(seed: int, shards: bool) -> tuple[random.Random, Scenario]:
    chance = random.Random(seed)
    return chance, (some_shards if shards else a_cluster)(chance, seed)


def assert_all_ended(execution: Execution, askers: list[Asker]) -> None:
    """Nobody waits any more, and each write that was acknowledged was given a version of its own."""
    assert unaccounted(execution) == [] and infinite(execution) == []
    for asker in askers:
        assert asker.open == {}, "somebody was never answered"
    for name, it in execution.model.blocks.items():
        assert it.in_flight == 0, name
    told = [pair for asker in askers for pair in asker.told.elements()]
    assert len(told) == len(set(told)), "a version names one write"
    for db in stores(execution):
        found = figures(execution, db.name)
        assert found["purchases"] == sum(found[name] for name in ENDS) + db.not_there, db.name
        assert sum(int(it) for it in db.stale.causes) == db.stale.total
        assert db.leader >= 0, db.name
        for node in db.nodes[: db.instances]:
            assert node.applied == db.log.end and node.fork is None, (db.name, node.number)


def behind(askers: list[Asker], version_of: Callable[[int], int]) -> int:
    """Rows of which a version was acknowledged that is above the present one."""
    newest: dict[int, int] = {}
    for key, version in {pair for asker in askers for pair in asker.told}:
        newest[key] = max(newest.get(key, 0), version)
    return sum(abs(version_of(key)) < version for key, version in newest.items())


def through_a_cluster(seed: int, given: Storm | None = None) -> None:
    chance, drawing = drawn(seed, shards=False)
    storm = given if given is not None else a_storm(chance, shards=False)
    with pasteable("through_a_cluster", seed, storm):
        execution = Execution(drawing, recorded=False)
        askers = asked(execution, "db", seed % 2 == 0)
        weather(execution, storm)
        calm(execution, "db", askers)
        assert_all_ended(execution, askers)
        (db,) = stores(execution)
        assert behind(askers, db.row_version) <= db.lost.total, "what is lost is told"
        for asker in askers:
            assert set(asker.late) == {"ok"}, asker.late


def through_shards(seed: int, given: Storm | None = None) -> None:
    chance, drawing = drawn(seed, shards=True)
    storm = given if given is not None else a_storm(chance, shards=True)
    with pasteable("through_shards", seed, storm):
        execution = Execution(drawing, recorded=False)
        askers = asked(execution, "router", seed % 2 == 0)
        weather(execution, storm)
        for number in range(1, 5):
            # Who was cut off is connected again.
            act(execution, ("draw", number, 1))
        calm(execution, "router", askers)
        assert_all_ended(execution, askers)
        router = execution.model.blocks["router"]
        if sum(router.shards.takes) > 0:
            assert metric(execution, "router", "buckets_left") == 0
        lost = sum(db.lost.total for db in stores(execution))
        assert behind(askers, router.row_version) <= lost, "what is lost is told"
        for asker in askers:
            assert set(asker.late) == {"ok"}, asker.late


@pytest.mark.parametrize("first", quick_or_slow(range(0, SEEDS, AT_ONCE), []))
@pytest.mark.parametrize("through", [through_a_cluster, through_shards])
def test_after_any_storm_all_are_answered_and_what_is_lost_is_told(through: Callable[[int], None], first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        through(seed)


@pytest.mark.parametrize("shards", [False, True])
def test_one_storm_of_each_sort(shards: bool) -> None:
    (through_shards if shards else through_a_cluster)(3)


@pytest.mark.parametrize("shards", [False, True])
@pytest.mark.parametrize("seed", quick_or_slow(range(5), [1]))
def test_a_storm_is_the_same_when_it_is_gone_back_into_replayed_or_branched_off(seed: int, shards: bool) -> None:
    chance, drawing = drawn(seed, shards)
    storm = a_storm(chance, shards)
    with pasteable("the same", seed, storm):
        drawing = drawing.model_copy(update={"until_s": 8.0})
        execution = Execution(drawing)
        for at, op in storm:
            if at < 8.0:
                pass_time(execution, round(at * SECOND))
                act(execution, op)
        execution.advance(execution.until_ns)
        first = digest(execution)
        again = Execution(drawing.model_copy(update={"interventions": list(execution.log)}))
        again.advance(again.until_ns)
        assert digest(again) == first
        back = chance.randrange(execution.until_ns)
        execution.seek(back)
        execution.advance(execution.until_ns)
        assert digest(execution) == first
        op = at_database(chance, "shard-001" if shards else "db", 3)
        for run in (execution, again):
            run.seek(back)
            run.advance(back)
            act(run, op)
            run.advance(run.until_ns)
        assert digest(execution) == digest(again)
