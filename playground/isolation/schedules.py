"""Random scripts, to hold the lab against a real server, and shuffles of a script's steps."""

from __future__ import annotations

import random
from collections.abc import Sequence

from playground.engine.mvcc.terms import LEVELS
from playground.isolation.parsing import parse
from playground.isolation.syntax import Script, Step

KEYS = (1, 2, 3)
NEW_KEYS = (1, 2, 3, 4, 5)
VALUES = (10, 20, 30, 40)
LOCKS = (" for update", " for share", " for no key update", " for key share")
LOCK_WEIGHTS = (1, 1, 1, 1)
WIDE_TABLES = ("test", "other")
KINDS = ("read", "read all", "read where", "lock", "update", "update where", "insert", "delete", "delete where")
KIND_WEIGHTS = (4, 2, 3, 3, 6, 2, 3, 2, 1)
LOCKING_WEIGHTS = (1, 1, 1, 8, 5, 2, 2, 4, 1)
"""The mix of most scripts, and of a third of them that mostly lock."""


def shuffled(script: Script, seed: int) -> Script:
    """The same steps in a random order in which each session keeps its own."""
    chance = random.Random(seed)
    left: dict[str, list[Step]] = {name: [] for name in script.sessions}
    for step in script.steps:
        left[step.session].append(step)
    steps: list[Step] = []
    while any(left.values()):
        # Each order is equally likely when a session is drawn by what it has left.
        names = [name for name, rest in left.items() for _ in rest]
        steps.append(left[chance.choice(names)].pop(0))
    return Script(script.tables, tuple(steps))


def random_script(seed: int, levels: Sequence[str] = (), sessions: int = 0) -> Script:
    """Two or three transactions of one to four statements on a table of three rows; levels are drawn from ``levels``, all by default."""
    chance = random.Random(seed)
    count = sessions or chance.choice((2, 2, 3, 3, 3))
    table = "create table test (id int primary key, value int);\ninsert into test values (1, 10), (2, 20), (3, 30);\n"
    one_level = chance.choice(list(levels or LEVELS[1:]))
    is_mixed = chance.random() < 0.3
    mix = LOCKING_WEIGHTS if chance.random() < 1 / 3 else KIND_WEIGHTS
    lines = []
    for number in range(1, count + 1):
        level = chance.choice(list(levels or LEVELS)) if is_mixed else one_level
        only = " read only" if chance.random() < 0.08 else ""
        lines.append(f"T{number}: begin isolation level {level}{only};")
        kinds = ("read", "read all", "read where") if only else KINDS
        weights = (2, 1, 1) if only else mix
        for kind in chance.choices(kinds, weights, k=chance.randint(1, 4)):
            lines.append(f"T{number}: {statement(kind, chance)};")
        lines.append(f"T{number}: {'commit' if chance.random() < 0.85 else 'rollback'};")
    return shuffled(parse(table + "\n".join(lines)), chance.getrandbits(32))


def wide_script(seed: int) -> Script:
    """As :func:`random_script`, on two tables of one to 150 rows, with what transactions seldom do.

    A BEGIN in a transaction, with a level or READ ONLY or READ WRITE; statements outside a transaction; keys far apart; conditions that say
    a thing twice, can't be true, or compare columns; numbers beyond 4 bytes in WHERE and SET.
    """
    chance = random.Random(seed)
    count = chance.choice((1, 2, 3, 4, 5, 12, 60, 150))
    step = chance.choice((1, 1, 1, 400))
    keys = [number * step for number in range(1, count + 1)]
    rows = ", ".join(f"({key}, {chance.choice(VALUES)})" for key in keys)
    table = "".join(
        f"create table {name} (id int primary key, value int);\ninsert into {name} values {rows};\n"
        for name in WIDE_TABLES
    )
    one_level = chance.choice(("serializable", *LEVELS))
    lines = []
    for number in range(1, chance.choice((2, 3, 3, 4)) + 1):
        for _ in range(chance.choice((1, 1, 2))):
            said = [wide_statement(keys, chance) for _ in range(chance.randint(1, 4))]
            if chance.random() < 0.8:
                begin = wide_begin(one_level if chance.random() < 0.8 else chance.choice(LEVELS), chance)
                said = [begin, *said, "commit" if chance.random() < 0.85 else "rollback"]
            for _ in range(chance.choice((0, 0, 1))):
                said.insert(chance.randint(0, len(said)), wide_begin(chance.choice((None, *LEVELS)), chance))
            lines += [f"T{number}: {statement};" for statement in said]
    return shuffled(parse(table + "\n".join(lines)), chance.getrandbits(32))


def wide_begin(level: str | None, chance: random.Random) -> str:
    """BEGIN with a level (None: without), and now and then with READ ONLY or READ WRITE."""
    access = chance.choices(("", " read only", " read write"), (8, 1, 1))[0]
    return f"begin{'' if level is None else f' isolation level {level}'}{access}"


def wide_condition(keys: Sequence[int], chance: random.Random) -> str:
    """A WHERE clause of any kind."""
    key, other, value = chance.choice(keys), chance.choice(keys) + chance.choice((0, 1)), chance.choice(VALUES)
    low, high = min(key, other), max(key, other)
    return chance.choice(
        (
            *(f"id = {key}", f"id in ({key}, {other})", f"id between {low} and {high}", f"id > {low} and id <= {high}"),
            *(f"id = {key} or id = {key}", f"id = {key} or value = {value} or id = {key}", f"value = {value} or value = {value}"),
            *(f"id = {key} and value = {value} or id = {key} and value <> 20", f"id in ({key}) or (id) = {key}"),
            *(f"not id <> {key}", f"not (id < {low} or id > {high})", f"not id in ({key}, {other})", f"id = {key} or 1 = 2"),
            *(f"id = value and value = {key}", f"id = {key} and id = {other}", "value = 10 and value = 20", "1 = 2", "value = value"),
            *(f"id = {key} or 1 = 1", f"(id = {key}) = (value = {value})", "id = -1", f"id > {high} and id < {low}"),
            *(f"value * 100000000 > {value}", f"id = {key} and value * 100000000 = {value}", f"value * 70000000 / 70000000 = {value}"),
            *(f"value * 100000000 > 0 and id = {key}", f"value = {value} or value * 70000000 <> 1", "value * 70000000 > 5 and value < 40"),
        )
    )  # fmt: skip


def wide_statement(keys: Sequence[int], chance: random.Random) -> str:
    """One statement of :func:`wide_script`."""
    table = chance.choice(WIDE_TABLES)
    where = wide_condition(keys, chance)
    kind = chance.choices(("read", "lock", "update", "insert", "delete"), (5, 2, 5, 2, 1))[0]
    if kind == "read":
        return f"select {chance.choice(('*', 'id', 'count(*)', 'sum(value)'))} from {table} where {where}"
    if kind == "lock":
        return f"select * from {table} where {where}{chance.choice(LOCKS)}"
    if kind == "update":
        value = chance.choice(("value + 10", "20", "value * 80000000", "value * 70000000 / 70000000", "-value"))
        return f"update {table} set value = {value} where {where}"
    if kind == "insert":
        return f"insert into {table} values ({chance.choice(keys) + chance.choice((0, 1, 1, 2, 700))}, {chance.choice(VALUES)})"
    return f"delete from {table} where {where}"


def condition(chance: random.Random) -> str:
    """A WHERE clause that isn't about a single key."""
    return chance.choice(
        (
            f"value = {chance.choice(VALUES)}",
            f"value >= {chance.choice(VALUES)}",
            "value % 20 = 0",
            f"id >= {chance.choice(KEYS)}",
            f"id between {chance.choice((1, 2))} and {chance.choice((2, 3, 4))}",
            f"id in ({chance.choice(KEYS)}, {chance.choice(NEW_KEYS)})",
            f"id = {chance.choice(KEYS)} and value = {chance.choice(VALUES)}",
            f"id = {chance.choice(KEYS)} or value = {chance.choice(VALUES)}",
        )
    )


def statement(kind: str, chance: random.Random) -> str:
    """One random statement."""
    key, value = chance.choice(KEYS), chance.choice(VALUES)
    assignment = chance.choice(
        (f"value = {value}", "value = value + 10", "value = value - 10", f"value = id * {value}")
    )
    if kind == "read":
        return f"select * from test where id = {key}"
    if kind == "read all":
        return chance.choice(("select * from test", "select count(*) from test", "select sum(value) from test"))
    if kind == "read where":
        what = chance.choice(("*", "id", "count(*)", "sum(value)"))
        return f"select {what} from test where {condition(chance)}"
    if kind == "lock":
        where = chance.choice(("", f" where id = {key}", f" where id = {key}", f" where {condition(chance)}"))
        return f"select * from test{where}{chance.choices(LOCKS, LOCK_WEIGHTS)[0]}"
    if kind == "update":
        return f"update test set {assignment} where id = {key}"
    if kind == "update where":
        return f"update test set {assignment} where {condition(chance)}"
    if kind == "insert":
        rows = [f"({chance.choice(NEW_KEYS)}, {chance.choice(VALUES)})" for _ in range(chance.choice((1, 1, 1, 2)))]
        return f"insert into test values {', '.join(rows)}"
    if kind == "delete":
        return f"delete from test where id = {key}"
    return f"delete from test where {condition(chance)}"
