"""One run as its viewers see it: who watches, what has happened, how it stands."""

from __future__ import annotations

import json
import secrets
import time
from collections import deque
from typing import Any

from playground.protocol import PROTOCOL_VERSION
from playground.protocol.design import SCENARIO, Design, Scenario, design_hash
from playground.runs.viewer import Viewer
from playground.workers.limits import DURABLE_EVENTS_MAX


class Room:
    """Holds what a viewer who comes late, or comes back, must be told.

    Durable events are numbered here, in the order in which they are known, so that the numbers outlive a worker. A worker that
    replays a run tells again what happened; ``_known`` (event key to virtual time) keeps these from being told twice.
    """

    def __init__(self, run_id: str, title: str, owner: str, scenario: Scenario, created: dict[str, Any]) -> None:
        self.id = run_id
        self.title = title
        self.owner = owner
        self.control = secrets.token_urlsafe(16)
        self.scenario = scenario
        self.viewers: dict[str, Viewer] = {}
        self.design: dict[str, Any] = created["design"]
        self.origin: dict[str, Any] = scenario.design.model_dump(mode="json", by_alias=True)
        self.seed: int = created["seed"]
        self.layout: str = json.dumps(created["layout"])
        self.state: dict[str, Any] = created["state"]
        self.seen = time.monotonic()
        self._events: deque[tuple[int, str]] = deque(maxlen=DURABLE_EVENTS_MAX)
        self._last_seq = 0
        self._restoring = False
        self._known: dict[str, int] = {}

    # ---- viewers

    def join(self, viewer: Viewer, after: int, engine_version: str) -> None:
        """Tell ``viewer`` all that it needs, from the durable event behind ``after`` on, and keep it told."""
        viewer.put(json.dumps(self._welcome(viewer, engine_version)))
        viewer.put(self.layout)
        for seq, text in self._events:
            if seq > after:
                viewer.put(text)
        self.viewers[viewer.name] = viewer
        self.seen = time.monotonic()
        viewer.put_state(self.state_text())

    def leave(self, viewer: Viewer) -> None:
        """Forget ``viewer``."""
        self.viewers.pop(viewer.name, None)
        self.seen = time.monotonic()

    def state_text(self) -> str:
        """How the run stands, as a message."""
        return json.dumps({**self.state, "viewers": len(self.viewers), "restoring": self._restoring})

    def tell_state(self) -> None:
        """Send every viewer how the run stands."""
        text = self.state_text()
        for viewer in self.viewers.values():
            viewer.put_state(text)

    def _welcome(self, viewer: Viewer, engine_version: str) -> dict[str, Any]:
        return {
            "type": "welcome",
            "version": PROTOCOL_VERSION,
            "run": self.id,
            "engine_version": engine_version,
            "design": self.design,
            "design_hash": design_hash(Design.model_validate(self.design)),
            "origin": self.origin,
            "script": [
                entry.model_dump(mode="json", by_alias=True)
                for entry in self.scenario.interventions
                if entry.actor == SCENARIO
            ],
            "seed": self.seed,
            "title": self.title,
            "slo": self.design["slo"],
            "may_control": viewer.may_control,
            "last_seq": self._last_seq,
        }

    # ---- what the run says

    def hear(self, event: dict[str, Any]) -> None:
        """Take an event of the run's worker (``workers.worker`` lists them) and pass on what concerns viewers."""
        getattr(self, f"_on_{event['ev']}")(event)

    def _on_frame(self, event: dict[str, Any]) -> None:
        self.state["now_ns"], self.state["furthest_ns"] = event["now_ns"], event["furthest_ns"]
        if event["data"]:
            for viewer in self.viewers.values():
                viewer.put_frame(event["n"], event["data"])

    def _on_state(self, event: dict[str, Any]) -> None:
        self.state = event["state"]
        self.tell_state()

    def _on_orphaned(self, event: dict[str, Any]) -> None:
        self._restoring = True
        self.tell_state()

    def _on_created(self, event: dict[str, Any]) -> None:
        """The run was built anew; its first layout and drawing hold until the replay brings later ones."""
        self._on_layout(event)
        self._on_state(event)

    def _on_layout(self, event: dict[str, Any]) -> None:
        self.layout = json.dumps(event["layout"])
        self._tell(self.layout)

    def _on_drawing(self, event: dict[str, Any]) -> None:
        if event["jumped"] and event["design"] != self.design:
            self._tell(json.dumps({"type": "drawing", "at_ns": event["at_ns"], "design": event["design"]}))
        self.design = event["design"]

    def _on_log(self, event: dict[str, Any]) -> None:
        """What was announced and lies in the part of the log (or the time) that was cut off may happen again, differently."""
        self.seed = event["seed"]
        if event["base"] is not None:
            self.origin = event["base"]

        def cut(key: str, at_ns: int) -> bool:
            return bool(int(key[2:]) >= event["keep"] if key.startswith("i:") else at_ns > event["at_ns"])

        self._known = {key: at_ns for key, at_ns in self._known.items() if not cut(key, at_ns)}

    def _on_happened(self, event: dict[str, Any]) -> None:
        key, what = event["key"], event["event"]
        if key is not None:
            if key in self._known:
                return
            self._known[key] = what["at_ns"]
        if what.get("design"):
            self.design = what["design"]
        if what["what"] == "restored":
            self._restoring = False
        self._last_seq += 1
        defaults = {"intervention": None, "notable": None, "design": None, "detail": ""}
        text = json.dumps({"type": "happened", "seq": self._last_seq, **defaults, **what})
        self._events.append((self._last_seq, text))
        self._tell(text)

    def _on_answer(self, event: dict[str, Any]) -> None:
        viewer = self.viewers.get(event["who"])
        if viewer is not None:
            viewer.put(event["text"])

    def _on_ended(self, event: dict[str, Any]) -> None:
        self._tell(json.dumps({"type": "ended", "reason": event["reason"]}))
        for viewer in self.viewers.values():
            viewer.ended = True

    def _tell(self, text: str) -> None:
        for viewer in self.viewers.values():
            viewer.put(text)
