"""The nodes of a cache: what they hold, on which of them a key lies, and how stale it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import append, vec
from mypy_extensions import i64, mypyc_attr

from playground.blocks.cache.node import Node, reordered
from playground.blocks.cache.states import LOCAL, LONG_QUIET_NS, NEVER, NODE_MASK, PLACEMENTS, SHARED
from playground.engine.block import Block
from playground.engine.calls import ABANDONED, TOLD
from playground.engine.hashing import Ring, identity_of
from playground.engine.hot_keys import HotKeys
from playground.engine.outcomes import ABSENT, CACHE_GET, CACHE_SET, CACHE_UNLOCK
from playground.engine.params import Params
from playground.engine.station import Station
from playground.engine.stores import POLICIES
from playground.engine.words import counted, time_text

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Memory(Block):
    """Nodes that share the keys among them by consistent hashing, or that each belong to one instance of the callers."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.jitter_stream = self.stream("ttl jitter")
        self.warm_stream = self.stream("age at the start")
        self.station = Station(simulation, 1, 1, -1)
        self.pool = self.station
        self.nodes: list[Node] = [Node(1, 0)]
        self.ttl_ns: i64 = -1
        self.ttl_jitter: float = 0.0
        self.negative_ns: i64 = -1
        self.warm: i64 = 0
        # Placement.
        self.placement: i64 = SHARED
        self.ring = Ring(1)
        self.virtual_nodes: i64 = 0
        self.remap: bool = True
        self.hot = HotKeys()
        self.hot_replicas: i64 = 1
        self.hot_percent: float = 0.0
        self.hot_turn: i64 = 0
        self.sessions_lost: i64 = 0
        # Staleness.
        self.stale_served: i64 = 0
        self.stale_ns: float = 0.0
        self.invisible: i64 = 0
        self.invisible_noted_at: i64 = -LONG_QUIET_NS
        self.last_key: i64 = 0
        self.last_node: i64 = 0

    def configure_memory(self, params: Params) -> None:
        """Sizes, times to live (those of items that are in stay as they are), placement."""
        count = params.integer("instances")
        policy: i64 = POLICIES.index(params.text("eviction"))
        capacity = params.integer("capacity")
        for number in range(int(self.instances), min(int(count), len(self.nodes))):
            # Another process than the one that was here before: what that put in while it finished is not here.
            self.nodes[number].empty()
        while len(self.nodes) < count:
            self.nodes.append(Node(capacity, policy))
        for number, node in enumerate(self.nodes):
            if policy != node.items.policy:
                node.items = reordered(node.items, policy, capacity)
            elif capacity != node.items.capacity:
                node.items.resize(capacity)
            if count <= number < self.instances:
                self.take_out(number)
        self.ttl_ns = params.ns("ttl_s")
        self.ttl_jitter = params.number("ttl_jitter_percent") / 100.0
        self.negative_ns = params.ns("negative_ttl_s")
        self.warm = params.integer("warm_keys")
        self.place(count, params)
        self.station.resize(count, params.integer("threads"), params.integer("queue_max"))

    def take_out(self, number: i64) -> None:
        """Node ``number`` ends in good order: what it was to write goes to other nodes, and all else that it had in memory is gone."""
        self.lose_sessions(number)
        node = self.nodes[number]
        node.left += 1
        node.empty()

    def lose_sessions(self, number: i64) -> None:
        """Node ``number`` is about to forget its sessions: count and name those that somebody would still come with."""
        lost = self.nodes[number].sessions.presented(self.simulation.people, self.simulation.now)
        self.sessions_lost += lost
        if lost > 0:
            title = f"{counted(lost, 'session')} lost with {self.label_of(number)}"
            self.note("sessions_lost", "bad", title, "Its memory alone had them; their users have to sign in again.")

    def life_of(self, number: i64) -> i64:
        """Which life of node ``number`` this is: crashes begin another one, and so does being taken out and put back."""
        return self.lives[number] + self.nodes[number].left

    def place(self, count: i64, params: Params) -> None:
        """Spread keys over ``count`` nodes."""
        virtual_nodes = params.integer("virtual_nodes")
        if count != self.instances or virtual_nodes != self.virtual_nodes:
            self.virtual_nodes = virtual_nodes
            self.set_instances(count)
            identities = vec[i64]()
            number: i64 = 0
            while number < count and count > 1:
                identities = append(identities, identity_of(self.name, number))
                number += 1
            self.ring.set_members(identities, virtual_nodes)
        self.placement = PLACEMENTS.index(params.text("placement"))
        self.remap = params.flag("remap_dead_nodes")
        replicas = params.integer("hot_key_replicas")
        if replicas != self.hot_replicas or self.placement == LOCAL:
            self.hot.clear()
        self.hot_replicas = replicas
        self.hot_percent = params.number("hot_key_percent")
        self.settle_members()

    def settle_members(self) -> None:
        """Keys of dead nodes go to the next ones, where that is switched on."""
        number: i64 = 0
        while number < self.instances and self.instances > 1:
            self.ring.set_up(number, not self.remap or self.crashed[number] == 0)
            number += 1

    def started(self) -> None:
        """Fill it with the most popular keys, 1 to ``warm_keys``, of all ages."""
        count = self.warm
        node = self.nodes[0]
        most = node.items.capacity * self.instances if self.placement == SHARED else node.items.capacity
        if count > most:
            count = most
        now = self.simulation.now
        key = count
        while key >= 1:
            # The least popular first, so that least recently used means least popular.
            age = 0.0
            if self.ttl_ns >= 0:
                age = self.warm_stream.uniform() * float(self.ttl_ns)
            at = now - i64(age)
            if self.instances == 1:
                node.put(key, 1, at, self.expiry(at), 0)
            elif self.placement == SHARED:
                self.nodes[self.ring.owner(key)].put(key, 1, at, self.expiry(at), 0)
            else:
                for other in self.nodes:
                    other.put(key, 1, at, self.expiry(at), 0)
            key -= 1

    def expiry(self, now: i64) -> i64:
        """When an item that is put in now expires."""
        return self.end_of(self.ttl_ns, now)

    def end_of(self, ttl: i64, now: i64) -> i64:
        """When a time to live that begins now ends, with its jitter."""
        if ttl < 0:
            return NEVER
        if self.ttl_jitter > 0.0:
            ttl = i64(float(ttl) * (1.0 + self.ttl_jitter * (2.0 * self.jitter_stream.uniform() - 1.0)))
        return now + ttl

    # ---- placement

    def choose_instance(self, call: i64) -> None:
        """The node that the call's key lies on, or that belongs to its caller."""
        calls = self.calls
        if self.instances == 1:
            calls.instance[call] = 0
        elif self.placement == LOCAL:
            calls.instance[call] = self.node_of_caller(call)
        else:
            key = calls.key[call]
            number = self.ring.owner(key)
            if self.hot_replicas > 1 and calls.operation[call] == CACHE_GET:
                number = self.replica_for(key, number)
            calls.instance[call] = number if number >= 0 else 0

    def node_of_caller(self, call: i64) -> i64:
        """The node of the server instance that calls; what is said in the background, with a token, goes to the node that gave it."""
        calls = self.calls
        operation = calls.operation[call]
        if (
            calls.flags[call] & TOLD != 0
            and (operation == CACHE_SET or operation == CACHE_UNLOCK)
            and calls.token[call] > 0
        ):
            return (calls.token[call] & NODE_MASK) % self.instances
        parent = calls.parent[call]
        if parent < 0 or calls.flags[call] & ABANDONED != 0 or calls.instance[parent] < 0:
            return 0
        return calls.instance[parent] % self.instances

    def replica_for(self, key: i64, owner: i64) -> i64:
        """Count a read; the node that serves it, in turn where the key is hot."""
        hot = self.hot
        now = self.simulation.now
        if hot.due(now):
            for changed in hot.settle(now, self.hot_percent):
                self.change_heat(changed)
        hot.add(key)
        if not hot.is_hot(key):
            return owner
        owners = self.ring.owners(key, self.hot_replicas)
        if len(owners) == 0:
            return owner
        self.hot_turn = (self.hot_turn + 1) % 1_000_000
        return owners[self.hot_turn % len(owners)]

    def change_heat(self, changed: i64) -> None:
        """A key has become hot: other nodes get copies. Or it is so no more: they lose them."""
        key: i64 = changed if changed >= 0 else -1 - changed
        home = self.ring.owner(key)
        if home < 0:
            return
        if changed < 0:
            self.drop_copies(key, home)
            return
        self.spread(key, home)
        self.note(
            "hot_key",
            "info",
            f"Key {key} is hot at {self.label}",
            f"It is kept on {self.hot_replicas} nodes, which take turns in serving it.",
        )

    def drop_copies(self, key: i64, home: i64) -> None:
        """Take ``key`` out of all nodes but its own."""
        number: i64 = 0
        while number < self.instances:
            if number != home:
                self.nodes[number].remove(key)
            number += 1

    def spread(self, key: i64, home: i64) -> None:
        """Let the replicas of a hot key have what its own node has."""
        node = self.nodes[home]
        entry = node.items.find(key)
        owners = self.ring.owners(key, self.hot_replicas)
        index: i64 = 0
        while index < len(owners):
            number = owners[index]
            index += 1
            if number == home:
                continue
            other = self.nodes[number]
            if entry < 0:
                other.remove(key)
            else:
                items = node.items
                other.put(key, items.version[entry], items.filled_at[entry], items.expires[entry], node.took[entry])

    def changed_at(self, key: i64, number: i64) -> None:
        """What node ``number`` holds of ``key`` has changed; copies follow."""
        if self.hot.hot_all != 0 and self.hot.is_hot(key):
            self.spread(key, number)

    def home(self, key: i64, number: i64) -> i64:
        """The node that keeps the lock of ``key``, when ``number`` serves a call for it."""
        if self.hot.hot_all == 0 or not self.hot.is_hot(key):
            return number
        owner = self.ring.owner(key)
        return owner if owner >= 0 else number

    def keeper(self, key: i64, number: i64) -> i64:
        """The node that what is written of ``key`` belongs to, where it was written at node ``number`` (which may be gone since)."""
        if self.instances == 1:
            return 0
        if self.placement == LOCAL:
            return number % self.instances
        owner = self.ring.owner(key)
        return owner if owner >= 0 else number

    # ---- staleness

    def observe(self, node: Node, key: i64, version: i64) -> None:
        """A read is served with ``version``: count it where that is not the present one."""
        # Asked with every hit: the look-up is spared while the wiring is the same.
        source = self.source_block if self.source_wiring == self.simulation.wiring else self.source()
        if source is None:
            return
        present = source.current_version(key)
        # A write that is still on its way to the store is ahead of it, not stale; one that the store has lost is.
        if version == present or node.unwritten(key) == version:
            return
        if version > present and present > 0 and (self.has_promised(key, version) or source.may_come(key, version)):
            return
        if version == ABSENT:
            self.note_invisible(key, source)
            return
        self.stale_served += 1
        self.stale_ns += float(self.simulation.now - source.written_at(key))

    def has_promised(self, key: i64, version: i64) -> bool:
        """Whether that is a version which was given here, for the store to commit later."""
        return False

    def note_invisible(self, key: i64, source: Block) -> None:
        """Somebody is told that there is no such item, and there is one."""
        self.invisible += 1
        now = self.simulation.now
        if now - self.invisible_noted_at < LONG_QUIET_NS:
            return
        self.invisible_noted_at = now
        age = time_text(now - source.written_at(key))
        self.note(
            "invisible",
            "bad",
            f"Key {key} exists, {self.label} says it doesn't",
            f'It was created {age} ago; "there is none" is cached until its time to live ends.',
        )
