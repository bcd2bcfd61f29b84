"""Parameters of every block and edge: what is accepted runs, what is not is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from playground.blocks.registry import kinds
from playground.catalogue import check_design
from playground.execution import Execution
from playground.parameters import accepted_by
from playground.protocol.catalogue import Param, Scalar
from playground.protocol.design import Scenario
from playground.protocol.errors import InputError, Problem
from tests.blocks.conftest import params_declared
from tests.sketch import SECOND, example, infinite, unaccounted, with_params

EVENTS = 4_000
PARAMS = list(params_declared())
EVERY_PARAM = pytest.mark.parametrize(
    ("owner", "param"), [pytest.param(owner, param, id=f"{owner} {param.name}") for owner, param in PARAMS]
)


def valid(param: Param) -> list[Scalar]:
    """The values at the edges of what a parameter takes."""
    values: list[Scalar] = [None] if param.nullable else []
    if param.kind == "boolean":
        return [*values, True, False]
    if param.kind == "choice":
        return [*values, *(choice.value for choice in param.choices)]
    if param.kind == "text":
        return [*values, param.default]
    assert param.minimum is not None and param.maximum is not None
    bounds = [param.minimum, param.maximum]
    return [*values, *([int(it) for it in bounds] if param.kind == "integer" else bounds)]


def invalid(param: Param) -> list[Scalar]:
    """Values just outside, and of the wrong type."""
    values: list[Scalar] = [] if param.nullable else [None]
    if param.kind == "boolean":
        return [*values, 1, "true", 0.5]
    if param.kind == "choice":
        return [*values, "no such choice", "", 1, True]
    if param.kind == "text":
        return [*values, 1, True]
    assert param.minimum is not None and param.maximum is not None
    nan, infinity = float("nan"), float("inf")
    wrong: list[Scalar] = [True, "12", "", nan, infinity, -infinity, 10**400, -(10**400)]
    if param.kind == "integer":
        return [*values, *wrong, int(param.minimum) - 1, int(param.maximum) + 1, param.minimum + 0.5]
    return [*values, *wrong, param.minimum - max(1e-9, abs(param.minimum) * 1e-9), param.maximum * (1 + 1e-9)]


def drawn(owner: str, name: str, value: Scalar) -> Scenario:
    """The example of a kind, all its blocks of that kind (or an example's edges) with one parameter changed."""
    if owner == "edge":
        return with_params(example("app_server"), lambda thing: hasattr(thing, "to"), **{name: value})
    return with_params(example(owner), lambda thing: getattr(thing, "kind", "") == owner, **{name: value})


def first_owner(drawing: Scenario, owner: str) -> Any:
    if owner == "edge":
        return drawing.design.edges[0]
    return next(it for it in drawing.design.blocks if it.kind == owner)


def problems_of(drawing: Scenario) -> list[Problem]:
    with pytest.raises(InputError) as refused:
        check_design(drawing.design)
    return refused.value.problems


def unkept(drawing: Scenario) -> list[Problem]:
    """The relations between parameters, and the connections that a parameter's value needs, that this drawing doesn't keep."""
    try:
        check_design(drawing.design)
    except InputError as refused:
        return [problem for problem in refused.problems if problem.code in ("rule", "missing_edge")]
    return []


@EVERY_PARAM
def test_every_value_at_the_edge_of_what_a_parameter_takes_runs(owner: str, param: Param) -> None:
    for value in valid(param):
        drawing = drawn(owner, param.name, value)
        if broken := unkept(drawing):
            # Fine by itself, and not beside the other parameters of the example: refused, and it says so.
            assert all(param.name in problem.message for problem in broken)
            continue
        execution = Execution(drawing, recorded=False)
        execution.advance(SECOND // 10, EVENTS)
        assert execution.stopped is None
        assert unaccounted(execution) == [], f"{param.name} = {value!r}"
        assert infinite(execution) == [], f"{param.name} = {value!r}"
        execution.results()


@EVERY_PARAM
def test_a_value_that_a_parameter_does_not_take_is_refused_with_all_that_is_needed_to_mend_it(
    owner: str, param: Param
) -> None:
    for value in invalid(param):
        drawing = drawn(owner, param.name, value)
        target = first_owner(drawing, owner).id
        problem = problems_of(drawing)[0]
        assert problem.code == "parameter", f"{value!r}: {problem}"
        assert problem.parameter == param.name
        assert problem.accepted == accepted_by(param)
        assert problem.value is not None and problem.value in problem.message
        assert target in problem.message and target in problem.where
        assert problem.block == (None if owner == "edge" else target)
        assert param.name in problem.message and accepted_by(param) in problem.message


@pytest.mark.parametrize("owner", [*kinds(), "edge"])
def test_an_unknown_parameter_is_refused_and_the_nearest_one_is_named(owner: str) -> None:
    declared = [param.name for kind, param in PARAMS if kind == owner]
    for name in declared[:3]:
        problem = problems_of(drawn(owner, name + "x", 1))[0]
        assert problem.code == "unknown_parameter"
        assert problem.parameter == name + "x"
        assert problem.accepted is not None and name in problem.accepted
        assert f"{name}x" in problem.message


@EVERY_PARAM
def test_what_is_accepted_is_said_in_words_with_bounds_and_unit(owner: str, param: Param) -> None:
    words = accepted_by(param)
    if param.minimum is not None and param.maximum is not None:
        assert f"from {param.minimum:.15g} to {param.maximum:.15g}" in words
        assert param.unit in words
    for choice in param.choices:
        assert choice.value in words
    assert ("null" in words) == param.nullable
