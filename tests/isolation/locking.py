"""Random schedules that do little but lock: three or four transactions on one or two rows."""

from __future__ import annotations

import random

from playground.isolation.parsing import parse
from playground.isolation.schedules import shuffled
from playground.isolation.syntax import Script

ROWS = "create table test (id int primary key, value int);\ninsert into test values (1, 1), (2, 2);\n"
MODES = (" for key share", " for share", " for no key update", " for update")


def locking_script(seed: int) -> Script:
    """Row locks of all kinds, updates and deletes, with many rollbacks: queues, shared locks and soft deadlocks at a row."""
    chance = random.Random(f"locking {seed}")
    lines = []
    for number in range(1, chance.choice((3, 4, 4, 4)) + 1):
        lines.append(f"T{number}: begin;")
        for _ in range(chance.choice((1, 1, 2, 2))):
            row = f"test where id = {chance.choice((1, 1, 1, 1, 2))}"
            change = f"update {row.replace('where', 'set value = value + 1 where')}"
            kinds = [*(f"select * from {row}{mode}" for mode in MODES), change, f"delete from {row}"]
            lines.append(f"T{number}: {chance.choices(kinds, (4, 3, 1.5, 1, 5, 1.5))[0]};")
        lines.append(f"T{number}: {chance.choice(('commit', 'rollback'))};")
    return shuffled(parse(ROWS + "\n".join(lines)), chance.getrandbits(30))


def gap_script(seed: int) -> Script:
    """Shared locks that become exclusive, and inserts beside locked ranges, for InnoDB."""
    chance = random.Random(f"gaps {seed}")
    lines = []
    for number in range(1, 5):
        lines.append(f"T{number}: begin;")
        for _ in range(chance.choice((1, 2, 3))):
            where = chance.choice(("", " where id = 1", " where id = 1", " where id > 2", " where id between 1 and 3"))
            kinds = (
                f"select * from test{where} for share",
                f"update test set value = value + 1{where}",
                f"insert into test values ({chance.choice((3, 4, 5))}, 9)",
                f"delete from test{where}",
            )
            lines.append(f"T{number}: {chance.choices(kinds, (4, 4, 3, 1))[0]};")
        lines.append(f"T{number}: {chance.choice(('commit', 'commit', 'rollback'))};")
    return shuffled(parse(ROWS + "\n".join(lines)), chance.getrandbits(30))
