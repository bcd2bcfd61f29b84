"""One run inside a worker process: an Execution with its pace, its viewers' requests and what it has to say.

A run never talks to the pipe: what it has to say collects in its :class:`~playground.workers.teller.Teller`, and the
worker's loop sends it.
"""

from __future__ import annotations

import os
import time
from collections import deque
from typing import Any

from playground.execution import Execution
from playground.protocol.design import Intervention, Scenario
from playground.protocol.errors import InputError
from playground.protocol.frames import pack_frame
from playground.protocol.messages import parse_viewer_data
from playground.workers.limits import FRAMES_PER_S, REQUESTS_WAITING_MAX, UNWATCHED_TICKS_PER_S
from playground.workers.pace import Pace
from playground.workers.teller import Teller, dumped

EVENTS_FIRST = 2_000
EVENTS_MIN, EVENTS_MAX = 20, 1_000_000
LATE_TICKS_MAX = 2
WAITS_FOR_GOAL = ("act", "step", "reset")
# Only the benchmark sets it: frames then say when they were packed (key "w", monotonic seconds of this machine).
STAMPED = os.environ.get("PLAYGROUND_FRAME_STAMP") == "1"


class PacedRun:
    """Owns one :class:`~playground.execution.Execution`; everything here takes a slice of time at most.

    ``goal_ns`` is a virtual time to be reached as fast as possible before anything else happens (a seek, a step, a restoration);
    ``steps_left`` the same in engine events.
    """

    def __init__(self, run_id: str, scenario: Scenario, script: list[Intervention], *, play: bool, engine: str) -> None:
        self.id = run_id
        self.execution = Execution(scenario, script=script)
        self.engine = engine
        self.playing = play
        self.pace = Pace(scenario.speed)
        self.pace.start(time.monotonic(), 0)
        self.watchers = 0
        self.teller = Teller(run_id, self.execution)
        self.frame_number = 0
        self.goal_ns: int | None = None
        self.steps_left = 0
        self.failure: dict[str, Any] | None = None
        self.memory_bytes = 0
        self._then_seek_ns: int | None = None
        self._restoring = False
        self._furthest_known_ns = 0
        self._waiting: deque[tuple[str, str, Any]] = deque()
        self._pending: list[Intervention] = []
        self._target_ns = 0
        self._next_tick = time.monotonic()
        self._frame_due = True
        self._events_per_s = 100_000.0
        self._stop_told: dict[str, Any] | None = None

    # ---- what the loop asks

    def due(self, wall: float) -> float:
        """When the run wants its next slice: ``wall`` or before means now, infinity means never unless something is asked."""
        if self.failure:
            return float("inf")
        if self.goal_ns is not None or self.steps_left:
            return wall
        if self.playing:
            return wall if self.execution.now_ns < self._target_ns else self._next_tick
        return self._next_tick if self._frame_due and self.watchers else float("inf")

    def slice(self, wall: float, budget_s: float) -> None:
        """Compute for about ``budget_s`` seconds and say what came of it."""
        if self.goal_ns is not None or self.steps_left:
            self._towards_goal(budget_s)
        elif self.playing:
            if wall >= self._next_tick:
                self._target_ns = min(self.pace.target_ns(wall, self.execution.now_ns), self.execution.until_ns)
            self._advance(self._target_ns, budget_s)
            self._stop_if_over()
        self.teller.news(jumping=self.goal_ns is not None)
        wall = time.monotonic()
        if wall >= self._next_tick and self.goal_ns is None:
            self._tick(wall)

    def fail(self, reason: str, detail: str) -> None:
        """End the run by name; what it found so far is kept, its neighbours notice nothing."""
        self.playing = False
        self.goal_ns, self.steps_left = None, 0
        self.failure = {"reason": reason, "at_ns": self.execution.now_ns, "detail": detail}
        self._waiting.clear()
        self._pending.clear()
        self._stop_if_over()
        self.tell_state()

    # ---- starting

    def begin(self, resume: dict[str, Any] | None) -> None:
        """Say how the run stands, and go back to where it was when ``resume`` says so (see ``pool``)."""
        if resume is not None:
            self.pace.speed = resume["speed"]
            self.execution.set_speed(resume["speed"])
            self.frame_number = resume["frame"]
            self.watchers = resume["watchers"]
            self._restoring = True
            self._furthest_known_ns = resume["furthest_ns"]
            self.goal_ns = resume["furthest_ns"]
            self._then_seek_ns = resume["now_ns"]
        self.teller.created(self.state())

    # ---- requests

    def watch(self, viewers: int) -> None:
        """``viewers`` look on from now; a new one gets a frame at once."""
        self._frame_due = self._frame_due or viewers > self.watchers
        self.watchers = viewers
        self._next_tick = min(self._next_tick, time.monotonic() + 1 / FRAMES_PER_S)

    def request(self, who: str, actor: str, data: dict[str, Any]) -> None:
        """Do what a viewer asked (``data`` is a viewer message) and answer it: accepted, refused, or the thing asked for."""
        message = parse_viewer_data(data)
        try:
            if self.failure and message.type in ("play", "step", "seek", "reset", "act"):
                raise InputError.single(
                    "stopped", f"this run has ended ({self.failure['reason']})", accepted="a new run of the same design"
                )
            if self._must_wait(message.type):
                self._wait(who, actor, message)
                return
            self._do(who, actor, message)
        except InputError as error:
            problems = [problem.model_dump() for problem in error.problems]
            self.teller.answer(who, {"type": "refused", "ref": message.ref, "problems": problems})

    def _must_wait(self, kind: str) -> bool:
        """On the way to a goal, what acts on the run waits; a seek replaces the goal, unless something waits to be done there."""
        busy = self.goal_ns is not None or self.steps_left > 0
        return busy and (kind in WAITS_FOR_GOAL or (kind == "seek" and bool(self._waiting)))

    def _wait(self, who: str, actor: str, message: Any) -> None:
        if len(self._waiting) >= REQUESTS_WAITING_MAX:
            raise InputError.single(
                "busy",
                f"{REQUESTS_WAITING_MAX} requests wait for a seek to end",
                accepted="the same request a moment later",
            )
        self._waiting.append((who, actor, message))
        if message.type == "act":
            at_ns = self._then_seek_ns if self._then_seek_ns is not None else self.goal_ns or self.execution.now_ns
            self._pending.append(Intervention(at_ns=at_ns, actor=actor, action=message.action))
        self.tell_state()

    def _do(self, who: str, actor: str, message: Any) -> None:
        kind = message.type
        if kind.startswith("ask_"):
            self.teller.answer(who, self._found(message))
            return
        getattr(self, f"_do_{kind}")(actor, message)
        self._frame_due = True
        # Whoever reads that it was accepted has been told before what it led to at once.
        self.teller.news(jumping=self.goal_ns is not None)
        self.teller.answer(who, {"type": "accepted", "ref": message.ref})
        self.tell_state()

    def _found(self, message: Any) -> dict[str, Any]:
        ex, ref = self.execution, message.ref
        if message.type == "ask_history":
            return {"type": "history", "ref": ref, **ex.history(message.first)}
        if message.type == "ask_trace":
            spans = [span.model_dump() for span in ex.trace(message.trace)]
            return {"type": "trace", "ref": ref, "trace": message.trace, "spans": spans}
        if message.type == "ask_results":
            return {"type": "results", "ref": ref, "results": ex.results()}
        detail = ex.detail(message.block)
        return {"type": "detail", "ref": ref, "block": message.block, "at_ns": ex.now_ns, "detail": detail}

    def _do_play(self, actor: str, message: Any) -> None:
        ex = self.execution
        if ex.stopped and ex.now_ns >= ex.furthest_ns:
            raise InputError.single(
                "stopped", f"this run has ended ({ex.stopped['reason']})", accepted="a seek back, or a reset"
            )
        self.playing = True
        self._restart_pace()

    def _do_pause(self, actor: str, message: Any) -> None:
        self.playing = False

    def _do_speed(self, actor: str, message: Any) -> None:
        self.pace.speed = message.factor
        self.execution.set_speed(message.factor)
        self._restart_pace()

    def _do_step(self, actor: str, message: Any) -> None:
        if (message.events is None) == (message.ns is None):
            raise InputError.single(
                "step", "a step is counted in events or in ns", where="message", accepted="exactly one of them"
            )
        if self.playing:
            raise InputError.single("playing", "a run that plays can't be stepped", accepted="a step after a pause")
        if message.events is not None:
            self.steps_left = message.events
        else:
            self.goal_ns = min(self.execution.now_ns + message.ns, self.execution.until_ns)

    def _do_seek(self, actor: str, message: Any) -> None:
        furthest = max(self.execution.furthest_ns, self._furthest_known_ns)
        if not 0 <= message.at_ns <= furthest:
            raise InputError.single(
                "out_of_range",
                f"seek to {message.at_ns} ns: this run has reached {furthest} ns",
                where="message.at_ns",
                value=str(message.at_ns),
                accepted=f"0 to {furthest}",
            )
        if self._restoring:
            self._then_seek_ns = message.at_ns
            return
        self.steps_left = 0
        self.execution.seek(message.at_ns)
        self.goal_ns = message.at_ns

    def _do_reset(self, actor: str, message: Any) -> None:
        self.execution.reset(message.seed)
        self.playing = False
        self._furthest_known_ns = 0
        self._stop_told = None
        self.teller.reset()

    def _do_act(self, actor: str, message: Any) -> None:
        ex = self.execution
        applied, furthest_ns = ex.applied, max(ex.furthest_ns, self._furthest_known_ns)
        entry = ex.act(message.action, actor)
        self._stop_told = None
        self._furthest_known_ns = 0
        self.teller.acted(ex.log.index(entry, applied), furthest_ns)

    # ---- going on

    def _restart_pace(self) -> None:
        wall = time.monotonic()
        self.pace.start(wall, self.execution.now_ns)
        self._target_ns = self.execution.now_ns
        self._next_tick = min(self._next_tick, wall)

    def _advance(self, until_ns: int, budget_s: float) -> bool:
        """Towards ``until_ns`` for about ``budget_s`` seconds, learning on the way how many events that is."""
        events = int(min(EVENTS_MAX, max(EVENTS_MIN, self._events_per_s * budget_s)))
        before = time.perf_counter()
        done = self.execution.advance(until_ns, events)
        if not done:
            took = max(time.perf_counter() - before, 1e-6)
            self._events_per_s += 0.3 * (events / took - self._events_per_s)
        return done or bool(self.execution.stopped)

    def _towards_goal(self, budget_s: float) -> None:
        if self.steps_left:
            events = min(self.steps_left, int(max(EVENTS_MIN, self._events_per_s * budget_s)))
            self.execution.step(events)
            self.steps_left = 0 if self.execution.stopped else self.steps_left - events
        elif self.goal_ns is not None and self._advance(self.goal_ns, budget_s):
            self.goal_ns = None
            if self._then_seek_ns is not None:
                at_ns, self._then_seek_ns = min(self._then_seek_ns, self.execution.furthest_ns), None
                if at_ns < self.execution.now_ns:
                    self.execution.seek(at_ns)
                if at_ns != self.execution.now_ns:
                    self.goal_ns = at_ns
        if self.goal_ns is None and not self.steps_left:
            self._at_goal()

    def _at_goal(self) -> None:
        self._frame_due = True
        if self._restoring:
            self._restoring = False
            self._furthest_known_ns = 0
            self.teller.happened(None, at_ns=self.execution.now_ns, what="restored", detail="by replay of its log")
        self._restart_pace()
        self.teller.drawing(jumped=True)
        self.teller.news(jumping=self.goal_ns is not None)
        waiting, self._waiting = self._waiting, deque()
        self._pending.clear()
        self.tell_state()
        while waiting:
            who, actor, message = waiting.popleft()
            self.request(who, actor, message.model_dump(mode="json", by_alias=True))

    def _stop_if_over(self) -> None:
        ex = self.execution
        stopped = self.failure or ex.stopped
        if stopped and stopped != self._stop_told:
            self._stop_told = dict(stopped)
            self.playing = False
            self.teller.happened(
                f"s:{stopped['reason']}", at_ns=stopped["at_ns"], what="stopped", detail=str(stopped["reason"])
            )
            self.tell_state()
        elif self.playing and (stopped or ex.now_ns >= ex.until_ns):
            self.playing = False
            self.tell_state()

    # ---- saying

    def _tick(self, wall: float) -> None:
        """A frame for those who watch, or a word of where the run is for nobody but the pool."""
        self.pace.mark(wall, self.execution.now_ns)
        rate = FRAMES_PER_S if self.watchers else UNWATCHED_TICKS_PER_S
        # A tick that came late doesn't delay those after it; one that came very late is not made up for.
        self._next_tick = max(self._next_tick + 1 / rate, wall - LATE_TICKS_MAX / rate)
        ex = self.execution
        if self.watchers:
            self.frame_number += 1
            frame = ex.frame()
            frame["n"] = self.frame_number
            frame["sp"] = self.pace.reached() if self.playing else 0.0
            frame["f"] = max(frame["f"], self._furthest_known_ns)
            if STAMPED:
                frame["w"] = time.monotonic()
            data = pack_frame(frame)
            self._frame_due = False
        else:
            data = b""
        furthest_ns = max(ex.furthest_ns, self._furthest_known_ns)
        self.teller.say("frame", n=self.frame_number, now_ns=ex.now_ns, furthest_ns=furthest_ns, data=data)

    def state(self) -> dict[str, Any]:
        """How the run stands, in the shape of ``RunState``; the web process adds the number of viewers."""
        ex = self.execution
        # Who asks in the midst of a restoration is told where it leads to, not how far the replay has come.
        now_ns = self._then_seek_ns if self._restoring and self._then_seek_ns is not None else self.goal_ns
        return {
            "type": "state",
            "playing": self.playing,
            "speed": self.pace.speed,
            "now_ns": now_ns if self._restoring and now_ns is not None else ex.now_ns,
            "furthest_ns": max(ex.furthest_ns, self._furthest_known_ns),
            "until_ns": ex.until_ns,
            "pending": [dumped(entry) for entry in self._pending],
            "stopped": self.failure or ex.stopped,
            "engine": self.engine,
            "viewers": 0,
        }

    def tell_state(self) -> None:
        """Say how the run stands now."""
        self.teller.say("state", state=self.state())
