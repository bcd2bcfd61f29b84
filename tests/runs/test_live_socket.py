"""The live socket on the real server: who may do what, what is refused, and that nothing durable is ever lost."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from playground.bench.server import LiveServer, Visitor
from playground.protocol import PROTOCOL_VERSION
from playground.protocol.messages import MESSAGE_BYTES_MAX, SOCKET_BYTES_MAX
from playground.runs.socket import CLOSED_GONE
from playground.workers.limits import FRAMES_UNACKNOWLEDGED_MAX
from tests.live import eventually
from tests.viewer import LiveViewer, Message

SECOND = 1_000_000_000
TOO_BIG = 1009  # RFC 6455, 7.4.1


@pytest.fixture
def visitor(live_server_process: LiveServer) -> Visitor:
    return live_server_process.visitor()


@pytest.fixture
def run(visitor: Visitor) -> Iterator[dict[str, Any]]:
    created = start(visitor)
    yield created
    visitor.send("DELETE", f"/api/runs/{created['id']}")


def start(visitor: Visitor) -> dict[str, Any]:
    """A paused run of the smallest template."""
    answer = visitor.post("/api/runs", {"template": "mm1"})
    assert answer.status == 201, answer.body
    created: dict[str, Any] = answer.json
    return created


def watch(visitor: Visitor, run: dict[str, Any], **more: Any) -> LiveViewer:
    return LiveViewer(visitor.server, run["socket"], visitor, **more)


def fault(welcome: Message) -> dict[str, Any]:
    """Some fault that the design of ``welcome`` knows: its client's traffic spikes."""
    client = next(block for block in welcome["design"]["blocks"] if block["kind"] == "client")
    return {"type": "fault", "target": client["id"], "fault": "spike", "params": {}}


def refusal(answer: Message) -> Message:
    """The one problem of a refused request."""
    assert answer["type"] == "refused", answer
    problem: Message = answer["problems"][0]
    return problem


def test_hello_is_answered_with_all_that_a_page_needs(visitor: Visitor, run: dict[str, Any]) -> None:
    with watch(visitor, run) as viewer:
        welcome = viewer.hello()
        state = viewer.state(lambda _: True)
        assert welcome["run"] == run["id"] and welcome["may_control"] and welcome["version"] == PROTOCOL_VERSION
        assert [message["type"] for message in viewer.texts[:3]] == ["welcome", "layout", "state"]
        assert state["now_ns"] == 0 and not state["playing"]
        blocks = next(message for message in viewer.texts if message["type"] == "layout")["blocks"]
        assert {block["id"] for block in blocks} == {block["id"] for block in welcome["design"]["blocks"]}


def test_playing_run_streams_frames_of_growing_time_until_it_is_paused(visitor: Visitor, run: dict[str, Any]) -> None:
    with watch(visitor, run) as viewer:
        viewer.hello()
        assert viewer.ask(type="play")["type"] == "accepted"
        viewer.frame(lambda frame: frame["t"] > SECOND // 2)
        viewer.ask(type="pause")
        paused = viewer.state(lambda state: not state["playing"])
        times = [frame["t"] for frame in viewer.frames]
        numbers = [frame["n"] for frame in viewer.frames]
        assert times == sorted(times) and numbers == sorted(set(numbers))
        assert paused["now_ns"] >= times[-1]


def test_step_runs_exactly_the_asked_time_and_holds(visitor: Visitor, run: dict[str, Any]) -> None:
    with watch(visitor, run) as viewer:
        viewer.hello()
        viewer.ask(type="step", ns=10_000_000)
        viewer.state(lambda state: state["now_ns"] == 10_000_000 and not state["playing"])
        assert refusal(viewer.ask(type="step"))["code"] == "step"
        assert refusal(viewer.ask(type="step", events=1, ns=1))["code"] == "step"


@pytest.mark.parametrize("at_ns", [-1, 10**15])
def test_seek_past_the_ends_is_refused_with_what_is_accepted(visitor: Visitor, run: dict[str, Any], at_ns: int) -> None:
    with watch(visitor, run) as viewer:
        viewer.hello()
        problem = refusal(viewer.ask(type="seek", at_ns=at_ns))
        assert problem["code"] == "out_of_range" and problem["value"] == str(at_ns) and problem["accepted"] == "0 to 0"


def test_seek_back_and_forth_comes_to_the_same_figures(visitor: Visitor, run: dict[str, Any]) -> None:
    with watch(visitor, run) as viewer:
        viewer.hello()
        viewer.ask(type="step", ns=2 * SECOND)
        there = viewer.frame(lambda frame: frame["t"] == 2 * SECOND)
        viewer.ask(type="seek", at_ns=SECOND // 2)
        viewer.state(lambda state: state["now_ns"] == SECOND // 2 and state["furthest_ns"] == 2 * SECOND)
        viewer.ask(type="seek", at_ns=2 * SECOND)
        again = viewer.frame(lambda frame: frame["t"] == 2 * SECOND)
        assert (again["b"], again["ed"], again["ev"]) == (there["b"], there["ed"], there["ev"])


WRONG_MESSAGES: list[tuple[str | bytes, str, str]] = [
    ("{", "syntax", "line 1"),
    ("[]", "dict_type", ""),
    ('{"type":"speed","factor":NaN}', "not_a_number", "NaN"),
    ('{"type":"speed","factor":1e999}', "not_finite", "1e999"),
    ('{"type":"speed","factor":0}', "greater_than_equal", "0.01"),
    ('{"type":"speed","factor":1001}', "less_than_equal", "1000"),
    ('{"type":"play","type":"pause"}', "duplicate_key", "type"),
    ('{"type":"dance"}', "union_tag_invalid", "dance"),
    ('{"type":"play","loud":true}', "extra_forbidden", "loud"),
    ('{"type":"seek"}', "missing", "at_ns"),
    ('{"type":"seek","at_ns":"soon"}', "int_parsing", "soon"),
    ("[" * 200_000, "nesting", "32"),
    ('{"type":"play","ref":"' + "x" * MESSAGE_BYTES_MAX + '"}', "too_large", "1,000,000"),
    (b"\x00\x01", "binary", "text"),
]


@pytest.mark.parametrize(("message", "code", "named"), WRONG_MESSAGES, ids=[code for _, code, _ in WRONG_MESSAGES])
def test_wrong_message_is_refused_by_name_and_the_socket_stays_open(
    visitor: Visitor, run: dict[str, Any], message: str | bytes, code: str, named: str
) -> None:
    with watch(visitor, run) as viewer:
        viewer.hello()
        viewer.socket.send(message)
        refused = viewer.until(lambda answer: answer["type"] == "refused")
        assert refused["problems"][0]["code"] == code
        assert named in json.dumps(refused["problems"][0])
        assert viewer.ask(type="pause")["type"] == "accepted"


def test_message_of_ten_megabytes_is_refused_by_name(visitor: Visitor, run: dict[str, Any]) -> None:
    with watch(visitor, run) as viewer:
        viewer.hello()
        viewer.socket.send('{"type":"play","ref":"' + "x" * 10_000_000 + '"}')
        problem = viewer.until(lambda answer: answer["type"] == "refused")["problems"][0]
        assert problem["code"] == "too_large" and "1,000,000" in problem["message"]
        assert viewer.ask(type="pause")["type"] == "accepted"


def test_message_past_all_measure_costs_its_sender_alone_the_socket(visitor: Visitor, run: dict[str, Any]) -> None:
    with watch(visitor, run) as flooding, watch(visitor, run) as calm:
        flooding.hello()
        calm.hello()
        with contextlib.suppress(ConnectionClosed):
            flooding.socket.send('{"type":"play","ref":"' + "x" * 2 * SOCKET_BYTES_MAX + '"}')
        # It may still be sending when the server hangs up, and then never reads why.
        assert flooding.closed_with() in (TOO_BIG, None)
        assert calm.ask(type="pause")["type"] == "accepted"


WRONG_ACTIONS: list[tuple[dict[str, Any], str]] = [
    ({"type": "set_param", "target": "nobody", "param": "rate_per_s", "value": 1}, "nobody"),
    ({"type": "set_param", "target": "CLIENT", "param": "no_such", "value": 1}, "no_such"),
    ({"type": "fault", "target": "CLIENT", "fault": "no_such_fault", "params": {}}, "no_such_fault"),
    ({"type": "edit", "design": {"blocks": [], "edges": []}}, "client"),
]


@pytest.mark.parametrize(("action", "named"), WRONG_ACTIONS, ids=["target", "parameter", "fault", "no client"])
def test_wrong_action_is_refused_by_name_and_changes_nothing(
    visitor: Visitor, run: dict[str, Any], action: dict[str, Any], named: str
) -> None:
    with watch(visitor, run) as viewer:
        welcome = viewer.hello()
        if action.get("target") == "CLIENT":
            action = {**action, "target": fault(welcome)["target"]}
        answer = viewer.act(**action)
        assert answer["type"] == "refused" and named in json.dumps(answer["problems"]).lower()
        assert viewer.ask(type="pause")["type"] == "accepted"
        assert viewer.durable() == []


def test_first_message_must_be_hello_in_the_right_version(visitor: Visitor, run: dict[str, Any]) -> None:
    with watch(visitor, run) as viewer:
        assert refusal(viewer.ask(type="play"))["code"] == "hello_first"
        problem = refusal(viewer.ask(type="hello", version=99))
        assert problem["code"] == "version" and problem["accepted"] == str(PROTOCOL_VERSION)
        viewer.hello()
        assert refusal(viewer.ask(type="hello", version=PROTOCOL_VERSION))["code"] == "hello_twice"


def test_unknown_run_is_told_as_ended_and_closed(live_server_process: LiveServer) -> None:
    with LiveViewer(live_server_process, "/ws/runs/nosuchrun/") as viewer:
        assert viewer.until(lambda message: message["type"] == "ended")["reason"]
        assert viewer.closed_with() == CLOSED_GONE


def test_page_of_another_origin_gets_no_socket(visitor: Visitor, run: dict[str, Any]) -> None:
    for origin in ("http://evil.example", "http://127.0.0.1:1", "null"):
        with pytest.raises(InvalidStatus) as refused:
            connect(visitor.server.socket_url + run["socket"], origin=origin, additional_headers=visitor.headers())
        assert refused.value.response.status_code == 403


def test_viewer_with_the_link_watches_and_cannot_steer(
    live_server_process: LiveServer, visitor: Visitor, run: dict[str, Any]
) -> None:
    stranger = live_server_process.visitor()
    with watch(visitor, run) as owner, watch(stranger, run) as guest:
        owner.hello()
        welcome = guest.hello()
        assert not welcome["may_control"]
        for request in ("play", "pause", "reset"):
            assert refusal(guest.ask(type=request))["code"] == "not_yours"
        assert refusal(guest.act(**fault(welcome)))["code"] == "not_yours"
        assert guest.ask(type="ask_results")["type"] == "results"
        owner.ask(type="play")
        guest.frame(lambda frame: frame["t"] > 0)


def test_control_token_lets_another_browser_steer(live_server_process: LiveServer, run: dict[str, Any]) -> None:
    with watch(live_server_process.visitor(), run) as guest:
        assert guest.hello(control=run["control"])["may_control"]
        assert guest.ask(type="play")["type"] == "accepted"
    with watch(live_server_process.visitor(), run) as guest:
        assert not guest.hello(control="not the token")["may_control"]


def test_every_viewer_hears_of_an_intervention_with_the_same_number(visitor: Visitor, run: dict[str, Any]) -> None:
    with watch(visitor, run) as first, watch(visitor, run) as second:
        first.hello()
        action = fault(second.hello())
        first.act(**action)
        heard = [viewer.happened("intervention") for viewer in (first, second)]
        assert heard[0] == heard[1] and heard[0]["seq"] == 1
        assert heard[0]["intervention"]["action"]["target"] == action["target"]


def test_reconnecting_viewer_gets_what_it_missed_in_order_and_once(visitor: Visitor, run: dict[str, Any]) -> None:
    with watch(visitor, run) as other:
        action = fault(other.hello())
        with watch(visitor, run) as viewer:
            viewer.hello()
            viewer.act(**action)
            held = viewer.happened("intervention")["seq"]
        for _ in range(3):
            other.act(**action)
        missed = [event for event in other.durable() if event["seq"] > held]
        assert len([event for event in missed if event["what"] == "intervention"]) == 3
    with watch(visitor, run) as back:
        assert back.hello(after=held)["last_seq"] == missed[-1]["seq"]
        back.state(lambda _: True)
        assert back.durable() == missed


def test_acting_in_the_past_branches_and_says_what_was_dropped(visitor: Visitor, run: dict[str, Any]) -> None:
    with watch(visitor, run) as viewer:
        action = fault(viewer.hello())
        viewer.ask(type="step", ns=SECOND)
        viewer.state(lambda state: state["now_ns"] == SECOND)
        viewer.act(**action)
        viewer.ask(type="seek", at_ns=SECOND // 2)
        viewer.state(lambda state: state["now_ns"] == SECOND // 2)
        viewer.act(**action)
        branch = viewer.happened("branch")
        assert (
            branch["at_ns"] == SECOND // 2 and branch["design"] and branch["detail"] == "1 later intervention dropped"
        )
        viewer.happened("intervention", at_ns=SECOND // 2)


def test_edit_brings_a_new_layout_and_the_drawing_follows_a_seek_across_it(
    visitor: Visitor, run: dict[str, Any]
) -> None:
    with watch(visitor, run) as viewer:
        welcome = viewer.hello()
        edited = json.loads(json.dumps(welcome["design"]))
        client = next(block for block in edited["blocks"] if block["kind"] == "client")
        edited["blocks"].append({**client, "id": "newcomer", "label": "A second client"})
        edited["edges"] += [
            {**edge, "id": f"{edge['id']}_2", "from": {**edge["from"], "block": "newcomer"}}
            for edge in edited["edges"]
            if edge["from"]["block"] == client["id"]
        ]
        viewer.ask(type="step", ns=SECOND)
        viewer.state(lambda state: state["now_ns"] == SECOND)
        assert viewer.act(type="edit", design=edited)["type"] == "accepted"
        layouts = [message for message in viewer.texts if message["type"] == "layout"]
        assert "newcomer" in {block["id"] for block in layouts[-1]["blocks"]}
        assert viewer.durable()[-1]["design"] == edited
        viewer.ask(type="seek", at_ns=SECOND // 2)
        drawing = viewer.until(lambda message: message["type"] == "drawing")
        assert drawing["design"] == welcome["design"]


def test_slow_viewer_skips_frames_and_gets_the_newest(visitor: Visitor, run: dict[str, Any]) -> None:
    with watch(visitor, run, acknowledges=False) as slow, watch(visitor, run) as quick:
        slow.hello()
        quick.hello()
        quick.ask(type="play")
        quick.frame(lambda frame: frame["n"] > 10 * FRAMES_UNACKNOWLEDGED_MAX)
        slow.ask(type="ask_results")
        assert len(slow.frames) <= FRAMES_UNACKNOWLEDGED_MAX
        slow.say(type="ack", frame=slow.frames[-1]["n"])
        newest = slow.frame(lambda frame: frame["n"] > slow.frames[0]["n"] + FRAMES_UNACKNOWLEDGED_MAX)
        assert newest["n"] >= quick.frames[-1]["n"] - 1
        assert quick.ask(type="pause")["type"] == "accepted"


def test_thousand_starts_and_stops_in_a_second_are_all_answered(visitor: Visitor, run: dict[str, Any]) -> None:
    with watch(visitor, run) as viewer:
        viewer.hello()
        began = time.monotonic()
        for index in range(1000):
            viewer.say(type="play" if index % 2 == 0 else "pause", ref=f"n{index}")
        assert time.monotonic() - began < 1.0
        viewer.until(lambda message: message.get("ref") == "n999")
        answered = [message["ref"] for message in viewer.texts if message["type"] == "accepted"]
        assert answered == [f"n{index}" for index in range(1000)]
        viewer.state(lambda state: not state["playing"])


def test_requests_that_come_during_a_long_seek_are_done_after_it(visitor: Visitor, run: dict[str, Any]) -> None:
    with watch(visitor, run) as viewer:
        action = fault(viewer.hello())
        viewer.ask(type="step", ns=3 * SECOND)
        viewer.state(lambda state: state["now_ns"] == 3 * SECOND)
        viewer.say(type="seek", at_ns=2 * SECOND, ref="seek")
        viewer.say(type="act", action=action, ref="act")
        viewer.say(type="seek", at_ns=SECOND, ref="away")
        assert viewer.until(lambda message: message.get("ref") == "act")["type"] == "accepted"
        assert viewer.happened("intervention")["at_ns"] == 2 * SECOND
        viewer.state(lambda state: state["now_ns"] == SECOND)


def test_reset_starts_over_under_another_seed_with_an_empty_log(visitor: Visitor, run: dict[str, Any]) -> None:
    with watch(visitor, run) as viewer:
        action = fault(viewer.hello())
        viewer.act(**action)
        viewer.ask(type="reset", seed=77)
        reset = viewer.happened("reset")
        assert reset["design"] and "77" in reset["detail"]
        assert viewer.state(lambda state: state["now_ns"] == 0)["furthest_ns"] == 0
    with watch(visitor, run) as again:
        assert again.hello()["seed"] == 77


def test_ended_run_says_so_and_closes(visitor: Visitor, run: dict[str, Any]) -> None:
    with watch(visitor, run) as viewer:
        viewer.hello()
        assert visitor.send("DELETE", f"/api/runs/{run['id']}").status == 204
        assert viewer.until(lambda message: message["type"] == "ended")["reason"]
        assert viewer.closed_with() == CLOSED_GONE


def test_killed_engine_process_costs_viewers_nothing_but_a_moment(own_server_process: LiveServer) -> None:
    visitor = own_server_process.visitor()
    run = start(visitor)
    with watch(visitor, run) as viewer:
        action = fault(viewer.hello())
        viewer.ask(type="play")
        viewer.frame(lambda frame: frame["t"] > SECOND // 2)
        viewer.act(**action)
        before = viewer.frame()
        for pid in own_server_process.worker_pids():
            os.kill(pid, signal.SIGKILL)
        viewer.happened("restored")
        after = viewer.frame(lambda frame: frame["n"] > before["n"] and frame["t"] > before["t"])
        assert after["t"] > before["t"]
        viewer.ask(type="pause")
        numbers = [event["seq"] for event in viewer.durable()]
        assert numbers == list(range(1, len(numbers) + 1))
        interventions = [event for event in viewer.durable() if event["what"] == "intervention"]
        assert len(interventions) == 1


def test_server_that_goes_takes_its_engine_processes_along(own_server_process: LiveServer) -> None:
    start(own_server_process.visitor())
    pids = own_server_process.worker_pids()
    assert pids
    os.kill(own_server_process.pid, signal.SIGKILL)

    def gone(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    for pid in pids:
        eventually(lambda pid=pid: gone(pid), what=f"the end of engine process {pid}")
