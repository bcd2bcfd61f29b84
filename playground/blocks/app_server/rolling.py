"""A rolling restart, as a Deployment's: one instance after the other drains and starts again, each when the one before is in use again."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from mypy_extensions import i64

from playground.blocks.app_server.states import DOWN, LOOK_AGAIN_NS, READY, RESTART, WARMING
from playground.engine.state import State

if TYPE_CHECKING:
    from playground.blocks.app_server.life import Life


@final
class Rolling(State):
    """Which instance is being restarted (``instance``), and which is looked at next; -1 when none."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.following: i64 = -1
        self.instance: i64 = -1

    def begin(self) -> None:
        """Restart all. Where one goes on, it begins anew after the instance that is out now, so that two together never take out two."""
        life = self.life
        owner = life.owner
        owner.note(
            "rolling", "info", f"Rolling restart of {owner.label}", "One instance after the other drains and restarts."
        )
        self.following = 0
        # Who has crashed is waited for by nobody that is told to restart all.
        if self.instance < 0 or life.state[self.instance] == DOWN:
            self.go_on()

    def go_on(self) -> None:
        """Drain the next instance that runs."""
        life = self.life
        self.instance = -1
        while self.following >= 0 and self.following < life.owner.instances and self.instance < 0:
            instance = self.following
            self.following += 1
            if life.state[instance] == READY or life.state[instance] == WARMING:
                self.instance = instance
                life.drain(instance, RESTART)
        if self.instance < 0:
            self.following = -1

    def is_ready(self, instance: i64) -> None:
        """An instance is ready. If it was restarted for this, the next one has its turn when callers send it calls again (a Deployment
        waits for a pod's probes, too)."""
        if self.instance != instance:
            return
        if self.life.owner.is_in_use(instance):
            self.go_on()
        else:
            self.life.tick(instance, LOOK_AGAIN_NS)

    def is_gone(self, instance: i64) -> None:
        """``instance`` is switched off, or gone: to wait for it would be to wait for ever."""
        if self.instance == instance:
            self.go_on()
