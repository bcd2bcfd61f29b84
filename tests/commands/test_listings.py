"""``manage.py blocks`` and ``manage.py templates``."""

from __future__ import annotations

import pytest

from playground.catalogue import catalogue
from playground.parameters import accepted_by
from playground.protocol.catalogue import Catalogue
from playground.protocol.design import parse_scenario
from playground.templates_store import templates
from tests.commands.shell import inside


def test_blocks_as_json_are_the_catalogue() -> None:
    done = inside("blocks", "--json")
    assert done.code == 0 and done.err == ""
    assert Catalogue.model_validate(done.json) == catalogue()


def test_blocks_names_everything_that_a_kind_declares() -> None:
    for spec in catalogue().blocks:
        out = inside("blocks", spec.kind).out
        assert spec.title in out and spec.summary in out
        for param in spec.params:
            line = next(line for line in out.splitlines() if line.split()[:1] == [param.name])
            assert accepted_by(param) in line and param.help in line
        for ports_and_so_on in (spec.ports, spec.metrics, spec.faults):
            assert all(thing.name in out and thing.help in out for thing in ports_and_so_on)
        for param in (param for fault in spec.faults for param in fault.params):
            assert f"{param.name} = " in out and param.help in out


def test_blocks_shows_all_kinds_edges_common_metrics_and_limits() -> None:
    out = inside("blocks").out
    assert all(f"\n{spec.kind}: " in f"\n{out}" for spec in catalogue().blocks)
    assert "edge: a connection" in out and "timeout_ms" in out
    assert "Every block reports" in out and "calls_in_flight" in out


def test_blocks_says_which_parameters_cannot_change_live() -> None:
    out = inside("blocks", "cache").out
    line = next(line for line in out.splitlines() if "warm_keys" in line)
    assert "not while it runs" in line


def test_an_unknown_kind_is_refused_with_those_that_are_near() -> None:
    done = inside("blocks", "app_servr")
    assert done.code == 2 and "'app_servr'" in done.err and "app_server" in done.err
    assert inside("blocks", "app_servr", "--json").problems[0]["value"] == "app_servr"


def test_blocks_as_json_can_be_some_kinds() -> None:
    done = inside("blocks", "cache", "--json")
    assert [it["kind"] for it in done.json["blocks"]] == ["cache"]


def test_templates_lists_every_template_with_what_it_shows() -> None:
    out = inside("templates").out
    for template in templates().values():
        line = next(line for line in out.splitlines() if line.split()[:1] == [template.name])
        assert template.title in line and template.summary in line


def test_templates_as_json_have_their_scenarios() -> None:
    found = inside("templates", "--json").json
    assert [it["name"] for it in found] == list(templates())
    assert [parse_scenario(it["scenario"]) for it in found] == [it.scenario for it in templates().values()]


@pytest.mark.parametrize("name", list(templates()))
def test_every_template_can_be_simulated_by_name(name: str) -> None:
    done = inside("simulate", f"template:{name}", "--until", "0.05", "--json")
    assert done.code == 0 and done.json["virtual_seconds"] == 0.05
