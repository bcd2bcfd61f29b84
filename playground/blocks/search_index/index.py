"""What the index shows and what is true, item by item, for those that were ever changed; and which terms that concerns."""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.blocks.search_index.states import GHOST, LACKING, OUTDATED, SAME
from playground.engine.columns import grown, zeros
from playground.engine.hashing import hash_32
from playground.engine.row_order import RowOrder
from playground.engine.state import State
from playground.engine.stores import KeyIndex

SALT: Final = 0x7E43


def size(version: i64) -> i64:
    """The number of a version, that of a deletion included."""
    return version if version >= 0 else -version


def replaces(version: i64, undone: i64, present: i64) -> bool:
    """Whether an entry of a log says more than what is known. What it takes back may be known no more, or not yet."""
    if undone > 0:
        return size(present) == undone
    return size(version) > size(present)


@final
class Index(State):
    """An inverted index: an item is in the list of its term. Versions are negative where the item is deleted, 0 where there never was one.

    A list is right when no item of its term differs, so all that a search has to look at is three counts.
    """

    def __init__(self) -> None:
        self.terms: i64 = 1
        # Items 1 to this are alike in index and database at version 1 unless something is known of them.
        self.first_keys: i64 = 0
        # Of those, 1 to this are shown (fewer while everything is read anew).
        self.read_upto: i64 = 0
        self.index = KeyIndex()
        self.key: vec[i64] = zeros(64)
        self.shown: vec[i64] = zeros(64)
        self.true: vec[i64] = zeros(64)
        self.kind: vec[i64] = zeros(64)
        # By term: items that are shown and deleted; not shown and there; shown in an old version.
        self.ghosts: vec[i64] = zeros(1)
        self.lacking: vec[i64] = zeros(1)
        self.outdated: vec[i64] = zeros(1)
        self.differing: i64 = 0
        # The documents that searches see, in order; None until a page of them is wanted.
        self.order: RowOrder | None = None

    def term_of(self, key: i64) -> i64:
        """The term that an item is found by."""
        return hash_32(key, SALT) % self.terms

    def set_terms(self, terms: i64) -> None:
        """Take another number of terms."""
        self.terms = terms
        self.ghosts = zeros(terms)
        self.lacking = zeros(terms)
        self.outdated = zeros(terms)
        entry: i64 = 0
        while entry < self.index.size:
            self.tally(self.kind[entry], self.term_of(self.key[entry]), 1)
            entry += 1

    def tally(self, kind: i64, term: i64, change: i64) -> None:
        """Count an item's difference, or count it no more."""
        if kind == GHOST:
            self.ghosts[term] += change
        elif kind == LACKING:
            self.lacking[term] += change
        elif kind == OUTDATED:
            self.outdated[term] += change

    def entry_of(self, key: i64) -> i64:
        """What is known of an item; made where nothing is."""
        entry = self.index.find(key)
        if entry < 0:
            entry = self.index.size
            if entry >= len(self.key):
                self.key = grown(self.key, 2 * entry)
                self.shown = grown(self.shown, 2 * entry)
                self.true = grown(self.true, 2 * entry)
                self.kind = grown(self.kind, 2 * entry)
            self.index.put(key, entry)
            self.key[entry] = key
            self.shown[entry] = 1 if key <= self.read_upto else 0
            self.true[entry] = 1 if key <= self.first_keys else 0
            self.settle(entry)
        return entry

    def visible(self) -> RowOrder:
        """The documents that searches see, newest first."""
        order = self.order
        if order is None or order.full != self.read_upto:
            order = RowOrder(self.read_upto)
            self.order = order
            entry: i64 = 0
            while entry < self.index.size:
                self.place(entry)
                entry += 1
        return order

    def place(self, entry: i64) -> None:
        """Have a document in the order where it is shown."""
        order = self.order
        if order is None:
            return
        if self.shown[entry] > 0:
            order.put(self.key[entry])
        else:
            order.drop(self.key[entry])

    def settle(self, entry: i64) -> None:
        """Find out anew how an item stands."""
        shown = self.shown[entry]
        true = self.true[entry]
        kind: i64 = SAME
        if shown > 0 and true <= 0:
            kind = GHOST
        elif shown <= 0 and true > 0:
            kind = LACKING
        elif shown > 0 and shown != true:
            kind = OUTDATED
        old = self.kind[entry]
        if kind != old:
            term = self.term_of(self.key[entry])
            self.tally(old, term, -1)
            self.tally(kind, term, 1)
            self.differing += (1 if kind != SAME else 0) - (1 if old != SAME else 0)
            self.kind[entry] = kind

    def observe(self, key: i64, version: i64, undone: i64) -> None:
        """The database has committed this version; or has lost version ``undone``, and has this one again."""
        entry = self.entry_of(key)
        if replaces(version, undone, self.true[entry]):
            self.true[entry] = version
            self.settle(entry)

    def show(self, key: i64, version: i64, undone: i64) -> None:
        """From now on searches see this version, unless they see a newer one already; an older one in place of ``undone`` alone."""
        entry = self.entry_of(key)
        if replaces(version, undone, self.shown[entry]):
            self.shown[entry] = version
            self.place(entry)
            self.settle(entry)

    def begin_with(self, first_keys: i64) -> None:
        """Items 1 to ``first_keys`` are there, all of them shown."""
        self.first_keys = first_keys
        self.read_upto = first_keys

    def forget(self, first_keys: i64) -> None:
        """Nothing is shown any more, and true is, until more is learnt, that items 1 to ``first_keys`` are there."""
        self.order = None
        self.first_keys = first_keys
        self.read_upto = 0
        entry: i64 = 0
        while entry < self.index.size:
            self.shown[entry] = 0
            self.true[entry] = 1 if self.key[entry] <= first_keys else 0
            self.settle(entry)
            entry += 1

    def learn(self, key: i64, version: i64) -> None:
        """A database holds this version. Of several that hold an item, which has moved from one to the other, the newest counts."""
        entry = self.entry_of(key)
        if size(version) > size(self.true[entry]):
            self.true[entry] = version
            self.settle(entry)

    def show_true(self, entry: i64) -> None:
        """Show an item as it is now."""
        self.shown[entry] = self.true[entry]
        self.place(entry)
        self.settle(entry)
