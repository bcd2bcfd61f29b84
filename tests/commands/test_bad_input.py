"""Whatever is wrong with what was given: it is named, quickly, without a traceback, with exit code 2."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands.shell import inside, shell
from tests.commands.sketches import block, edge, small, written

QUICK_S = 10.0
Change = Callable[[dict[str, Any]], Any]


def text(old: str, new: str) -> Change:
    """The design's JSON with ``old`` replaced, for what no JSON writer would write."""

    def change(design: dict[str, Any]) -> str:
        written_out = json.dumps(design)
        assert old in written_out
        return written_out.replace(old, new, 1)

    return change


def params(name: str, **changed: Any) -> Change:
    """The design with other parameters of a block or an edge."""

    def change(design: dict[str, Any]) -> dict[str, Any]:
        thing = next(thing for thing in design["blocks"] + design["edges"] if thing["id"] == name)
        thing["params"].update(changed)
        return design

    return change


def plus(*, blocks: list[Any] | None = None, edges: list[Any] | None = None) -> Change:
    """The design with more in it."""

    def change(design: dict[str, Any]) -> dict[str, Any]:
        design["blocks"] += blocks or []
        design["edges"] += edges or []
        return design

    return change


def without_client(design: dict[str, Any]) -> dict[str, Any]:
    design["blocks"] = [it for it in design["blocks"] if it["kind"] != "client"]
    design["edges"] = [it for it in design["edges"] if it["id"] != "in"]
    return design


def many_edges(design: dict[str, Any]) -> str:
    edges = [edge(f"e{number}", "lb", "app.1") for number in range(100_000)]
    return json.dumps({**design, "edges": edges}, separators=(",", ":"))


DESIGNS: dict[str, tuple[Change, list[str]]] = {
    "NaN": (text('"rate_per_s": 60', '"rate_per_s": NaN'), ["blocks[users].params.rate_per_s", "NaN"]),
    "Infinity": (text('"rate_per_s": 60', '"rate_per_s": Infinity'), ["Infinity"]),
    "a number too large": (text('"rate_per_s": 60', '"rate_per_s": 1e999'), ["rate_per_s", "1e999"]),
    "a duplicate key": (text('"rate_per_s": 60', '"rate_per_s": 60, "rate_per_s": 61'), ["rate_per_s", "twice"]),
    "an unknown field": (text('"kind": "client"', '"kind": "client", "colour": "red"'), ["colour", "unknown field"]),
    "no JSON": (lambda design: "{blocks", ["not JSON", "line 1"]),
    "nothing": (lambda design: "", ["not JSON"]),
    "no object": (lambda design: [1, 2], ["scenario"]),
    "not UTF-8": (lambda design: b'{"name": "\xff"}', ["UTF-8"]),
    "a lone surrogate": (text('"Small"', '"\\ud800"'), ["name"]),
    "two blocks of one id": (plus(blocks=[block("db", "sql_database")]), ["'db'", "2 blocks"]),
    "two edges of one id": (plus(edges=[edge("db.1", "app.1", "db", "store")]), ["'db.1'", "2 edges"]),
    "a bad id": (plus(blocks=[block("a b", "client")]), ["a b"]),
    "a dangling edge": (plus(edges=[edge("loose", "lb", "nobody")]), ["'loose'", "nobody"]),
    "a self-loop": (plus(edges=[edge("self", "lb", "lb")]), ["'self'", "'lb'", "itself"]),
    "balancers in a circle": (
        plus(blocks=[block("lb2", "load_balancer")], edges=[edge("go", "lb", "lb2"), edge("back", "lb2", "lb")]),
        ["round without end", "lb → lb2 → lb"],
    ),
    "no client": (without_client, ["no client"]),
    "no blocks": (lambda design: {"blocks": [], "edges": []}, ["no client"]),
    "an unknown kind": (plus(blocks=[block("x", "app_servr")]), ["'x'", "app_servr", "app_server"]),
    "an unknown parameter": (params("db", pol=3), ["'db'", "'pol'", "'pool'"]),
    "an unknown port": (plus(edges=[edge("odd", "lb", "app.1", "sideways")]), ["'odd'", "sideways", "out"]),
    "ports that don't fit": (plus(edges=[edge("odd", "lb", "db")]), ["'odd'", "http", "sql"]),
    "a rate of zero": (params("users", rate_per_s=0), ["'users'", "rate_per_s = 0", "from 0.001 to 10000000"]),
    "a negative rate": (params("users", rate_per_s=-1), ["'users'", "rate_per_s = -1", "from 0.001"]),
    "a rate of 1e12": (params("users", rate_per_s=1e12), ["'users'", "rate_per_s", "to 10000000"]),
    "a latency below a nanosecond": (params("in", latency_mean_ms=1e-7), ["'in'", "latency_mean_ms = 1e-07", "1e-06"]),
    "half a worker": (params("app.1", workers=1.5), ["'app.1'", "workers = 1.5", "whole number"]),
    "a text for a number": (params("app.1", workers="many"), ["'app.1'", "workers = 'many'", "number"]),
    "100,000 edges": (many_edges, ["at most", "bytes"]),
    "200,000 brackets": (lambda design: "[" * 200_000, ["nests deeper", "32"]),
    "a label of 10 MB": (text('"Small"', '"' + "x" * 10_000_000 + '"'), ["at most", "4194304 bytes"]),
    "a long label": (text('"Small"', '"' + "x" * 1000 + '"'), ["name", "200"]),
    "an objective of nobody": (
        lambda design: {**design, "slo": [{"metric": "p99_ms", "block": "ghost", "at_most": 1}]},
        ["slo[0]", "ghost"],
    ),
}

OPTIONS: dict[str, tuple[list[str], list[str]]] = {
    "until 0": (["--until", "0"], ["until: 0", "to 604800 s"]),
    "until negative": (["--until=-1"], ["until: -1"]),
    "until NaN": (["--until", "nan"], ["until: nan"]),
    "until infinite": (["--until", "inf"], ["until: inf"]),
    "until beyond the horizon": (["--until", "604801"], ["until: 604801", "604800"]),
    "until no number": (["--until", "soon"], ["until: soon"]),
    "half a seed": (["--seed", "1.5"], ["seed: 1.5", "a whole number from 0"]),
    "a negative seed": (["--seed=-1"], ["seed: -1"]),
    "no replications": (["--replications", "0"], ["replications: 0", "from 1 to 1000"]),
    "seeds beyond the last": (["--seed", str(2**53), "--replications", "2"], ["replication 2"]),
    "no value": (["--set", "db.pool"], ["db.pool", "<parameter>=<value>"]),
    "an unknown target": (["--set", "dbb.pool=3"], ["'dbb'", "db"]),
    "no parameter": (["--set", "db=3"], ["'db'", "names no parameter"]),
    "an unknown parameter": (["--set", "db.pol=3"], ["'db'", "'pol'", "pool"]),
    "an unknown parameter of an edge": (["--set", "lb.1.lag=3"], ["'lb.1'", "'lag'"]),
    "a value out of bounds": (["--set", "app.1.workers=0"], ["'app.1'", "workers = 0", "from 1"]),
    "off where it can't be": (["--set", "app.1.workers=off"], ["'app.1'", "workers", "off"]),
    "an unknown choice": (["--set", "lb.algorithm=best"], ["'lb'", "algorithm = best", "round_robin"]),
    "a list": (["--set", "db.pool=[3]"], ["'db'", "pool = '[3]'", "number"]),
    "NaN": (["--set", "db.pool=NaN"], ["'db'", "pool = 'NaN'"]),
    "an unknown option": (["--unitl", "3"], ["--unitl"]),
}

LOGS: dict[str, tuple[Any, list[str]]] = {
    "no list": ({}, ["list"]),
    "no time": ([{"action": {"type": "clear_faults", "target": "db"}}], ["interventions[0]", "at_ns"]),
    "an unknown target": (
        [{"at_ns": 1, "action": {"type": "clear_faults", "target": "ghost"}}],
        ["interventions[0]", "ghost"],
    ),
    "an unknown fault": (
        [{"at_ns": 1, "action": {"type": "fault", "target": "db", "fault": "flood", "params": {}}}],
        ["interventions[0]", "'db'", "flood", "crash"],
    ),
    "an unknown action": ([{"at_ns": 1, "action": {"type": "dance"}}], ["interventions[0]", "dance"]),
}


def refused(words: list[str | Path], named: list[str], stdin: bytes = b"") -> None:
    """Said in words and as JSON, with exit code 2, nothing on stdout, and soon."""
    began = time.monotonic()
    said = inside("simulate", *words, stdin=stdin)
    as_json = inside("simulate", *words, "--json", stdin=stdin)
    assert time.monotonic() - began < QUICK_S
    for done in (said, as_json):
        assert done.code == 2, done
        assert done.out == ""
        assert "Traceback" not in done.err
    assert all(line.startswith("simulate: ") for line in said.err.splitlines()), said.err
    assert [word for word in named if word not in said.err] == [], said.err
    told = " ".join(f"{it['message']} {it['accepted']}" for it in as_json.problems)
    assert [word for word in named if word not in told] == [], told


@pytest.mark.parametrize("case", DESIGNS)
def test_a_bad_design_is_refused_by_name(tmp_path: Path, case: str) -> None:
    change, named = DESIGNS[case]
    refused([written(tmp_path / "bad.json", change(copy.deepcopy(small())))], named)


@pytest.mark.parametrize("case", OPTIONS)
def test_a_bad_option_is_refused_by_name(tmp_path: Path, case: str) -> None:
    words, named = OPTIONS[case]
    refused([written(tmp_path / "small.json", small()), *words], named)


@pytest.mark.parametrize("case", LOGS)
def test_a_bad_intervention_log_is_refused_by_name(tmp_path: Path, case: str) -> None:
    log, named = LOGS[case]
    path = written(tmp_path / "small.json", small())
    refused([path, "--intervene", written(tmp_path / "log.json", log)], named)


def test_a_missing_file_a_folder_and_an_endless_one_are_refused(tmp_path: Path) -> None:
    refused([tmp_path / "gone.json"], ["gone.json", "No such file", "template:NAME"])
    refused([tmp_path], [tmp_path.name, "directory"])
    refused([tmp_path / ("x" * 5000)], ["can't be read"])
    refused(["nul\0"], ["can't be read"])
    refused(["/dev/zero"], ["/dev/zero", "bytes"])
    refused(["-"], ["not JSON"])


def test_a_template_that_is_not_there_is_refused_with_those_that_are() -> None:
    refused(["template:mm9"], ["'mm9'", "mm1", "catalogue"])


def test_no_design_at_all_is_refused() -> None:
    refused([], ["design"])


def test_all_problems_of_a_design_are_said_at_once(tmp_path: Path) -> None:
    design = small()
    design["blocks"][0]["params"]["rate_per_s"] = -1
    design["blocks"][4]["params"]["pol"] = 1
    done = inside("simulate", written(tmp_path / "bad.json", design), "--json")
    assert [(it["block"], it["parameter"]) for it in done.problems] == [("users", "rate_per_s"), ("db", "pol")]


@pytest.mark.parametrize("case", ["200,000 brackets", "a label of 10 MB", "balancers in a circle"])
def test_a_process_of_its_own_says_the_same(tmp_path: Path, case: str) -> None:
    change, named = DESIGNS[case]
    done = shell("simulate", written(tmp_path / "bad.json", change(small())))
    assert done.code == 2 and done.out == ""
    assert "Traceback" not in done.err and all(word in done.err for word in named)
