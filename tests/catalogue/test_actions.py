"""Actions on a running design: each is checked against the drawing that runs then, and says what it makes of it."""

from __future__ import annotations

import pytest

from playground.actions import after, check_action, check_log
from playground.blocks.registry import kinds
from playground.catalogue import catalogue
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Action, EditDesign
from playground.protocol.errors import InputError
from tests.sketch import at, clear, example, fault, set_param

DESIGN = example("app_server").design

TAKEN: list[Action] = [
    set_param("db", "pool", 1),
    set_param("db", "queue_max", None),
    set_param("users-shop", "timeout_ms", None),
    fault("db", "crash"),
    fault("db", "crash", restart_after_s=None),
    fault("shop", "crash", instance=1, restart_after_s=5),
    fault("users-shop", "partition"),
    fault("cache", "expire_key", key=9),
    fault("users", "spike", factor=0.5, duration_s=None),
    clear("users"),
    clear("shop-db"),
    EditDesign(design=DESIGN),
]

# action, code, block, parameter, value, a part of what is accepted
REFUSED: list[tuple[Action, str, str | None, str | None, str, str]] = [
    (set_param("nobody", "pool", 1), "unknown_target", None, None, "nobody", "a block or an edge"),
    (set_param("db", "pools", 1), "unknown_parameter", "db", "pools", "1", "pool"),
    (set_param("db", "pool", 0), "parameter", "db", "pool", "0", "from 1 to 1000000"),
    (set_param("db", "pool", 1.5), "parameter", "db", "pool", "1.5", "whole number"),
    (set_param("db", "pool", True), "parameter", "db", "pool", "True", "whole number"),
    (set_param("db", "region", "moon"), "parameter", "db", "region", "moon", "us, eu, asia, sa, au, or null"),
    (set_param("shop-db", "retries", -1), "parameter", None, "retries", "-1", "from 0 to 10"),
    (fault("nobody", "crash"), "unknown_target", None, None, "nobody", "a block or an edge"),
    (fault("db", "flush"), "unknown_fault", "db", None, "flush", "crash, slow_down, pause, refuse"),
    (fault("users", "crash"), "unknown_fault", "users", None, "crash", "spike, pause"),
    (fault("shop-db", "crash"), "unknown_fault", None, None, "crash", "latency, loss, partition"),
    (fault("db", "slow_down", factor=0), "parameter", "db", "factor", "0", "from 0.001"),
    (fault("db", "pause", duration_s=-1), "parameter", "db", "duration_s", "-1", "or null (off)"),
    (fault("db", "pause", seconds=1), "unknown_parameter", "db", "seconds", "1", "duration_s"),
    (fault("shop", "crash", instance=2), "parameter", "shop", "instance", "2", "0 to 1, or null"),
    (fault("db", "crash", instance=1), "parameter", "db", "instance", "1", "0 to 0, or null"),
    (fault("shop", "crash", instance=-1), "parameter", "shop", "instance", "-1", "from 0"),
    (clear("nobody"), "unknown_target", None, None, "nobody", "a block or an edge"),
]


def name_of(action: Action) -> str:
    return action.model_dump_json()[:70].replace("/", " ")


@pytest.mark.parametrize("action", TAKEN, ids=[name_of(it) for it in TAKEN])
def test_an_action_that_fits_the_drawing_is_taken(action: Action) -> None:
    check_action(DESIGN, action)


@pytest.mark.parametrize(
    ("action", "code", "block", "parameter", "value", "accepted"), REFUSED, ids=[name_of(it[0]) for it in REFUSED]
)
def test_an_action_that_does_not_fit_is_refused_by_name(
    action: Action, code: str, block: str | None, parameter: str | None, value: str, accepted: str
) -> None:
    with pytest.raises(InputError) as refused:
        check_action(DESIGN, action)
    (problem,) = refused.value.problems
    assert (problem.code, problem.block, problem.parameter, problem.value) == (code, block, parameter, value)
    assert problem.accepted and accepted in problem.accepted
    for word in (block, parameter, value if code != "unknown_parameter" else None):
        assert word is None or word in problem.message
    assert problem.where


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_fault_is_not_done_by_a_number_that_is_none(value: float) -> None:
    action = fault("db", "slow_down", factor=2.0)
    action.params["factor"] = value
    with pytest.raises(InputError, match="is not a finite number"):
        check_action(DESIGN, action)


def test_a_drawing_that_can_not_run_is_no_edit() -> None:
    gone = DESIGN.model_copy(update={"blocks": [it for it in DESIGN.blocks if it.id != "db"]})
    with pytest.raises(InputError, match="doesn't exist"):
        check_action(DESIGN, EditDesign(design=gone))


def test_an_action_is_checked_against_what_earlier_ones_made_of_the_drawing() -> None:
    fewer = set_param("shop", "instances", 1)
    check_log(DESIGN, [at(1, fault("shop", "crash", instance=1)), at(2, fewer)])
    with pytest.raises(InputError, match=r"interventions\[1\]: .*no instance 1"):
        check_log(DESIGN, [at(1, fewer), at(2, fault("shop", "crash", instance=1))])
    check_log(DESIGN, [at(1, set_param("shop", "instances", 5)), at(2, fault("shop", "crash", instance=4))])


@pytest.mark.parametrize(("target", "value"), [("db", 7), ("users-shop", 7)])
def test_a_changed_parameter_is_part_of_the_drawing_afterwards(target: str, value: Scalar) -> None:
    name = "pool" if target == "db" else "retries"
    changed = after(DESIGN, set_param(target, name, value))
    found = next(it for it in [*changed.blocks, *changed.edges] if it.id == target)
    assert found.params[name] == value
    assert next(it for it in [*DESIGN.blocks, *DESIGN.edges] if it.id == target).params.get(name) != value
    assert after(DESIGN, fault("db", "crash")) == after(DESIGN, clear("db")) == DESIGN


def test_the_catalogue_lists_every_kind_in_the_order_of_the_palette() -> None:
    assert [spec.kind for spec in catalogue().blocks] == list(kinds())
    assert [spec.order for spec in catalogue().blocks] == sorted(spec.order for spec in catalogue().blocks)
    assert catalogue().outcomes[0] == "ok"
    assert catalogue().limits["calls_in_flight"] == 1 << 21
