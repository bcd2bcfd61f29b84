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
