"""The rows on the cluster's legitimate history: the committed version of each, and the latest record that the log has of it."""

from __future__ import annotations

from typing import final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.blocks.sql_database.log import Log, writer_of
from playground.blocks.sql_database.states import COPIED
from playground.engine.columns import grown, zeros
from playground.engine.state import State
from playground.engine.stores import Versions


@final
class Rows(State):
    """Columns by entry of ``versions``: ``issued``, the highest version that anybody ever gave out, on any branch, so that a version names
    one write for ever; ``latest``, the version of the newest record (committed or not, negative: it deletes); ``last``, its position;
    ``by``, who wrote the committed version: twice the user's number after the next (0: nobody), and 1 more where they were told of it.
    """

    def __init__(self) -> None:
        self.versions = Versions()
        self.issued: vec[i64] = zeros(64)
        self.latest: vec[i64] = zeros(64)
        self.last: vec[i64] = zeros(64)
        self.by: vec[i64] = zeros(64)
        # Keys of versions that this history lacks, in the order in which it was known: taken back, or given on a branch.
        self.strayed: vec[i64] = vec[i64]()

    def entry_of(self, key: i64, is_there: bool) -> i64:
        """The entry of ``key``; one that is made now says that the row was there from the start, or never."""
        versions = self.versions
        entry = versions.index.find(key)
        if entry >= 0:
            return entry
        entry = versions.entry_of(key)
        if entry >= len(self.issued):
            length: i64 = len(versions.version)
            self.issued = grown(self.issued, length)
            self.latest = grown(self.latest, length)
            self.last = grown(self.last, length)
            self.by = grown(self.by, length)
        version: i64 = 1 if is_there else -1
        versions.version[entry] = version
        self.issued[entry] = 1
        self.latest[entry] = version
        self.last[entry] = 0
        return entry

    def reserve(self, entry: i64, issued: i64) -> None:
        """Versions up to ``issued`` were given out elsewhere."""
        if self.issued[entry] < issued:
            self.issued[entry] = issued

    def stray(self, key: i64) -> None:
        """A version that was given to a write of ``key`` names nothing in this history."""
        self.strayed = append(self.strayed, key)

    def issue(self, entry: i64, at_least: i64) -> i64:
        """A version that nobody ever gave out for this row, ``at_least`` or more."""
        version = self.issued[entry] + 1
        if version < at_least:
            version = at_least
        self.issued[entry] = version
        return version

    def commit(self, log: Log, position: i64, now: i64) -> i64:
        """The record at ``position`` is what everybody sees now; the entry of its key."""
        slot = log.slot(position)
        versions = self.versions
        entry = versions.index.find(log.key[slot])
        user = log.user[slot]
        before = versions.written_at[entry]
        log.before_by[slot] = self.by[entry]
        self.by[entry] = 2 * (writer_of(user) + 1)
        if user <= COPIED:
            # A row that was copied keeps the time of its own commit, which stands here until this one.
            versions.written_at[entry] = log.before_at[slot]
            self.by[entry] += 1 if log.acked[slot] != 0 else 0
        else:
            versions.written_at[entry] = now
        log.before_at[slot] = before
        versions.version[entry] = log.version[slot]
        return entry

    def take_back(self, log: Log, position: i64) -> None:
        """The newest record of its key, at ``position``, is no more; neither is the commit, if there was one."""
        slot = log.slot(position)
        versions = self.versions
        entry = versions.index.find(log.key[slot])
        self.latest[entry] = log.before[slot]
        self.last[entry] = log.previous[slot]
        self.stray(log.key[slot])
        if log.committed[slot] > 0:
            versions.version[entry] = log.before[slot]
            versions.written_at[entry] = log.before_at[slot]
            self.by[entry] = log.before_by[slot]

    def answer_for(self, log: Log, key: i64, is_served: bool) -> None:
        """Whether this database serves a row from now on, so that a write to it is lost when its record is."""
        entry = self.versions.index.find(key)
        position = self.last[entry] if entry >= 0 else 0
        while position > log.base:
            slot = log.slot(position)
            if (log.acked[slot] < 0) == is_served:
                log.acked[slot] = -log.acked[slot]
            position = log.previous[slot]

    def version_at(self, log: Log, key: i64, applied: i64) -> i64:
        """The version of ``key`` that a node sees which has applied ``log`` up to ``applied``; 0 where no record ever said anything."""
        entry = self.versions.index.find(key)
        if entry < 0:
            return 0
        version = self.latest[entry]
        position = self.last[entry]
        while position > applied:
            slot = log.slot(position)
            version = log.before[slot]
            position = log.previous[slot]
        return version

    def first_missed(self, log: Log, key: i64, applied: i64) -> i64:
        """The position of the first committed write to ``key`` past ``applied``; 0 where there is none."""
        entry = self.versions.index.find(key)
        if entry < 0:
            return 0
        missed: i64 = 0
        position = self.last[entry]
        while position > applied:
            if position <= log.visible:
                missed = position
            position = log.previous[log.slot(position)]
        return missed
