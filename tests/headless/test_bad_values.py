"""A value that can't be is refused with the block and the parameter that it was given for, however it was given."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from playground.headless import InputError, simulate
from playground.protocol.errors import Problem


def drawing(value: Any) -> dict[str, Any]:
    return {
        "blocks": [
            {"id": "users", "kind": "client", "params": {"rate_per_s": value}},
            {"id": "app", "kind": "app_server"},
        ],
        "edges": [{"id": "e", "from": {"block": "users", "port": "out"}, "to": {"block": "app", "port": "in"}}],
    }


def refused(source: Any, **more: Any) -> Problem:
    with pytest.raises(InputError) as caught:
        simulate(source, until_s=1, **more)
    (problem,) = caught.value.problems
    return problem


def in_file(folder: Path, written: str) -> str:
    path = folder / "design.json"
    path.write_text(json.dumps(drawing("HERE")).replace('"HERE"', written))
    return str(path)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e999", "1e999"),
        ("9" * 30, "9" * 30),
        ('1, "rate_per_s": 2', "rate_per_s"),
    ],
)
def test_what_json_can_not_have_is_named_by_block_and_parameter(tmp_path: Path, written: str, value: str) -> None:
    problem = refused(in_file(tmp_path, written))
    assert (problem.block, problem.parameter, problem.value) == ("users", "rate_per_s", value)
    assert problem.where == "blocks[users].params.rate_per_s" and problem.accepted
    assert problem.message.startswith("blocks[users].params.rate_per_s: ")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_named_by_block_and_parameter(value: float) -> None:
    change = {"users.rate_per_s": value}
    for problem in (refused(drawing(value)), refused(drawing(1.0), changes=change)):
        assert (problem.block, problem.parameter, problem.value) == ("users", "rate_per_s", str(value))
        assert "is not a finite number; it takes a number from 0.001" in problem.message


@pytest.mark.parametrize("value", [[1], {"a": 1}])
def test_a_structure_in_the_place_of_a_value_is_one_problem(value: object) -> None:
    problem = refused(drawing(value))
    assert (problem.parameter, problem.value) == ("rate_per_s", str(value))
    assert problem.accepted == "a number, a text, true, false or null"


def test_a_number_written_as_text_is_shown_as_text() -> None:
    assert "rate_per_s = '5' is not a number" in refused(drawing("5")).message
