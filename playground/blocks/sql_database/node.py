"""One node of the cluster: its buffer, how far its log has come, and what is wrong with it."""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from playground.blocks.sql_database.log import Fifo, Fork, Log
from playground.blocks.sql_database.states import COPYING, DOWN, LEADER, RECOVERING, REJOINING, REPLICA
from playground.engine.block import Block
from playground.engine.state import State
from playground.engine.stores import LRU, Evicting, KeyIndex


@final
class Node(State):
    """Positions count records of the log; ``written`` >= ``flushed`` >= ``applied`` at a replica. At a leader ``applied`` is what is
    committed.

    ``life`` and ``link`` are epochs: timers of an earlier life, or of an earlier connection to the leader, are void.
    """

    def __init__(self, owner: Block, number: i64, log: Log) -> None:
        # The first one's stream is called as it was when there was only one.
        after = f" of {number + 1}" if number > 0 else ""
        self.number: i64 = number
        self.flush_stream = owner.stream(f"commits{after}")
        self.apply_stream = owner.stream(f"applying{after}")
        self.network_stream = owner.stream(f"replication network{after}")
        self.role: i64 = REPLICA
        # A leader on the legitimate history: its rows are the truth, and reading them takes no look at the log.
        self.plain: bool = False
        self.life: i64 = 0
        self.link: i64 = 0
        self.connected: bool = False
        self.buffer = Evicting(1, LRU)
        self.log = log
        self.fork: Fork | None = None
        self.written: i64 = log.end
        self.flushed: i64 = log.end
        self.applied: i64 = log.end
        # Flushing: one flush at a time; the WAL writer's next round is set.
        self.flushing: bool = False
        self.flush_target: i64 = 0
        self.writer_set: bool = False
        self.applying: bool = False
        # Shipping: what the leader has sent; what is on its way here, and when the last of it arrives; the same for word sent back.
        self.sent: i64 = 0
        self.inbound = Fifo()
        self.arrives_at: i64 = 0
        self.acks = Fifo()
        self.ack_arrives_at: i64 = 0
        self.acked: i64 = 0
        # Where replay would begin after a crash; where it would with the checkpoint that began last, and when that was.
        self.checkpoint: i64 = log.end
        self.redo: i64 = log.end
        self.begun_at: i64 = owner.simulation.now
        # Pages changed since then; of the checkpoint that is being made (since ``checkpoint_at``, -1: none) those still to be written.
        self.checkpoint_stream = owner.stream(f"checkpoints{after}")
        self.dirty = KeyIndex()
        self.checkpoint_at: i64 = -1
        self.checkpoint_set: bool = False
        self.write_span: float = 0.0
        self.to_write: i64 = 0
        self.unwritten: i64 = 0
        self.writing: bool = False
        self.wants_disk: bool = False
        # Calls that wait for a position, in its order.
        self.first_waiter: i64 = -1
        self.last_waiter: i64 = -1
        self.wait_set: bool = False
        # Faults that hold.
        self.apply_stopped: bool = False
        self.cut: bool = False
        self.cut_callers: i64 = 0
        self.disk_factor: float = 1.0
        # Its agent looks from time to time; it has failed to renew the lease, and tries again.
        self.watched: bool = False
        self.retrying: bool = False
        self.lagging: bool = False
        self.behind: bool = False
        # Figures.
        self.reads: i64 = 0
        self.stale: i64 = 0
        self.split_writes: i64 = 0
        self.flushes: i64 = 0

    def is_up(self) -> bool:
        """Whether its database runs and can be asked."""
        role = self.role
        return role != DOWN and role != RECOVERING and role != REJOINING and role != COPYING

    def view(self) -> i64:
        """How far it has the legitimate history."""
        fork = self.fork
        if fork is not None and fork.start < self.applied:
            return fork.start
        return self.applied

    def held(self) -> i64:
        """Up to where it has received the legitimate history; 0 where it has to be copied anew."""
        if self.behind:
            return 0
        fork = self.fork
        return fork.start if fork is not None and fork.start < self.written else self.written

    def stand_at(self, position: i64, log: Log) -> None:
        """Have a copy of the legitimate history up to ``position``, and nothing else."""
        self.fork = None
        self.log = log
        self.written = position
        self.flushed = position
        self.applied = position
        self.checkpoint = position
        self.redo = position

    def settle(self) -> None:
        """Role or branch have changed."""
        self.plain = self.role == LEADER and self.fork is None

    def forget_link(self) -> None:
        """What is on its way between it and its leader will never arrive."""
        self.link += 1
        self.connected = False
        self.inbound.clear()
        self.acks.clear()
        self.arrives_at = 0
        self.ack_arrives_at = 0
        self.sent = self.written
