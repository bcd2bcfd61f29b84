"""Which member of a group a key belongs to: hashes of keys, a ring with virtual nodes, a Maglev table, bounds on loads.

A member has a number here and an identity that stays with it wherever it is listed, so that two groups that share a member
agree on its keys, and so that others' coming and going does not touch them.
"""

from __future__ import annotations

from math import ceil
from typing import Final, final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.engine.columns import filled, zeros
from playground.engine.state import State

LOW_32: Final = 0xFFFFFFFF
MEMBER_BITS: Final = 20
MEMBER_MASK: Final = (1 << MEMBER_BITS) - 1

RING_POINTS_MAX: Final = 1_000_000
"""Points on one ring, all members' together; members that want more get an equal share of these."""

MAGLEV_SLOTS: Final = 65_537
"""Slots of a Maglev table: the prime that the paper uses for up to some hundreds of members."""


def scrambled(value: i64) -> i64:
    """A bijection of 32-bit numbers in which every bit of the answer depends on every bit of ``value``.

    C. Wellons' ``lowbias32``. The second factor has 32 bits: its product is taken in halves, so that nothing reaches 2**63.
    """
    value ^= value >> 16
    value = (value * 0x7FEB352D) & LOW_32
    value ^= value >> 15
    value = ((((value >> 16) * 0x846CA68B) & 0xFFFF) << 16) + (value & 0xFFFF) * 0x846CA68B & LOW_32
    return value ^ (value >> 16)


def hash_32(key: i64, salt: i64) -> i64:
    """32 well-mixed bits of a key (>= 0); another ``salt`` (>= 0) gives another, independent hash."""
    mixed = scrambled((salt & LOW_32) ^ 0x9E3779B9)
    mixed = scrambled(mixed ^ (key & LOW_32))
    return scrambled(mixed ^ (key >> 32 & LOW_32) ^ 0x85EBCA6B)


def hash_62(key: i64, salt: i64) -> i64:
    """62 well-mixed bits of a key; see :func:`hash_32`."""
    return hash_32(key, salt) << 30 | hash_32(key, salt ^ 0x5BD1E995) >> 2


def identity_of(name: str, number: i64) -> i64:
    """What tells member ``number`` of the group called ``name`` from all others: 62 bits (FNV-1a over the name, then mixed)."""
    folded: i64 = 0x811C9DC5
    for octet in name.encode():
        folded = ((folded ^ octet) * 0x01000193) & LOW_32
    return hash_62(number, folded)


def share_max(factor: float, total: i64, members: i64) -> i64:
    """The most that one of ``members`` may carry of ``total``, ceil(factor x mean): some member always has room for a factor >= 1.

    V. Mirrokni, M. Thorup and M. Zadimoghaddam, "Consistent hashing with bounded loads", SODA 2018.
    """
    return i64(ceil(factor * float(total) / float(members) - 1e-9))


@final
class Ring(State):
    """Consistent hashing: members own the arcs before their points on a circle, so one that comes or goes moves its own keys alone.

    D. Karger et al., "Consistent hashing and random trees", STOC 1997. ``virtual_nodes`` points a member make the arcs even:
    shares differ by about 1 / sqrt(virtual_nodes). A member that is down keeps its points, and its keys go to the next ones.
    """

    def __init__(self, virtual_nodes: i64) -> None:
        self.virtual_nodes: i64 = virtual_nodes
        # By member: its identity, -1 for one that was removed; whether it is up.
        self.identity: vec[i64] = vec[i64]()
        self.up: vec[i64] = vec[i64]()
        self.members: i64 = 0
        self.members_up: i64 = 0
        # Sorted: 42 bits of place, then the member.
        self.points: vec[i64] = vec[i64]()

    def set_members(self, identities: vec[i64], virtual_nodes: i64) -> None:
        """Take these members, all up, numbered as they come; ``virtual_nodes`` points for each."""
        self.virtual_nodes = virtual_nodes
        self.identity = identities[:]
        self.up = filled(len(identities), 1)
        self.lay_out()

    def add(self, identity: i64) -> i64:
        """Add a member, which is up; its number."""
        self.identity = append(self.identity, identity)
        self.up = append(self.up, 1)
        self.lay_out()
        return len(self.identity) - 1

    def remove(self, member: i64) -> None:
        """Take a member out; the others keep their numbers."""
        self.identity[member] = -1
        self.up[member] = 0
        self.lay_out()

    def set_up(self, member: i64, up: bool) -> None:
        """Let a member take keys, or let them go to those behind it."""
        wanted: i64 = 1 if up else 0
        if self.identity[member] >= 0 and self.up[member] != wanted:
            self.up[member] = wanted
            self.members_up += 1 if up else -1

    def points_each(self) -> i64:
        """Points of each member."""
        if self.members == 0:
            return 0
        most: i64 = RING_POINTS_MAX // self.members
        return self.virtual_nodes if self.virtual_nodes < most else most

    def lay_out(self) -> None:
        """Put every member's points on the circle."""
        self.members = 0
        self.members_up = 0
        member: i64 = 0
        count: i64 = len(self.identity)
        while member < count:
            if self.identity[member] >= 0:
                self.members += 1
                self.members_up += self.up[member]
            member += 1
        each = self.points_each()
        places: list[int] = []
        member = 0
        while member < count:
            identity = self.identity[member]
            number: i64 = 0
            while identity >= 0 and number < each:
                place = hash_62(identity, number + 1) >> MEMBER_BITS
                places.append(int(place << MEMBER_BITS | member))
                number += 1
            member += 1
        places.sort()
        points = vec[i64](capacity=len(places))
        for place in places:
            points = append(points, place)
        self.points = points

    def first_point(self, key: i64) -> i64:
        """The first point at or behind the place of ``key``."""
        wanted = hash_62(key, 0) >> MEMBER_BITS << MEMBER_BITS
        low: i64 = 0
        high: i64 = len(self.points)
        points = self.points
        while low < high:
            middle = (low + high) >> 1
            if points[middle] < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(points) else 0

    def owner(self, key: i64) -> i64:
        """The member that ``key`` belongs to, the next one where it is down; -1 when none is up."""
        if self.members_up == 0:
            return -1
        points = self.points
        count: i64 = len(points)
        point = self.first_point(key)
        while self.up[points[point] & MEMBER_MASK] == 0:
            point = point + 1 if point + 1 < count else 0
        return points[point] & MEMBER_MASK

    def owner_below(self, key: i64, load: vec[i64], limit: i64) -> i64:
        """As :meth:`owner`, past members that carry ``limit`` already; ``load`` goes by member. -1 when all do."""
        points = self.points
        count: i64 = len(points)
        point = self.first_point(key) if count > 0 else 0
        looked: i64 = 0
        while looked < count:
            member = points[point] & MEMBER_MASK
            if self.up[member] != 0 and load[member] < limit:
                return member
            point = point + 1 if point + 1 < count else 0
            looked += 1
        return -1

    def owners(self, key: i64, wanted: i64) -> vec[i64]:
        """The first ``wanted`` different members behind the place of ``key`` that are up; fewer where there are no more."""
        found = vec[i64]()
        if wanted > self.members_up:
            wanted = self.members_up
        points = self.points
        count: i64 = len(points)
        point = self.first_point(key) if wanted > 0 else 0
        while len(found) < wanted:
            member = points[point] & MEMBER_MASK
            if self.up[member] != 0 and not holds(found, member):
                found = append(found, member)
            point = point + 1 if point + 1 < count else 0
        return found


def holds(column: vec[i64], value: i64) -> bool:
    """Whether a short column holds ``value``."""
    index: i64 = 0
    count: i64 = len(column)
    while index < count:
        if column[index] == value:
            return True
        index += 1
    return False


@final
class Maglev(State):
    """A table of slots that members fill in turns, each in an order of its own: as even as can be, and nearly as steady as a ring.

    D. Eisenbud et al., "Maglev: a fast and reliable software network load balancer", NSDI 2016, section 3.4. The number of slots
    is prime, so that every step visits all of them. Members that are not there when it is filled have no slots.
    """

    def __init__(self, slots: i64) -> None:
        self.slots: i64 = slots
        self.members: i64 = 0
        self.table: vec[i64] = vec[i64]()

    def fill(self, identities: vec[i64], up: vec[i64]) -> None:
        """Fill the table anew by the members that are up (1), numbered as they come."""
        slots = self.slots
        offset = vec[i64]()
        step = vec[i64]()
        number = vec[i64]()
        index: i64 = 0
        while index < len(identities):
            if up[index] != 0:
                offset = append(offset, hash_62(identities[index], 1) % slots)
                step = append(step, hash_62(identities[index], 2) % (slots - 1) + 1)
                number = append(number, index)
            index += 1
        self.members = len(number)
        if self.members == 0:
            self.table = vec[i64]()
            return
        table = filled(slots, -1)
        at = offset[:]
        taken: i64 = 0
        while taken < slots:
            index = 0
            while index < self.members and taken < slots:
                slot = at[index]
                while table[slot] >= 0:
                    slot += step[index]
                    if slot >= slots:
                        slot -= slots
                table[slot] = number[index]
                at[index] = slot
                taken += 1
                index += 1
        self.table = table

    def owner(self, key: i64) -> i64:
        """The member that ``key`` belongs to, -1 when there is none."""
        return self.table[hash_62(key, 0) % self.slots] if self.members > 0 else -1

    def owner_below(self, key: i64, load: vec[i64], limit: i64) -> i64:
        """As :meth:`owner`, past members that carry ``limit`` already, slot after slot; -1 when all do."""
        if self.members == 0:
            return -1
        slot = hash_62(key, 0) % self.slots
        looked: i64 = 0
        while looked < self.slots:
            member = self.table[slot]
            if load[member] < limit:
                return member
            slot = slot + 1 if slot + 1 < self.slots else 0
            looked += 1
        return -1

    def shares(self, members: i64) -> vec[i64]:
        """Slots by member, for ``members`` numbers."""
        counted = zeros(members)
        index: i64 = 0
        while index < len(self.table):
            counted[self.table[index]] += 1
            index += 1
        return counted


def remainder(key: i64, count: i64) -> i64:
    """Hash mod N: simple and even, but nearly every key moves when ``count`` changes."""
    return hash_62(key, 0) % count
