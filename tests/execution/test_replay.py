"""The law of replay: a run follows from engine version, design, seed and interventions. Not from the process, its hash
seed, whether the engine is compiled, the order in a file, names and places, the speed, or who looked on."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import Any

import pytest

from playground.execution import Execution
from playground.native import ENGINE_VARIABLE, PROJECT
from playground.protocol.design import Scenario, design_hash, parse_scenario
from tests.execution.variants import (
    EVERY,
    QUICK,
    digest,
    digest_of,
    digests,
    finished,
    outcome,
    replayed,
    short_scenarios,
)
from tests.sketch import block, figures, quick_or_slow, scenario

# Packages that are installed beside ours bring a `tests` of their own.
PROGRAM = """
import json, sys, types
ours = types.ModuleType("tests")
ours.__path__ = ["tests"]
sys.modules["tests"] = ours
from playground import native
from tests.execution.variants import digests
print(json.dumps({"mode": native.mode(), "digests": digests(*map(int, sys.argv[1:]))}))
"""
HERE = os.environ.get(ENGINE_VARIABLE) or "auto"
"""Compiled where a build fits the sources. A machine without a compiler compares interpreted runs."""


def in_a_process(engine: str, hash_seed: str, *part: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, part)],
        env={**os.environ, ENGINE_VARIABLE: engine, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(PROJECT)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


PARTS = 4
HEAVY = ("template catalogue", "template stampede")


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_interpreted_in_another_process_every_scenario_gives_the_same_run(part: int) -> None:
    there = in_a_process("interpreted", "0", part, PARTS)
    assert there["mode"] == "interpreted"
    names = list(replayed())[part::PARTS]
    assert there["digests"] == {name: digest_of(name) for name in names}


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["1", "random"])
def test_another_process_with_another_hash_seed_gives_the_same_run(hash_seed: str) -> None:
    assert in_a_process(HERE, hash_seed)["digests"] == digests()


@pytest.mark.slow
def test_every_scenario_and_every_seed_is_a_run_of_its_own() -> None:
    found = [value.split()[0] for value in digests().values()]
    assert len(set(found)) == len(found)
    drawing = short_scenarios()["example cache"]
    hashes = {finished(drawing.model_copy(update={"seed": seed})).results()["trace_hash"] for seed in range(5)}
    assert len(hashes) == 5


# ---- how it was got there


@pytest.mark.parametrize("name", quick_or_slow((it for it in replayed() if it not in HEAVY), QUICK))
def test_slices_pauses_seeks_and_speeds_change_nothing(name: str) -> None:
    chance = random.Random(name)
    execution = Execution(replayed()[name])
    until = execution.until_ns
    for _ in range(100):
        # A pause is where a slice ends: at a virtual time, or between any two events.
        if chance.random() < 0.5:
            execution.advance(chance.randrange(until), chance.choice([1, 7, 300, 20_000]))
        else:
            execution.step(chance.choice([1, 2, 50, 1_000]))
        execution.set_speed(chance.choice([0.01, 1.0, 1000.0]))
        if chance.random() < 0.3:
            execution.seek(chance.randrange(until))
        if chance.random() < 0.2:
            execution.frame()
            execution.results()
    execution.advance(until)
    assert digest(execution) == digest_of(name)


@EVERY
def test_a_run_that_nobody_records_is_the_same_run(name: str) -> None:
    drawing = short_scenarios()[name]
    bare = Execution(drawing, recorded=False)
    bare.advance(bare.until_ns)
    assert bare.results()["trace_hash"] == digest_of(name).split()[0]
    recorded = finished(drawing).results()
    for row in recorded["theory"]:
        # How sure a mean is can be told from the record alone.
        row.pop("ci", None)
    assert {**bare.results(), "wall_seconds": 0} == {**recorded, "wall_seconds": 0}


def test_a_run_begun_again_from_its_start_is_the_same_run() -> None:
    drawing = short_scenarios()["example app_server"]
    execution = finished(drawing)
    execution.reset()
    assert execution.now_ns == 0 and execution.log == []
    execution.advance(execution.until_ns)
    assert digest(execution) == digest(finished(drawing))
    execution.reset(seed=99)
    execution.advance(execution.until_ns)
    assert digest(execution) == digest(finished(drawing.model_copy(update={"seed": 99})))


# ---- how it was written down


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same JSON with the keys of every object in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    if isinstance(value, list):
        return [shuffled(item, chance) for item in value]
    return value


def rewritten(drawing: Scenario, seed: int) -> Scenario:
    """The same scenario from a file in another order, under another name, its blocks in other places."""
    chance = random.Random(seed)
    data = shuffled(json.loads(drawing.model_dump_json(by_alias=True)), chance)
    design = data["design"]
    chance.shuffle(design["blocks"])
    chance.shuffle(design["edges"])
    for it in design["blocks"]:
        it["position"] = {"x": chance.uniform(-1e4, 1e4), "y": chance.uniform(-1e4, 1e4)}
    design["name"], design["description"] = "Another name", "Another description"
    return parse_scenario(json.loads(json.dumps(data)))


@EVERY
@pytest.mark.parametrize("seed", [1, 2])
def test_order_keys_and_places_change_nothing(name: str, seed: int) -> None:
    drawing = short_scenarios()[name]
    other = rewritten(drawing, seed)
    assert other.design.blocks != drawing.design.blocks
    assert design_hash(other.design) == design_hash(drawing.design)
    assert digest(finished(other)) == digest_of(name)


@EVERY
def test_labels_change_nothing_but_what_sentences_call_the_blocks(name: str) -> None:
    drawing = short_scenarios()[name]
    blocks = [it.model_copy(update={"label": f"renamed {it.id}"}) for it in drawing.design.blocks]
    renamed = drawing.model_copy(update={"design": drawing.design.model_copy(update={"blocks": blocks})})
    found, known = outcome(finished(renamed)), outcome(finished(drawing))
    for part in ("results", "blocks", "edges", "totals", "history"):
        assert found[part] == known[part]
    moments = [[(at_ns, kind, target) for at_ns, kind, _, target, *_ in part["notables"]] for part in (found, known)]
    assert moments[0] == moments[1]


def test_a_parameter_at_its_default_is_the_same_given_or_left_out() -> None:
    drawing = short_scenarios()["example load_balancer"]
    blocks = [it.model_copy(update={"params": {"tries": 1, **it.params}}) if it.kind == "load_balancer" else it
              for it in drawing.design.blocks]  # fmt: skip
    given = drawing.model_copy(update={"design": drawing.design.model_copy(update={"blocks": blocks})})
    assert finished(given).results()["trace_hash"] == finished(drawing).results()["trace_hash"]


def test_a_block_that_is_not_connected_changes_nothing_elsewhere() -> None:
    # Every block has random streams of its own, so that two designs can be compared under common random numbers.
    drawing = short_scenarios()["example cache"]
    data = json.loads(drawing.model_dump_json(by_alias=True))
    # First by id, in the middle and last.
    data["design"]["blocks"] += [block("aaa", "cache"), block("m", "app_server"), block("zzz", "client")]
    with_more, without = finished(parse_scenario(data)), finished(drawing)
    for it in drawing.design.blocks:
        assert figures(with_more, it.id) == figures(without, it.id)
        assert with_more.detail(it.id) == without.detail(it.id)
    assert outcome(with_more)["edges"] == outcome(without)["edges"]
    # What stands there costs something, whether it is used or not.
    priced = ("cost", "cost_per_hour")
    more, fewer = (
        {name: value for name, value in it.results()["totals"].items() if name not in priced}
        for it in (with_more, without)
    )
    assert more == fewer
    assert with_more.history(0)["columns"]["p99_ms"] == without.history(0)["columns"]["p99_ms"]


def test_a_second_system_beside_the_first_changes_nothing_in_it() -> None:
    def system(tag: str) -> tuple[list[Any], list[Any]]:
        blocks = [block(f"{tag}users", "client", rate_per_s=200), block(f"{tag}app", "app_server", workers=3)]
        ends = {"from": {"block": f"{tag}users", "port": "out"}, "to": {"block": f"{tag}app", "port": "in"}}
        return blocks, [{"id": f"{tag}wire", **ends, "params": {"latency_distribution": "exponential"}}]

    blocks, edges = system("m")
    alone = finished(scenario(blocks, edges, until_s=5))
    for tag in ("a", "z"):
        more_blocks, more_edges = system(tag)
        both = finished(scenario(blocks + more_blocks, edges + more_edges, until_s=5))
        assert figures(both, "mapp") == figures(alone, "mapp")
        assert figures(both, "musers") == figures(alone, "musers")
