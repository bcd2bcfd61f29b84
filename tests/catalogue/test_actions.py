"""Actions on a running design: each is checked against the drawing that runs then, and says what it makes of it."""

from __future__ import annotations

import re

import pytest

from playground.actions import after, check_action, check_log
from playground.blocks.registry import kinds
from playground.catalogue import catalogue, check_design
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Action, Design, Edge, EditDesign, SetParam
from playground.protocol.errors import InputError
from playground.templates_store import templates
from tests.sketch import at, clear, edge, example, fault, run, set_param

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

SCALED = after(after(DESIGN, set_param("shop", "autoscale", True)), set_param("shop", "instances_max", 6))

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


@pytest.mark.parametrize("name", ["crash", "pause", "drain", "deadlock"])
def test_a_fault_is_taken_for_each_instance_that_autoscaling_may_start(name: str) -> None:
    check_action(SCALED, fault("shop", name, instance=5))
    with pytest.raises(InputError, match="at most 6 instances, so there is no instance 6") as refused:
        check_action(SCALED, fault("shop", name, instance=6))
    assert refused.value.problems[0].accepted == "0 to 5, or null (all of them)"


@pytest.mark.parametrize("name", ["crash", "pause", "drain", "deadlock", "slow_down"])
def test_a_fault_of_an_instance_that_is_switched_off_is_refused_by_name(name: str) -> None:
    execution = run(example("app_server").model_copy(update={"design": SCALED}), until_s=1)
    with pytest.raises(InputError, match="instance 5 is switched off now, so nothing can happen to it") as refused:
        execution.act(fault("shop", name, instance=5), "test")
    (problem,) = refused.value.problems
    assert (problem.code, problem.block, problem.parameter, problem.value) == ("instance_off", "shop", "instance", "5")
    assert problem.accepted == "one that runs (0, 1), or null (all of them)"
    assert execution.log == []
    execution.act(fault("shop", name, instance=1), "test")


def test_a_recorded_fault_of_an_instance_that_is_off_by_then_says_so_and_does_nothing() -> None:
    drawing = example("app_server").model_copy(
        update={"design": SCALED, "interventions": [at(1, fault("shop", "crash", instance=5, restart_after_s=None))]}
    )
    execution = run(drawing, until_s=2)
    (missed,) = [it for it in execution.take_notables() if it.kind == "fault_missed"]
    assert (missed.target, missed.title) == ("shop", "Crash of shop 6 comes to nothing")
    assert missed.detail == "This instance is switched off now."
    assert list(execution.model.blocks["shop"].crashed) == [0] * 6


# Each fits by itself, and not beside what else is set, or connected, in the drawing.
DOES_NOT_GO_TOGETHER: list[tuple[SetParam, str, str]] = [
    (set_param("shop", "writes", "cache"), "rule", "write_policy = around"),
    (set_param("prices", "sessions", "store"), "missing_edge", "port 'Sessions' needs a connection"),
    (set_param("prices", "writes", "queue"), "missing_edge", "port 'Queue' needs a connection"),
    (set_param("cache", "mode", "read_through"), "missing_edge", "port 'Store' needs a connection"),
    (set_param("cache", "write_policy", "behind"), "missing_edge", "port 'Store' or 'Queue' needs a connection"),
    (set_param("cache", "ttl_s", 0.5), "rule", "soft_ttl_s = 1 has to be at most ttl_s = 0.5"),
]


@pytest.mark.parametrize(
    ("action", "code", "words"),
    DOES_NOT_GO_TOGETHER,
    ids=[f"{it[0].target} {it[0].param}" for it in DOES_NOT_GO_TOGETHER],
)
def test_a_parameter_is_refused_while_it_runs_as_it_is_in_a_drawing(action: SetParam, code: str, words: str) -> None:
    with pytest.raises(InputError) as in_a_drawing:
        check_design(after(DESIGN, action))
    with pytest.raises(InputError) as running:
        check_action(DESIGN, action)
    assert running.value.problems == in_a_drawing.value.problems
    (problem,) = running.value.problems
    assert problem.code == code and words in problem.message and problem.accepted
    execution = Execution(example("app_server"), recorded=False)
    with pytest.raises(InputError, match=re.escape(problem.message)):
        execution.act(action, "test")
    assert execution.design == DESIGN and execution.log == []


def test_an_ignored_ttl_is_refused_while_it_runs_where_the_ttl_is_longer() -> None:
    # One that ignores the TTL for a tenth of its resolvers, for the 3600 s that is usual.
    drawing = example("gslb").design
    (dns,) = [it.id for it in drawing.blocks if it.kind == "gslb"]
    check_action(drawing, set_param(dns, "ttl_s", 3600))
    for action in (set_param(dns, "ttl_s", 3601), set_param(dns, "ignored_ttl_s", 1)):
        with pytest.raises(InputError, match="has to be at most ignored_ttl_s"):
            check_action(drawing, action)
    check_action(after(drawing, set_param(dns, "ignore_ttl_percent", 0)), set_param(dns, "ttl_s", 3601))


def test_probes_that_are_switched_on_while_it_runs_are_held_against_their_period() -> None:
    drawing = example("load_balancer").design
    for param, value in (("probes", False), ("probe_period_s", 5), ("startup_period_s", 10)):
        drawing = after(drawing, set_param("lb", param, value))
    action = set_param("lb", "probe_timeout_s", 10)
    check_action(drawing, action)
    with pytest.raises(InputError, match="probe_timeout_s = 10 has to be at most probe_period_s"):
        check_action(after(drawing, action), set_param("lb", "probes", True))


def through(*actions: SetParam) -> Design:
    """The drawing with a store behind the cache, after these."""
    wire = Edge.model_validate(edge("cache", "db", "store"))
    design = DESIGN.model_copy(update={"edges": [*DESIGN.edges, wire]})
    for action in actions:
        design = after(design, action)
    return design


def test_the_callee_of_a_need_is_held_against_its_callers() -> None:
    write_through, to_cache = set_param("cache", "write_policy", "through"), set_param("shop", "writes", "cache")
    check_action(through(), write_through)
    check_action(through(write_through), to_cache)
    with pytest.raises(InputError, match=r"'shop'.*write_policy = through or behind at block 'cache'"):
        check_action(through(write_through, to_cache), set_param("cache", "write_policy", "around"))


def test_what_only_goes_together_is_set_by_one_edit_in_any_order() -> None:
    pair = (set_param("shop", "writes", "cache"), set_param("cache", "write_policy", "through"))
    with pytest.raises(InputError):
        check_action(through(), pair[0])
    for actions in (pair, pair[::-1]):
        check_action(through(), EditDesign(design=through(*actions)))
    with pytest.raises(InputError, match="write_policy = around"):
        check_action(through(), EditDesign(design=through(pair[0])))


def test_edges_are_held_against_one_another_while_it_runs() -> None:
    drawing = example("load_balancer").design
    (first, *others) = [it.id for it in drawing.edges if it.from_.block == "lb"]
    for name in others:
        drawing = after(drawing, set_param(name, "weight", 0))
    with pytest.raises(InputError, match="have weight 0"):
        check_action(drawing, set_param(first, "weight", 0))


def test_every_fix_of_a_template_can_be_turned_on_and_off() -> None:
    turned = 0
    for template in templates().values():
        design = template.scenario.design
        for fix in design.switches:
            for settings in (fix.on, fix.off, fix.on):
                changed = design
                for setting in settings:
                    changed = after(changed, set_param(setting.target, setting.param, setting.value))
                check_action(design, EditDesign(design=changed))
                design = changed
                turned += 1
    assert turned >= 24


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
