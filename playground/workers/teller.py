"""What one run has to say to the web process, in order; the worker's loop takes it from ``out``.

Events are maps with ``ev`` and ``run``; ``worker`` lists them.
"""

from __future__ import annotations

import json
from typing import Any

from playground.execution import Execution
from playground.protocol.design import Design, Intervention
from playground.protocol.messages import Notable


def dumped(model: Design | Intervention | Notable) -> dict[str, Any]:
    """A model as plain JSON data, in the wire's names."""
    return model.model_dump(mode="json", by_alias=True)


class Teller:
    """Notices what is new in an execution and puts it into words.

    Every event that a replay would bring again has a key that is the same then: the hub tells each once.
    """

    def __init__(self, run_id: str, execution: Execution) -> None:
        self.run = run_id
        self.execution = execution
        self.out: list[dict[str, Any]] = []
        self._announced = 0
        self._epoch: int | None = None
        self._design: Design | None = None

    def say(self, kind: str, /, **more: Any) -> None:
        """Add one event."""
        self.out.append({"ev": kind, "run": self.run, **more})

    def answer(self, who: str, message: dict[str, Any]) -> None:
        """Answer the viewer ``who``."""
        self.say("answer", who=who, text=json.dumps(message))

    def happened(self, key: str | None, **event: Any) -> None:
        """A durable event; without a ``key`` it is told each time."""
        self.say("happened", key=key, event=event)

    def created(self, state: dict[str, Any]) -> None:
        """All that the hub must know of a run that was just built."""
        ex = self.execution
        self._epoch, self._design = ex.epoch, ex.design
        layout = ex.layout().model_dump(mode="json")
        self.say("created", seed=ex.seed, layout=layout, design=dumped(ex.design), state=state)

    def news(self, *, jumping: bool) -> None:
        """Interventions whose time came, notable moments, a new layout, a drawing that changed (unless on the way to a goal)."""
        ex = self.execution
        while self._announced < len(ex.log) and ex.log[self._announced].at_ns <= ex.now_ns:
            index, entry = self._announced, ex.log[self._announced]
            self._announced += 1
            design = dumped(entry.action.design) if entry.action.type == "edit" else None
            self.happened(
                f"i:{index}", at_ns=entry.at_ns, what="intervention", intervention=dumped(entry), design=design
            )
        for notable in ex.take_notables():
            key = f"n:{notable.kind}:{notable.target}:{notable.at_ns}:{notable.title}"
            self.happened(key, at_ns=notable.at_ns, what="notable", notable=dumped(notable))
        if ex.epoch != self._epoch:
            self._epoch = ex.epoch
            self.say("layout", layout=ex.layout().model_dump(mode="json"))
        if not jumping:
            self.drawing(jumped=False)

    def drawing(self, *, jumped: bool) -> None:
        """The drawing if it changed: to the hub always; viewers hear of it after a jump only, since else an event has told them."""
        design = self.execution.design
        if design is not self._design and design != self._design:
            self.say("drawing", at_ns=self.execution.now_ns, jumped=jumped, design=dumped(design))
        self._design = design

    def acted(self, applied: int, furthest_ns: int) -> None:
        """Somebody intervened: the log goes on anew with its entry ``applied``; the run had been seen up to ``furthest_ns``."""
        ex = self.execution
        entry, *script = ex.log[applied:]
        self._log(applied, [entry, *script], at_ns=entry.at_ns)
        self._announced = min(self._announced, applied)
        dropped = len(ex.branched)
        if dropped or furthest_ns > entry.at_ns:
            count = f"{dropped} later intervention{'' if dropped == 1 else 's'} dropped" if dropped else ""
            self.happened(None, at_ns=entry.at_ns, what="branch", design=dumped(ex.design), detail=count)

    def reset(self) -> None:
        """The run is back at time 0, with nothing in its log but what the scenario does by itself."""
        ex = self.execution
        self._announced = 0
        self._log(0, ex.log, at_ns=-1, base=dumped(ex.design))
        self.happened(None, at_ns=0, what="reset", design=dumped(ex.design), detail=f"seed {ex.seed}")

    def _log(self, keep: int, entries: list[Intervention], *, at_ns: int, base: dict[str, Any] | None = None) -> None:
        added = [dumped(entry) for entry in entries]
        self.say("log", keep=keep, entries=added, at_ns=at_ns, seed=self.execution.seed, base=base)
