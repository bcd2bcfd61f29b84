"""``manage.py bench``: one command for three benchmarks, which print for themselves."""

from __future__ import annotations

import json
import sys
from types import ModuleType

import pytest

from tests.commands.shell import inside


@pytest.mark.parametrize("what", ["engine", "stream", "canvas"])
def test_each_benchmark_is_run_and_prints_for_itself(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    stand_in = ModuleType(what)
    stand_in.run = lambda as_json: sys.stdout.write(json.dumps({what: as_json}))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, f"playground.bench.{what}", stand_in)
    assert inside("bench", what, "--json").json == {what: True}
    assert inside("bench", what).json == {what: False}


def test_an_unknown_benchmark_is_refused() -> None:
    done = inside("bench", "speed")
    assert done.code == 2 and "speed" in done.err and "engine" in done.err


def test_a_benchmark_that_cannot_be_taken_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(as_json: bool) -> None:
        raise RuntimeError("the server did not start")

    stand_in = ModuleType("stream")
    stand_in.run = fail  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "playground.bench.stream", stand_in)
    done = inside("bench", "stream")
    assert (done.code, done.out, done.err) == (1, "", "bench: bench stream: the server did not start\n")


def test_a_benchmark_that_needs_more_packages_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "playground.bench.canvas", raising=False)
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    done = inside("bench", "canvas")
    assert done.code == 1 and "playwright" in done.err and "requirements-dev.txt" in done.err
