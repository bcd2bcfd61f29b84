"""A run's log as everybody gets it: whatever was done, the scenario that the server hands out is this run again when it is played."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from playground.bench.server import LiveServer, Visitor
from playground.execution import Execution
from playground.protocol.design import SCENARIO, Scenario, parse_scenario
from tests.sketch import SECOND, at, block, edge, fault, scenario, set_param
from tests.viewer import LiveViewer

Entry = tuple[float, str, str]


def drawing() -> Scenario:
    """The scenario lets a server crash at 2 s; somebody, in the log that came with it, asks for more at 0.5 s and for less at 3 s."""
    found = scenario(
        [block("users", "client", rate_per_s=200), block("app", "app_server", instances=2, workers=3)],
        [edge("users", "app", timeout_ms=100, retries=1)],
        until_s=5.0,
    )
    crash = at(2, fault("app", "crash", instance=0, restart_after_s=0.5)).model_copy(update={"actor": SCENARIO})
    log = [at(0.5, set_param("users", "rate_per_s", 300)), crash, at(3, set_param("users", "rate_per_s", 100))]
    return found.model_copy(update={"interventions": log})


class Told:
    """A run on the server, and what its viewer is told of it."""

    def __init__(self, visitor: Visitor) -> None:
        body = json.loads(drawing().model_dump_json(by_alias=True))
        answer = visitor.post("/api/runs", {"scenario": body})
        assert answer.status == 201, answer.body
        self.visitor = visitor
        self.run: dict[str, Any] = answer.json
        self.viewer = LiveViewer(visitor.server, self.run["socket"], visitor)

    def go(self, seconds: float) -> None:
        """To this virtual time, forwards or back."""
        ns = round(seconds * SECOND)
        self.viewer.ask(type="ask_results")
        now = self.visitor.get(f"/api/runs/{self.run['id']}").json
        if ns <= now["furthest_ns"]:
            self.viewer.ask(type="seek", at_ns=ns)
        else:
            self.viewer.ask(type="step", ns=ns - now["now_ns"])
        self.viewer.state(lambda state: state["now_ns"] == ns)

    def scenario(self) -> dict[str, Any]:
        """The run as the server hands it out; played, it comes to the figures that the run has come to."""
        there = self.viewer.ask(type="ask_results")["results"]
        answer = self.visitor.get(f"/api/runs/{self.run['id']}/scenario")
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.json
        again = Execution(parse_scenario(found))
        again.advance(round(there["virtual_seconds"] * SECOND))
        here = again.results()
        assert (here["trace_hash"], here["totals"]) == (there["trace_hash"], there["totals"])
        return found


@pytest.fixture
def told(live_server_process: LiveServer) -> Iterator[Told]:
    found = Told(live_server_process.visitor())
    with found.viewer:
        found.viewer.hello()
        yield found
    found.visitor.send("DELETE", f"/api/runs/{found.run['id']}")


def entries(found: dict[str, Any]) -> list[Entry]:
    return [
        (entry["at_ns"] / SECOND, entry["actor"], str(entry["action"].get("value", entry["action"].get("fault"))))
        for entry in found["interventions"]
    ]


def test_what_is_yet_to_come_is_in_the_log_from_the_start(told: Told) -> None:
    assert entries(told.scenario()) == [(0.5, "test", "300"), (2.0, SCENARIO, "crash"), (3.0, "test", "100")]
    told.go(4)
    assert [when for when, _, _ in entries(told.scenario())] == [0.5, 2.0, 3.0]


def test_an_act_drops_what_people_were_to_do_and_keeps_what_the_scenario_does(told: Told) -> None:
    told.go(1)
    told.viewer.act(type="set_param", target="users", param="rate_per_s", value=250)
    assert [(when, text) for when, _, text in entries(told.scenario())] == [(0.5, "300"), (1.0, "250"), (2.0, "crash")]
    told.go(4)
    told.scenario()


def test_a_branch_and_what_comes_after_it_are_the_log(told: Told) -> None:
    told.go(1)
    told.viewer.act(type="set_param", target="users", param="rate_per_s", value=250)
    told.go(2.5)
    told.viewer.act(type="fault", target="app", fault="crash", params={"instance": 1, "restart_after_s": 1})
    told.go(1.5)
    told.viewer.act(type="set_param", target="users", param="rate_per_s", value=150)
    found = [(when, text) for when, _, text in entries(told.scenario())]
    assert found == [(0.5, "300"), (1.0, "250"), (1.5, "150"), (2.0, "crash")]
    told.go(4)
    told.scenario()


def test_a_reset_begins_with_what_is_drawn_and_with_the_scenarios_own_log(told: Told) -> None:
    told.go(1)
    told.viewer.act(type="set_param", target="app", param="workers", value=7)
    told.viewer.ask(type="reset", seed=9)
    told.viewer.happened("reset")
    found = told.scenario()
    assert entries(found) == [(2.0, SCENARIO, "crash")] and found["seed"] == 9
    assert next(it for it in found["design"]["blocks"] if it["id"] == "app")["params"]["workers"] == 7
    told.go(4)
    told.scenario()


def test_who_comes_later_is_told_what_the_run_began_with_and_what_its_scenario_does(told: Told) -> None:
    told.go(1)
    told.viewer.act(type="set_param", target="app", param="workers", value=7)
    with LiveViewer(told.visitor.server, told.run["socket"], told.visitor) as late:
        welcome = late.hello()
    found = told.scenario()
    assert welcome["origin"] == found["design"] != welcome["design"]
    assert [entry["at_ns"] for entry in welcome["script"]] == [2 * SECOND]
    told.viewer.ask(type="reset")
    told.viewer.happened("reset")
    with LiveViewer(told.visitor.server, told.run["socket"], told.visitor) as late:
        welcome = late.hello()
    assert welcome["origin"] == welcome["design"] == told.scenario()["design"]
