"""Whatever is drawn: it is refused by name, or it builds and runs. Nothing else ever happens."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.blocks.registry import kinds
from playground.catalogue import catalogue, check_design
from playground.execution import Execution
from playground.protocol.catalogue import Param
from playground.protocol.design import Design, Scenario, parse_design, parse_scenario
from playground.protocol.errors import InputError
from tests.sketch import infinite, unaccounted

THOROUGH = settings(
    max_examples=120,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
EVENTS = 500
IDS = st.sampled_from(["a", "b", "c", "d", "e", "f"])
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=True), st.text(max_size=5), st.just(10**30)
)


def values(param: Param, junk: bool) -> st.SearchStrategy[Any]:
    """Values that a parameter takes, small ones where large ones only take long; with ``junk`` now and then another."""
    if param.kind == "boolean":
        right: st.SearchStrategy[Any] = st.booleans()
    elif param.kind == "choice":
        right = st.sampled_from([choice.value for choice in param.choices])
    elif param.kind == "text":
        ascending = st.lists(st.integers(1, 100_000), unique=True, max_size=5).map(sorted)
        if param.ascending:
            right = ascending.map(lambda numbers: ",".join(map(str, numbers)))
        else:
            right = st.from_regex(param.pattern, fullmatch=True) if param.pattern else st.just(param.default)
    else:
        assert param.minimum is not None and param.maximum is not None
        top = min(param.maximum, 20 * max(param.minimum, float(param.default or 1), 1.0))
        if param.kind == "integer":
            right = st.integers(int(param.minimum), int(top))
        else:
            right = st.floats(param.minimum, top)
    right = st.one_of(right, st.none()) if param.nullable else right
    return st.one_of(right, right, right, right, JUNK) if junk else right


def params(declared: tuple[Param, ...], junk: bool) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the declared parameters, four at most."""
    some = st.lists(st.sampled_from(declared), max_size=4, unique_by=lambda param: param.name)
    return some.flatmap(lambda chosen: st.fixed_dictionaries({it.name: values(it, junk) for it in chosen}))


def blocks(junk: bool) -> st.SearchStrategy[dict[str, Any]]:
    def of_kind(kind: str) -> st.SearchStrategy[dict[str, Any]]:
        spec = kinds()[kind].spec
        return st.fixed_dictionaries({"id": IDS, "kind": st.just(kind), "params": params(spec.params, junk)})

    return st.sampled_from(list(kinds())).flatmap(of_kind)


ENDS = st.fixed_dictionaries(
    {"block": IDS, "port": st.sampled_from(sorted({p.name for k in kinds().values() for p in k.spec.ports}))}
)
EDGES = st.fixed_dictionaries(
    {
        "id": st.integers(0, 99).map(lambda number: f"e{number}"),
        "from": ENDS,
        "to": ENDS,
        "params": params(catalogue().edge.params, True),
    }
)
ANY_DRAWING = st.fixed_dictionaries(
    {"blocks": st.lists(blocks(True), max_size=6), "edges": st.lists(EDGES, max_size=6)},
)


@st.composite
def fitting_drawings(draw: st.DrawFn) -> dict[str, Any]:
    """A drawing whose edges fit: each block is called by one before it, through a port of the right type that has room."""
    client = {"id": "a", "kind": "client", "params": draw(params(kinds()["client"].spec.params, False))}
    made: list[dict[str, Any]] = [client]
    edges: list[dict[str, Any]] = []
    used: Counter[tuple[str, str]] = Counter()
    for name in "bcdefgh"[: draw(st.integers(2, 7))]:
        it = {**draw(blocks(False)), "id": name}
        into = [port for port in kinds()[it["kind"]].spec.ports if port.direction == "in"]
        out = [
            (caller["id"], port.name)
            for caller in made
            for port in kinds()[caller["kind"]].spec.ports
            if into and port.direction == "out" and port.type == into[0].type
            if port.maximum is None or used[caller["id"], port.name] < port.maximum
        ]
        if out:
            caller, port = draw(st.sampled_from(out))
            used[caller, port] += 1
            ends = {"from": {"block": caller, "port": port}, "to": {"block": name, "port": into[0].name}}
            edges.append({"id": f"{caller}-{name}", **ends, "params": draw(params(catalogue().edge.params, False))})
            made.append(it)
    # What needs somebody to call has a server, now and then.
    for it in made[:]:
        needed = [port.name for port in kinds()[it["kind"]].spec.ports if port.type == "http" and port.minimum > 0]
        for port in needed:
            if not used[it["id"], port] and draw(st.integers(0, 9)) < 9:
                made.append({"id": f"{it['id']}-server", "kind": "app_server", "params": {}})
                ends = {"from": {"block": it["id"], "port": port}, "to": {"block": f"{it['id']}-server", "port": "in"}}
                edges.append({"id": f"{it['id']}-out", **ends, "params": {}})
    drawing = {"blocks": made, "edges": edges}
    if draw(st.integers(0, 9)) < 9:
        take_out_what_does_not_go_together(drawing)
    return drawing


def take_out_what_does_not_go_together(drawing: dict[str, Any]) -> None:
    """Leave the parameters at their defaults that don't fit the others, or the connections that there are."""
    try:
        check_design(parse_design(drawing))
    except InputError as refused:
        for problem in refused.problems:
            if problem.code in ("rule", "missing_edge") and problem.parameter is not None:
                owner = next(it for it in drawing["blocks"] if it["id"] == problem.block)
                owner["params"].pop(problem.parameter, None)


def runs(design: Design, seed: int) -> bool:
    """Check, build and run a little; False when it was refused."""
    try:
        check_design(design)
    except InputError as error:
        assert all(it.code and it.message and it.accepted for it in error.problems)
        return False
    execution = Execution(Scenario(design=design, seed=seed, until_s=5.0))
    execution.step(EVENTS)
    assert unaccounted(execution) == []
    assert infinite(execution) == []
    execution.results()
    execution.frame()
    for it in design.blocks:
        execution.detail(it.id)
    return True


def parsed(data: Any) -> Design | None:
    try:
        return parse_design(data)
    except InputError as error:
        assert all(it.code and it.message for it in error.problems)
        return None


@THOROUGH
@given(ANY_DRAWING, st.integers(0, 2**53))
def test_any_blocks_and_edges_are_refused_by_name_or_run(data: dict[str, Any], seed: int) -> None:
    design = parsed(data)
    if design is not None:
        runs(design, seed)


@pytest.mark.slow
def test_a_drawing_whose_edges_fit_is_refused_by_name_or_runs() -> None:
    ran: list[bool] = []

    @THOROUGH
    @given(fitting_drawings(), st.integers(0, 2**53))
    def each(data: dict[str, Any], seed: int) -> None:
        ran.append(runs(parse_design(data), seed))

    each()
    # Otherwise this shows little.
    assert sum(ran) > len(ran) / 2


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)
FIELDS = st.dictionaries(
    st.sampled_from(["blocks", "edges", "name", "format", "slo", "design", "seed", "until_s", "interventions"]),
    JSON,
    max_size=5,
)


@THOROUGH
@given(st.one_of(JSON, FIELDS))
def test_any_json_is_refused_by_name_or_is_a_design(data: Any) -> None:
    for parse in (parse_design, parse_scenario):
        try:
            found = parse(data)
        except InputError as error:
            assert error.problems
            continue
        design = found if isinstance(found, Design) else found.design
        if design.blocks:
            runs(design, 1)
