"""What a verdict claims, tried out: whether what committed could have run one transaction after the other."""

from __future__ import annotations

import random
from itertools import permutations
from typing import Any

from playground.isolation.lab import Lab, options
from playground.isolation.parsing import parse
from playground.isolation.schedules import shuffled
from playground.isolation.stepping import FAILS, FINISHED
from playground.isolation.syntax import Begin, Commit, Rollback, Script, Step

READ_ONLY = "1792"
MANY = 5
"""So many transactions have 120 orders; schedules with more are left out."""


def hot_script(seed: int, level: str) -> Script:
    """Three or four transactions on two rows: keys are deleted and put in again, values come and go, many read by a condition."""
    chance = random.Random(seed)
    lines = []
    for number in range(1, chance.choice((3, 3, 4)) + 1):
        lines.append(f"T{number}: begin isolation level {level};")
        for _ in range(chance.randint(1, 4)):
            key, value, other = chance.randint(1, 3), chance.randint(0, 3), chance.randint(0, 3)
            lines.append(
                f"T{number}: "
                + chance.choice(
                    (
                        f"select * from test where value = {value}",
                        f"select count(*) from test where value >= {value}",
                        "select * from test",
                        f"select id from test where value = {value} for share",
                        f"update test set value = {other} where value = {value}",
                        f"update test set value = value + 1 where id = {key}",
                        f"update test set value = value - 1 where value > {value} or id = {key}",
                        f"delete from test where value = {value}",
                        f"delete from test where id = {key}",
                        f"insert into test values ({key}, {value})",
                        f"insert into test values ({key}, {value})",
                    )
                )
                + ";"
            )
        lines.append(f"T{number}: {chance.choice(('commit', 'commit', 'commit', 'rollback'))};")
    table = "create table test (id int primary key, value int);\ninsert into test values (1, 1), (2, 2);\n"
    return shuffled(parse(table + "\n".join(lines)), chance.getrandbits(32))


def committed_statements(lab: Lab) -> list[list[int]]:
    """Of each transaction that committed the statements that were done, or failed alone (MySQL), without BEGIN and COMMIT."""
    steps, outcomes = lab.script.steps, lab.stepper.outcomes
    found = []
    for number in sorted(lab.committed()):
        begun = lab.stepper.transactions[number][1]
        owned = [index for index in range(begun, len(steps)) if lab.owns(number, index)]
        if isinstance(steps[begun].command, Begin):
            ends = [index for index in owned if isinstance(steps[index].command, Commit | Rollback)]
            owned = [index for index in owned if not ends or index < ends[0]]
        else:
            owned = owned[:1]
        body = [
            index
            for index in owned
            if not isinstance(steps[index].command, Begin)
            and outcomes[index].status in (FINISHED, FAILS)
            and outcomes[index].code != READ_ONLY
        ]
        if body:
            found.append(body)
    return found


def results(lab: Lab, indexes: list[int]) -> list[Any]:
    """What some statements returned; rows in any order."""
    outcomes = [lab.stepper.outcomes[index] for index in indexes]
    return [(sorted(map(repr, one.rows)), one.tag, one.code) for one in outcomes]


def could_be_serial(lab: Lab) -> bool | None:
    """Whether some serial order of what committed returns the same, and leaves the same rows; None for too many transactions."""
    bodies = committed_statements(lab)
    if len(bodies) > MANY:
        return None
    left = {name: sorted(rows) for name, rows in lab.stepper.final_rows().items()}
    for order in permutations(bodies):
        indexes = [index for body in order for index in body]
        if not indexes:
            return left == {table.name: sorted(map(list, table.rows)) for table in lab.script.tables}
        steps = [lab.script.steps[index] for index in indexes]
        script = Script(lab.script.tables, tuple(Step("T1", one.command, one.text, one.line) for one in steps))
        alone = Lab(script, options(lab.options.dialect, "read committed"), keeps_states=False)
        alone.run()
        after = {name: sorted(rows) for name, rows in alone.stepper.final_rows().items()}
        if after == left and results(alone, list(range(len(indexes)))) == results(lab, indexes):
            return True
    return False
