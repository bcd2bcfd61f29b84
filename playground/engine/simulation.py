"""The simulation: virtual time, the event loop, and everything that is wired together.

Virtual time is a whole number of nanoseconds. Events happen in order of (time, sequence), so that a run is a function of engine version,
design, seed and interventions alone. ``trace_hash`` rolls over every event and is part of every result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from mypy_extensions import i64

from playground.engine.bodies import Bodies
from playground.engine.calls import AT_CALLEE, CANCEL_SENT, CANCELLED, RETURNED, WORKING, Calls
from playground.engine.limits import EVENTS_PENDING_MAX, NOTABLES_MAX
from playground.engine.people import People
from playground.engine.queue import CALL, EDGE, FAULT, REPLY, TIMER, WORK, EventQueue
from playground.engine.state import State
from playground.engine.tracing import Tracer

if TYPE_CHECKING:
    from playground.engine.block import Block
    from playground.engine.edge import Edge

HASH_MASK: Final = 0x3FFFFFFFFFFFFFFF
LOW_MASK: Final = 0x7FFFFFFF
HASH_FACTOR: Final = 1812433253


@final
class Simulation(State):
    """One run's whole state. Blocks and edges are added by the catalogue's builder; :meth:`advance` runs it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.now: i64 = 0
        self.events: i64 = 0
        self.hash_low: i64 = 1
        self.hash_high: i64 = 2
        self.queue = EventQueue()
        self.calls = Calls(1024)
        self.bodies = Bodies()
        self.tracer = Tracer()
        self.people = People()
        self.blocks: list[Block] = []
        self.edges: list[Edge] = []
        # Counts changes of what is connected to what.
        self.wiring: i64 = 0
        self.notables: list[tuple[int, str, str, str, str, str]] = []
        self.notables_dropped: i64 = 0
        self.stopped: str = ""

    def advance(self, until: i64, events_max: i64) -> bool:
        """Run to virtual time ``until`` ns, at most ``events_max`` events; True when ``until`` was reached.

        A run that hits a limit sets ``stopped`` to its name and goes no further.
        """
        queue = self.queue
        calls = self.calls
        blocks = self.blocks
        edges = self.edges
        low = self.hash_low
        high = self.hash_high
        done: i64 = 0
        reached = True
        while queue.tail > queue.head and queue.time[queue.head] <= until:
            if done >= events_max or self.stopped:
                reached = False
                break
            first = queue.head
            now = queue.time[first]
            order = queue.order[first]
            what = queue.what[first]
            queue.drop()
            done += 1
            self.now = now
            kind = order & 7
            owner = what >> 32
            argument = what & 0xFFFFFFFF
            # Two multiply-with-carry lanes; products stay below 2**62, so compiled and interpreted agree.
            mixed: i64 = (now ^ (what << 5) ^ kind) & HASH_MASK
            if kind == REPLY:
                mixed ^= calls.outcome[argument] << 40
            elif kind == CALL:
                mixed = (mixed ^ (calls.key[argument] << 17)) & HASH_MASK
            low ^= mixed
            low = (low & LOW_MASK) * HASH_FACTOR + (low >> 31)
            high ^= low >> 7
            high = (high & LOW_MASK) * 1566083941 + (high >> 31)
            if kind > TIMER:
                self.on_rare(kind, (order >> 3) & 31, owner, argument)
            else:
                block = blocks[owner]
                if block.stalling and block.stall(kind, (order >> 3) & 31, argument, owner):
                    continue
                if kind == CALL:
                    block.receive(argument)
                elif kind == REPLY:
                    edges[calls.edge[argument]].on_reply(argument)
                elif kind == WORK:
                    flags = calls.flags[argument] & ~WORKING
                    calls.flags[argument] = flags
                    if flags & CANCELLED != 0:
                        calls.release(argument)
                    else:
                        block.on_work(argument)
                else:
                    block.on_timer((order >> 3) & 31, argument)
            if calls.overflowed:
                self.stopped = "calls_in_flight"
            elif queue.pending() > EVENTS_PENDING_MAX:
                self.stopped = "events_pending"
        self.events += done
        self.hash_low = low
        self.hash_high = high
        if self.stopped:
            reached = False
        if reached and until > self.now:
            self.now = until
        return reached

    def on_rare(self, kind: i64, tag: i64, owner: i64, argument: i64) -> None:
        """An edge's timer, the end of a fault, or a cancellation."""
        if kind == EDGE:
            edge = self.edges[owner]
            caller = edge.caller
            if not caller.stalling or not caller.stall(kind, tag, argument, owner):
                edge.on_timer(tag, argument)
        elif kind == FAULT:
            if tag == 1:
                self.edges[owner].end_fault(argument)
            else:
                self.blocks[owner].end_fault(argument)
        else:
            block = self.blocks[owner]
            if not block.stalling or not block.stall(kind, tag, argument, owner):
                self.cancel(block, argument, tag)

    def cancel(self, block: Block, call: i64, tag: i64) -> None:
        """A cancellation, or word that the connection is closed, has arrived at the callee."""
        calls = self.calls
        flags = calls.flags[call] & ~CANCEL_SENT
        calls.flags[call] = flags
        if flags & RETURNED != 0:
            calls.release(call)
        elif flags & AT_CALLEE != 0:
            if tag == 0:
                block.cancel(call)
            else:
                block.on_hang_up(call)
        elif tag == 0 and calls.arrived[call] < 0:
            calls.flags[call] = flags | CANCELLED

    def trace_hash(self) -> str:
        """The rolling hash over all events so far, 32 hexadecimal digits."""
        return f"{int(self.hash_low) & HASH_MASK:016x}{int(self.hash_high) & HASH_MASK:016x}"

    def note(self, kind: str, severity: str, target: str, title: str, detail: str) -> None:
        """Name a notable moment. ``severity``: info, good, warning or bad."""
        if len(self.notables) >= NOTABLES_MAX:
            self.notables_dropped += 1
            return
        self.notables.append((int(self.now), kind, severity, target, title, detail))
