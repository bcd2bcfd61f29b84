"""Which version of each row decided for a statement that is done: what its snapshot saw, or what it met when it locked or wrote.

A statement that locks or writes looks at a row once more after it has waited, and at that version alone it decides, even if it lets the row
be then. It keeps what it looked at, and how far it was each time that it went on; that, read here, says what it saw, deletions included.
"""

from __future__ import annotations

from collections.abc import Callable

from playground.engine.mvcc.database import Database
from playground.engine.mvcc.innodb import InnoDB
from playground.engine.mvcc.table import Table
from playground.engine.mvcc.terms import BY_KEY, INSERT, MODIFY, NEVER, NO_LOCK, PENDING, READ_UNCOMMITTED
from playground.engine.mvcc.transaction import Transaction
from playground.isolation.planning import LabStatement
from playground.isolation.syntax import Insert, Row


def older(table: Table) -> dict[int, int]:
    """By the position of a version that of the one which it replaced."""
    return {int(table.newer[position]): position for position in range(int(table.size)) if table.newer[position] >= 0}


class Sight:
    """What one statement saw, asked for at the moment at which it is done (or has failed, in a transaction that goes on).

    ``seen`` are positions of versions; ``gone`` has the last versions of rows that it took for deleted, with the xid of who did that;
    ``unsure`` what of these others had not committed: position, xid, the version before (-1: none), whether it is a deletion.
    ``rewritten`` are versions that an update left as they were.
    """

    def __init__(
        self, database: Database, transaction: Transaction, statement: LabStatement, has_failed: bool = False
    ) -> None:
        self.database, self.transaction, self.statement = database, transaction, statement
        self.has_failed = has_failed
        self.table = statement.table
        self.before = older(self.table)
        # By position the first version of the row that a version is of.
        self.first: dict[int, int] = {}
        for first in range(int(self.table.size)):
            position = first if first not in self.before else -1
            while position >= 0:
                self.first[position] = first
                position = int(self.table.newer[position])
        self.seen: set[int] = set()
        self.gone: dict[int, int] = {}
        self.unsure: list[tuple[int, int, int, bool]] = []
        self.rewritten: list[int] = []
        self.where: Callable[[Row], bool] = statement.would_match
        self.shown: Callable[[Row], Row] = statement.shown
        if statement.kind == INSERT:
            self.check_keys()
        elif statement.mode != NO_LOCK or statement.lock_mode != NO_LOCK:
            self.meet()
        else:
            self.read()

    def last(self, position: int) -> int:
        """The last version of the row that a version is of."""
        while self.table.newer[position] >= 0:
            position = int(self.table.newer[position])
        return position

    def ends(self) -> list[int]:
        """The last version of each row that was deleted, committed or not."""
        table = self.table
        return [
            position
            for position in range(int(table.size))
            if table.made_at[position] != NEVER and table.ended_at[position] != NEVER and table.newer[position] < 0
        ]

    def is_over(self, position: int, commits: int) -> bool:
        """Whether a deletion was there: committed by then, or by an earlier statement of the transaction itself."""
        table, mine = self.table, self.transaction
        if table.ended_at[position] == PENDING:
            return table.ended_by[position] == mine.xid and table.ended_in[position] < mine.command
        return table.ended_at[position] <= commits

    def lose(self, position: int) -> None:
        """A row was taken for deleted."""
        self.gone[position] = int(self.table.ended_by[position])

    def read(self) -> None:
        """A SELECT without locks, by its snapshot or, at InnoDB's READ UNCOMMITTED, by what is there."""
        statement, table = self.statement, self.table
        self.seen = set(self.database.seen(self.transaction, statement))
        is_clustered = isinstance(self.database, InnoDB)
        is_dirty = is_clustered and self.transaction.level == READ_UNCOMMITTED
        rows = {int(table.key(position)): self.first[position] for position in self.seen}
        for position in self.ends():
            # InnoDB has one record for each key: a row of its own that is there now hides those before it.
            is_hidden = is_clustered and self.first[position] < rows.get(int(table.key(position)), -1)
            if is_dirty or is_hidden or self.is_over(position, int(statement.snapshot)):
                self.lose(position)
        if is_dirty:
            self.doubt()

    def doubt(self) -> None:
        """What others have not committed may never be; then the versions before are what it should have seen."""
        table, mine = self.table, self.transaction.xid
        for position in sorted(self.seen):
            if table.made_at[position] == PENDING and table.made_by[position] != mine:
                base = self.base(position, int(table.made_by[position]))
                self.unsure.append((position, int(table.made_by[position]), base, False))
        for position, xid in self.gone.items():
            if table.ended_at[position] == PENDING and xid != mine:
                self.unsure.append((position, xid, self.base(position, xid), True))
        self.seen.update(base for _, _, base, _ in self.unsure if base >= 0)

    def base(self, position: int, xid: int) -> int:
        """The version before those that a transaction made of a row, -1 for none."""
        while position >= 0 and self.table.made_by[position] == xid:
            position = self.before.get(position, -1)
        return position

    def meet(self) -> None:
        """A statement that locks or writes."""
        statement, table = self.statement, self.table
        is_clustered = isinstance(self.database, InnoDB)
        if is_clustered:
            self.rewritten = [
                position
                for position in statement.found
                if statement.kind == MODIFY and table.made_by[position] != self.transaction.xid
            ]
        else:
            self.seen = set(self.database.seen(self.transaction, statement))
        rows = {self.first[position]: position for position in statement.looked}
        for position in self.ends():
            # One that it has not looked at: gone when it came by, or put in and taken out again behind it.
            when = self.passed(int(table.key(position))) if is_clustered else int(statement.snapshot)
            if self.first[position] not in rows and self.is_over(position, when) and not self.has_failed:
                self.lose(position)
        taken = {self.first[position] for position in statement.found}
        self.seen = {position for position in self.seen if self.first[position] not in rows}
        for row, position in rows.items():
            is_left = row not in taken and not self.has_failed and statement.would_match(table.row(position))
            end = self.last(position)
            if is_left and table.ended_at[end] != NEVER:
                # It would have had this one, and found it deleted when its wait was over.
                self.lose(end)
            else:
                self.seen.add(position)

    def passed(self, key: int) -> int:
        """The last commit before InnoDB's scan came by a key."""
        statement = self.statement
        at = key
        if statement.path == BY_KEY:
            at = statement.keys.index(key) if key in statement.keys else len(statement.keys)
        (_, commits), *later = statement.went_on
        return max((then for place, then in later if place <= at), default=commits)

    def check_keys(self) -> None:
        """An INSERT: whether there are rows with its keys; where one is, it stops there."""
        statement, table = self.statement, self.table
        assert isinstance(statement.command, Insert)
        keys = {row[0] for row in statement.command.rows[: statement.put + 1]}
        self.where = lambda row: row[0] in keys
        self.shown = lambda row: []
        for position in range(int(table.size)):
            is_born = table.made_at[position] != NEVER and table.newer[position] < 0
            if is_born and table.key(position) in keys:
                if table.ended_at[position] == NEVER:
                    self.seen.add(position)
                else:
                    self.lose(position)
