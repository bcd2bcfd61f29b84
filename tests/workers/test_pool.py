"""Engine processes die, hang, run out of room; the runs on them go on as if nothing had been."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from playground import native
from playground.protocol.design import SCENARIO, Scenario, parse_interventions
from playground.protocol.errors import InputError
from playground.workers import limits
from tests.workers.conftest import MakePool

SECOND = 1_000_000_000


def slowdown(scenario: Scenario) -> dict[str, Any]:
    """An intervention that changes the trace: the client's rate doubles."""
    client = next(block for block in scenario.design.blocks if block.kind == "client")
    return {"type": "fault", "target": client.id, "fault": "spike", "params": {}}


async def test_run_whose_worker_is_killed_ends_with_the_same_trace(make_pool: MakePool, scenario: Scenario) -> None:
    own = [{"at_ns": 6 * SECOND, "actor": SCENARIO, "action": slowdown(scenario)}]
    scenario = scenario.model_copy(update={"interventions": parse_interventions(own)})
    pool = await make_pool(2)
    hashes = []
    for run, killed in (("calm", False), ("killed", True)):
        await pool.pool.create(run, scenario, play=False)
        assert (await pool.ask(run, type="step", ns=2 * SECOND))["type"] == "accepted"
        await pool.state(run, lambda state: state["now_ns"] >= 2 * SECOND)
        assert (await pool.ask(run, type="act", action=slowdown(scenario)))["type"] == "accepted"
        if killed:
            since, worker = len(pool.events), pool.pool.runs[run].worker
            assert worker is not None and worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            await pool.until(
                lambda event: event["ev"] == "happened" and event["event"]["what"] == "restored", since=since
            )
            assert pool.pool.runs[run].worker is not worker
        hashes.append(await pool.run_to_its_end(run))
        log = pool.pool.runs[run].scenario["interventions"]
        assert [(entry["actor"], entry["at_ns"]) for entry in log] == [("owner", 2 * SECOND), (SCENARIO, 6 * SECOND)]
    assert hashes[0] == hashes[1]


async def test_what_a_scenario_does_to_a_block_that_is_out_for_a_while_survives_its_worker(
    make_pool: MakePool, scenario: Scenario
) -> None:
    own = [{"at_ns": 6 * SECOND, "actor": SCENARIO, "action": slowdown(scenario)}]
    target = own[0]["action"]["target"]
    scenario = scenario.model_copy(update={"interventions": parse_interventions(own)})
    whole = scenario.design.model_dump(mode="json", by_alias=True)
    # Other users for a while.
    without = json.loads(json.dumps(whole).replace(f'"{target}"', '"others"'))
    pool = await make_pool(2)
    hashes = []
    for run, killed in (("calm", False), ("killed", True)):
        await pool.pool.create(run, scenario, play=False)
        assert (await pool.ask(run, type="act", action={"type": "edit", "design": without}))["type"] == "accepted"
        log = pool.pool.runs[run].scenario["interventions"]
        assert [entry["actor"] for entry in log] == ["owner"], "its client is not there, so it doesn't fit"
        if killed:
            since, worker = len(pool.events), pool.pool.runs[run].worker
            assert worker is not None and worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            await pool.until(
                lambda event: event["ev"] == "happened" and event["event"]["what"] == "restored", since=since
            )
        assert (await pool.ask(run, type="act", action={"type": "edit", "design": whole}))["type"] == "accepted"
        log = pool.pool.runs[run].scenario["interventions"]
        assert [entry["actor"] for entry in log] == ["owner", "owner", SCENARIO]
        hashes.append(await pool.run_to_its_end(run))
    assert hashes[0] == hashes[1]


async def test_run_begun_again_keeps_what_its_scenario_does(make_pool: MakePool, scenario: Scenario) -> None:
    own = [{"at_ns": 6 * SECOND, "actor": SCENARIO, "action": slowdown(scenario)}]
    pool = await make_pool(1)
    await pool.pool.create("run", scenario.model_copy(update={"interventions": parse_interventions(own)}), play=False)
    first = await pool.run_to_its_end("run")
    await pool.ask("run", type="seek", at_ns=SECOND)
    assert (await pool.ask("run", type="act", action=slowdown(scenario)))["type"] == "accepted"
    assert await pool.run_to_its_end("run") != first
    await pool.ask("run", type="reset", seed=None)
    log = pool.pool.runs["run"].scenario["interventions"]
    assert [(entry["actor"], entry["at_ns"]) for entry in log] == [(SCENARIO, 6 * SECOND)]
    assert await pool.run_to_its_end("run") == first


async def test_restored_run_stands_where_it_stood_with_its_future_still_reachable(
    make_pool: MakePool, scenario: Scenario
) -> None:
    pool = await make_pool(1)
    await pool.pool.create("run", scenario, play=False)
    await pool.ask("run", type="step", ns=4 * SECOND)
    await pool.state("run", lambda state: state["now_ns"] >= 4 * SECOND)
    since = len(pool.events)
    await pool.ask("run", type="seek", at_ns=1 * SECOND)
    await pool.state("run", lambda state: state["now_ns"] == 1 * SECOND, since=since)
    since, worker = len(pool.events), pool.pool.runs["run"].worker
    assert worker is not None and worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    await pool.until(lambda event: event["ev"] == "happened" and event["event"]["what"] == "restored", since=since)
    state = await pool.state("run", lambda state: state["now_ns"] == 1 * SECOND, since=since)
    assert state["furthest_ns"] == 4 * SECOND and not state["playing"]


async def test_speed_pauses_seeks_and_viewers_never_touch_the_trace(make_pool: MakePool, scenario: Scenario) -> None:
    pool = await make_pool(2)
    for run in ("straight", "disturbed"):
        await pool.pool.create(run, scenario, play=False)
    pool.pool.watch("disturbed", 3)
    for index in range(20):
        await pool.ask("disturbed", type="speed", factor=[0.5, 7.0, 100.0][index % 3])
        await pool.ask("disturbed", type="play")
        await pool.ask("disturbed", type="pause")
        await pool.ask("disturbed", type="step", events=1 + 37 * index)
        await pool.ask("disturbed", type="seek", at_ns=index * 1000)
    assert await pool.run_to_its_end("disturbed") == await pool.run_to_its_end("straight")


async def test_two_runs_on_one_worker_know_nothing_of_each_other(make_pool: MakePool, scenario: Scenario) -> None:
    pool = await make_pool(1)
    other = scenario.model_copy(update={"seed": scenario.seed + 1})
    for run, each in (("first", scenario), ("second", other), ("third", scenario)):
        await pool.pool.create(run, each, play=True)
    await pool.ask("second", type="act", action=slowdown(scenario))
    first, second, third = [await pool.run_to_its_end(run) for run in ("first", "second", "third")]
    assert first == third != second


async def test_run_that_raises_ends_by_name_and_its_neighbour_goes_on(make_pool: MakePool, scenario: Scenario) -> None:
    raising = """
advance = paced.Execution.advance
def raise_for_one(self, *arguments):
    if self.design.name == "cursed":
        raise RuntimeError("a block went wrong")
    return advance(self, *arguments)
paced.Execution.advance = raise_for_one"""
    pool = await make_pool(1, raising)
    cursed = scenario.model_copy(update={"design": scenario.design.model_copy(update={"name": "cursed"})})
    await pool.pool.create("cursed", cursed, play=True)
    await pool.pool.create("sound", scenario, play=False)
    state = await pool.state("cursed", lambda state: state["stopped"])
    assert state["stopped"]["reason"] == "engine_error" and "a block went wrong" in state["stopped"]["detail"]
    assert (await pool.ask("cursed", type="play"))["problems"][0]["code"] == "stopped"
    assert await pool.run_to_its_end("sound")


async def test_run_that_takes_too_much_memory_ends_by_name_and_its_neighbour_goes_on(
    make_pool: MakePool, scenario: Scenario
) -> None:
    hoarding = """
limits.RUN_MEMORY_BYTES_MAX = 64 * 1024 * 1024
advance, hoard = paced.Execution.advance, []
def hoard_for_one(self, *arguments):
    if self.design.name == "greedy":
        hoard.append(bytearray(8 * 1024 * 1024))
    return advance(self, *arguments)
paced.Execution.advance = hoard_for_one"""
    pool = await make_pool(1, hoarding)
    greedy = scenario.model_copy(update={"design": scenario.design.model_copy(update={"name": "greedy"})})
    await pool.pool.create("greedy", greedy, play=True)
    await pool.pool.create("modest", scenario, play=False)
    ended = await pool.until(lambda event: event["ev"] == "ended")
    assert ended["run"] == "greedy" and ended["reason"].startswith("memory")
    assert await pool.run_to_its_end("modest")


async def test_run_that_kills_its_worker_each_time_is_ended_by_name(make_pool: MakePool, scenario: Scenario) -> None:
    pool = await make_pool(1, "paced.PacedRun.slice = lambda *_: __import__('os')._exit(1)")
    await pool.pool.create("deadly", scenario, play=True)
    ended = await pool.until(lambda event: event["ev"] == "ended")
    assert f"died {limits.RUN_DEATHS_MAX} times" in ended["reason"]


async def test_worker_that_hangs_is_killed_and_its_run_brought_back(
    make_pool: MakePool, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = await make_pool(1)
    await pool.pool.create("run", scenario, play=False)
    worker = pool.pool.runs["run"].worker
    assert worker is not None and worker.pid is not None
    monkeypatch.setattr(limits, "WORKER_SILENT_S_MAX", 3.0)
    os.kill(worker.pid, signal.SIGSTOP)
    await pool.until(lambda event: event["ev"] == "happened" and event["event"]["what"] == "restored")
    assert await pool.run_to_its_end("run")


async def test_full_workers_refuse_a_run_by_name(
    make_pool: MakePool, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RUNS_PER_WORKER_MAX", 2)
    pool = await make_pool(2)
    for index in range(4):
        await pool.pool.create(f"run{index}", scenario, play=False)
    with pytest.raises(InputError) as refused:
        await pool.pool.create("one too many", scenario, play=False)
    assert refused.value.problems[0].code == "server_full"
    pool.pool.end("run0")
    await pool.pool.create("after one has ended", scenario, play=False)


async def test_runs_are_spread_over_the_workers(make_pool: MakePool, scenario: Scenario) -> None:
    pool = await make_pool(2)
    for index in range(4):
        await pool.pool.create(f"run{index}", scenario, play=False)
    carried = [placement.worker for placement in pool.pool.runs.values()]
    assert sorted(carried.count(worker) for worker in pool.pool.workers) == [2, 2]


@pytest.fixture
def engine_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Path, str]:
    """A file whose creation makes every worker started from then on report a compiled engine, and how workers look at it.

    The engine's two forms are equal but for their speed, so which one really runs doesn't matter here.
    """
    built = tmp_path / "built"
    status = native.status()
    monkeypatch.setattr(native, "status", lambda: {**status, "mode": "compiled" if built.exists() else "interpreted"})
    report = f"import os; mode = 'compiled' if os.path.exists({str(built)!r}) else 'interpreted'"
    return built, f"{report}\nworker.native.mode = lambda: mode"


async def test_runs_move_to_a_compiled_engine_as_soon_as_there_is_one(
    make_pool: MakePool, scenario: Scenario, engine_built: tuple[Path, str]
) -> None:
    built, report = engine_built
    pool = await make_pool(1, report)
    await pool.pool.create("run", scenario, play=False)
    await pool.ask("run", type="step", ns=2 * SECOND)
    await pool.state("run", lambda state: state["now_ns"] >= 2 * SECOND)
    since = len(pool.events)
    built.touch()
    created = await pool.until(lambda event: event["ev"] == "created", since=since)
    assert created["state"]["engine"] == "compiled" and created["state"]["now_ns"] == 2 * SECOND
    await pool.until(lambda event: event["ev"] == "happened" and event["event"]["what"] == "restored", since=since)
    await pool.pool.create("undisturbed", scenario, play=False)
    assert await pool.run_to_its_end("run") == await pool.run_to_its_end("undisturbed")
    assert [worker.engine for worker in pool.pool.workers] == ["compiled"]


async def test_run_plays_on_and_takes_interventions_while_it_moves(
    make_pool: MakePool, scenario: Scenario, engine_built: tuple[Path, str]
) -> None:
    built, report = engine_built
    pool = await make_pool(1, report)
    long = scenario.model_copy(update={"until_s": 600.0})
    await pool.pool.create("run", long, play=True)
    await pool.reached("run", SECOND)
    old = pool.pool.runs["run"].worker
    built.touch()
    while pool.pool.runs["run"].worker is old:
        pool.pool.request("run", "viewer", "owner", {"type": "act", "action": slowdown(scenario), "ref": "a"})
        await pool.until(lambda event: event["ev"] in ("frame", "created"), since=len(pool.events))
    await pool.until(lambda event: event["ev"] == "happened" and event["event"]["what"] == "restored")
    interventions = len(pool.pool.runs["run"].scenario["interventions"])
    assert interventions > 0
    moved_at = pool.pool.runs["run"].now_ns
    await pool.reached("run", moved_at + SECOND // 2, since=len(pool.events))
    assert len(pool.pool.runs["run"].scenario["interventions"]) == interventions


async def test_closed_pool_leaves_no_process_behind(make_pool: MakePool, scenario: Scenario) -> None:
    pool = await make_pool(2)
    await pool.pool.create("run", scenario, play=True)
    pids = [worker.pid for worker in pool.pool.workers]
    await pool.pool.close()
    for pid in pids:
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
