"""Stores of keys against plain Python models: a dict, and lists that evict by the book."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engine.outcomes import ABSENT
from playground.engine.stores import FIFO, LFU, LRU, Evicting, KeyIndex, Versions, slot_hash

# Small ranges collide in the model; the others collide in the table: equal low bits, equal hashes, the widest numbers.
KEYS = st.one_of(
    st.integers(0, 20),
    st.integers(0, 40).map(lambda number: number << 21),
    st.integers(0, 40).map(lambda number: number << 31 | number),
    st.integers(0, (1 << 62) - 1),
)


@given(KEYS)
def test_the_hash_is_the_same_in_whole_numbers_of_any_size(key: int) -> None:
    product = ((key ^ key >> 31) & 0x7FFFFFFF) * 2654435769
    assert product < 1 << 63
    assert slot_hash(key) == product >> 15


# Keys of four neighbouring home slots, one of them behind the table's end: runs that meet and wrap around.
NEIGHBOURS = [key for key in range(2000) if slot_hash(key) & 63 in (62, 63, 0, 1)][:24]
CROWDED = st.lists(st.tuples(st.booleans(), st.sampled_from(NEIGHBOURS)), min_size=60, max_size=120)


@given(st.one_of(CROWDED, st.lists(st.tuples(st.booleans(), KEYS), min_size=100, max_size=300)))
def test_an_index_is_a_dict(steps: list[tuple[bool, int]]) -> None:
    index, model = KeyIndex(), {}
    for number, (puts, key) in enumerate(steps):
        if puts and key not in model:
            index.put(key, number)
            model[key] = number
        elif not puts and key in model:
            index.drop(key)
            del model[key]
        assert index.size == len(model)
        if steps[0][1] in NEIGHBOURS:
            assert [index.find(known) for known in NEIGHBOURS] == [model.get(known, -1) for known in NEIGHBOURS]
        assert index.find(key) == model.get(key, -1)
    for _, key in steps:
        assert index.find(key) == model.get(key, -1)


def test_an_index_survives_a_thousand_keys_of_one_hash_coming_and_going() -> None:
    # Backward-shift deletion must move exactly those that would be cut off from their home slot.
    keys = [number << 31 | number ^ 5 for number in range(1000)]
    assert len({slot_hash(key) for key in keys}) == 1
    index = KeyIndex()
    for entry, key in enumerate(keys):
        index.put(key, entry)
    for key in keys[::3]:
        index.drop(key)
    found = [index.find(key) for key in keys]
    assert found == [-1 if entry % 3 == 0 else entry for entry in range(1000)]


@given(st.lists(KEYS, min_size=30, max_size=200))
def test_versions_start_at_one_and_grow_by_one_with_each_write(keys: list[int]) -> None:
    versions, written = Versions(), {}
    for now, key in enumerate(keys):
        assert versions.read(key) == written.get(key, 1)
        written[key] = written.get(key, 1) + 1
        assert versions.write(key, now) == written[key]
    for key in keys:
        assert versions.read(key) == written[key]


WRITES = st.lists(st.tuples(st.booleans(), st.sampled_from([1, 2, 1 << 40]), st.integers(0, 30)), max_size=60)


@given(WRITES)
def test_versions_grow_through_deletions_and_reach_what_was_promised(steps: list[tuple[bool, int, int]]) -> None:
    versions, model = Versions(), {}
    for now, (deletes, key, at_least) in enumerate(steps):
        there, number, _ = model.get(key, (True, 1, 0))
        number = max(number + 1, at_least)
        model[key] = (not deletes, number, now)
        assert (versions.delete if deletes else versions.write)(key, now, at_least) == number
        for known, (there, number, when) in model.items():
            assert versions.read(known) == (number if there else ABSENT)
            assert versions.when(known) == when
    assert [versions.key[entry] for entry in range(versions.index.size)] == list(model)
    assert (versions.read(3), versions.when(3), versions.written(3)) == (1, 0, 0)


class Model:
    """What the three policies say, in lists: [key, uses], the next to be evicted found by its policy's own words."""

    def __init__(self, capacity: int, policy: int) -> None:
        self.capacity, self.policy = capacity, policy
        # In order of last use (LRU, LFU) or of entry (FIFO).
        self.rows: list[list[int]] = []
        self.values: dict[int, int] = {}

    def touch(self, key: int) -> None:
        row = next(row for row in self.rows if row[0] == key)
        row[1] += 1
        if self.policy != FIFO:
            self.rows.remove(row)
            self.rows.append(row)

    def evict(self) -> None:
        # min() takes the first among equals: the least recently used.
        victim = min(self.rows, key=lambda row: row[1]) if self.policy == LFU else self.rows[0]
        self.remove(victim[0])

    def remove(self, key: int) -> None:
        self.rows = [row for row in self.rows if row[0] != key]
        del self.values[key]

    def put(self, key: int, value: int) -> None:
        if key in self.values:
            self.touch(key)
        else:
            while len(self.rows) >= self.capacity:
                self.evict()
            self.rows.append([key, 1])
        self.values[key] = value

    def resize(self, capacity: int) -> None:
        self.capacity = capacity
        while len(self.rows) > capacity:
            self.evict()


OPERATIONS = st.one_of(
    st.tuples(st.just("put"), KEYS),
    st.tuples(st.just("use"), KEYS),
    st.tuples(st.just("remove"), KEYS),
    st.tuples(st.just("resize"), st.integers(1, 12)),
    st.tuples(st.just("clear"), st.just(0)),
)
MANY_USES = st.lists(st.tuples(st.sampled_from(["put", "use"]), st.integers(0, 9)), min_size=100, max_size=200)


@pytest.mark.parametrize("policy", [LRU, LFU, FIFO], ids=["lru", "lfu", "fifo"])
@given(capacity=st.integers(1, 8), steps=st.one_of(st.lists(OPERATIONS, min_size=40, max_size=150), MANY_USES))
def test_a_store_evicts_what_its_policy_says(policy: int, capacity: int, steps: list[tuple[str, int]]) -> None:
    store, model = Evicting(capacity, policy), Model(capacity, policy)
    for number, (what, key) in enumerate(steps):
        entry = store.find(key)
        if what == "put":
            entry = store.put(key, number, 10 * number, 20 * number)
            model.put(key, number)
            assert (store.version[entry], store.filled_at[entry], store.expires[entry]) == (
                number,
                10 * number,
                20 * number,
            )
        elif what == "use" and entry >= 0:
            store.touch(entry)
            model.touch(key)
        elif what == "remove" and entry >= 0:
            store.remove(entry)
            model.remove(key)
        elif what == "resize":
            store.resize(key)
            model.resize(key)
        elif what == "clear":
            store.clear()
            model.rows, model.values = [], {}
        assert store.size == len(model.rows)
        for known in {step[1] for step in steps}:
            found = store.find(known)
            assert (store.version[found] if found >= 0 else None) == model.values.get(known)


@pytest.mark.parametrize("policy", [LRU, LFU, FIFO], ids=["lru", "lfu", "fifo"])
def test_a_full_store_uses_no_more_memory_however_much_passes_through(policy: int) -> None:
    store = Evicting(100, policy)
    for key in range(5_000):
        store.touch(store.put(key % 700, 1, 0, 0))
    assert store.size == 100
    assert store.evicted == 4_900
    assert store.made == 100
    assert store.groups_made <= 102
