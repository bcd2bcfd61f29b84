"""What every block declares: complete, documented, consistent. Forms, API, docs and checks derive from it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import pytest

from playground.blocks.registry import Kind
from playground.catalogue import catalogue, check_design
from playground.engine.params import NS_PER_UNIT
from playground.parameters import refusal
from playground.protocol.catalogue import Fault, Metric, Param, Port
from playground.protocol.design import parse_design
from tests.blocks.conftest import faults_declared, params_declared

UNIT_ENDINGS = {
    "us": "_us",
    "ms": "_ms",
    "s": "_s",
    "%": "_percent",
    "per_s": "_per_s",
    "Mbit/s": "_mbit_per_s",
    "bytes": "_bytes",
}
PARAMS = list(params_declared())
FAULT_PARAMS = [(f"{owner} {fault.name}", param) for owner, fault in faults_declared() for param in fault.params]
EVERY_PARAM = pytest.mark.parametrize(
    "param", [pytest.param(param, id=f"{owner} {param.name}") for owner, param in PARAMS + FAULT_PARAMS]
)


def all_params(params: tuple[Param, ...], faults: tuple[Fault, ...]) -> Iterator[tuple[Param, ...]]:
    yield params
    yield from (fault.params for fault in faults)


def is_sentence(text: str) -> bool:
    return len(text) > 4 and text == text.strip() and text.endswith(".")


@EVERY_PARAM
def test_a_parameter_is_documented_in_a_sentence(param: Param) -> None:
    assert param.label.strip()
    assert is_sentence(param.help), param.help
    assert param.group.strip()
    assert param.pattern is None or param.pattern_help


@EVERY_PARAM
def test_a_number_has_bounds_and_a_default_within_them(param: Param) -> None:
    if param.kind in ("number", "integer"):
        assert param.minimum is not None and math.isfinite(param.minimum)
        assert param.maximum is not None and math.isfinite(param.maximum)
        assert param.minimum < param.maximum
    assert refusal(param, param.default) is None, f"{param.name}: its own default {param.default!r}"


@EVERY_PARAM
def test_a_choice_has_choices_that_differ_and_only_a_choice_has_any(param: Param) -> None:
    values = [choice.value for choice in param.choices]
    assert len(set(values)) == len(values)
    assert (len(values) > 1) == (param.kind == "choice")
    assert all(choice.label.strip() for choice in param.choices)


@EVERY_PARAM
def test_a_parameters_name_ends_in_its_unit(param: Param) -> None:
    # The engine reads the unit off the name (Params.ns), the form off the unit: they say the same.
    if param.unit in UNIT_ENDINGS:
        assert f"_{param.name}".endswith(UNIT_ENDINGS[param.unit])
    for unit, ending in sorted(UNIT_ENDINGS.items(), key=lambda pair: -len(pair[1])):
        if f"_{param.name}".endswith(ending):
            assert param.unit == unit
            break
    if param.unit in NS_PER_UNIT:
        assert param.kind == "number"


def test_names_are_unique_within_a_block(kind: Kind) -> None:
    spec = kind.spec
    metrics = [metric.name for metric in (*catalogue().common_metrics, *spec.metrics)]
    for names in (
        [param.name for param in spec.params],
        [port.name for port in spec.ports],
        [fault.name for fault in spec.faults],
        metrics,
    ):
        assert len(set(names)) == len(names), names


def test_a_parameter_is_hidden_by_values_that_another_can_have(kind: Kind) -> None:
    for params in all_params(kind.spec.params, kind.spec.faults):
        by_name = {param.name: param for param in params}
        for param in params:
            for other, values in param.shown_when.items():
                assert values, f"{param.name} is never shown"
                assert [value for value in values if refusal(by_name[other], value)] == []


def test_ports_are_documented_and_let_the_block_be_connected(kind: Kind) -> None:
    ports: tuple[Port, ...] = kind.spec.ports
    assert ports, "a block without a port can't be part of a design"
    for port in ports:
        assert port.label.strip() and port.type.strip()
        assert is_sentence(port.help), port.help
        assert port.minimum >= 0
        assert port.maximum is None or port.maximum >= max(1, port.minimum)


def test_metrics_are_documented_and_refer_to_metrics(kind: Kind) -> None:
    metrics: tuple[Metric, ...] = (*catalogue().common_metrics, *kind.spec.metrics)
    gauges = {metric.name for metric in metrics if metric.kind == "gauge"}
    for metric in metrics:
        assert metric.label.strip()
        assert is_sentence(metric.help), f"{metric.name}: {metric.help!r}"
        assert metric.maximum_metric is None or metric.maximum_metric in gauges - {metric.name}
        for unit, ending in UNIT_ENDINGS.items():
            if metric.name.endswith(ending) and unit != "s":
                assert metric.unit == unit, metric.name
    assert any(metric.headline for metric in metrics), "nothing would be drawn on its card"


def test_the_metrics_of_edges_are_documented() -> None:
    for metric in catalogue().edge.metrics:
        assert metric.label.strip() and is_sentence(metric.help), metric.name


@pytest.mark.parametrize("fault", [pytest.param(it, id=f"{owner} {it.name}") for owner, it in faults_declared()])
def test_a_fault_is_documented_and_a_momentary_one_has_no_duration(fault: Fault) -> None:
    assert fault.label.strip()
    assert is_sentence(fault.help), fault.help
    lasting = {"duration_s", "restart_after_s"} & {param.name for param in fault.params}
    assert bool(lasting) != fault.momentary


def test_a_block_has_a_page_a_summary_and_its_place_in_the_palette(kind: Kind) -> None:
    spec = kind.spec
    assert (kind.folder / "doc.md").read_text(encoding="utf-8").strip() == spec.doc
    assert len(spec.doc.split()) >= 20, "doc.md says what it does and what it is good for"
    assert spec.title.strip() and spec.summary.strip() and spec.icon.strip()
    assert not spec.summary.endswith("."), "a summary is a phrase on a card"


def test_a_block_is_in_its_own_example_and_the_example_can_run(kind: Kind) -> None:
    drawing = kind.example()
    assert kind.spec.kind in {it["kind"] for it in drawing["blocks"]}
    assert drawing["name"].strip()
    check_design(parse_design(drawing))


def test_a_declaration_goes_to_the_page_as_json(kind: Kind) -> None:
    sent = json.loads(kind.spec.model_dump_json())
    assert type(kind.spec).model_validate(sent) == kind.spec
