"""What several sessions do at once may go in any order on a server: whichever it took, the lab finds it, and calls it no difference."""

from __future__ import annotations

import random

import pytest

from playground.isolation.choices import Choice, Choices
from playground.isolation.lab import options
from playground.isolation.parsing import parse
from playground.isolation.results import matching, same_rows
from playground.isolation.schedules import random_script
from playground.isolation.server import Server
from playground.isolation.stepping import Stepper
from playground.isolation.syntax import Script
from playground.isolation.verifying import NotCompared
from tests.isolation.comparing import same_on

TABLE = "create table test (id int primary key, value int);\ninsert into test values (1, 10), (2, 20);\n"
BEGINS = "".join(f"T{number}: begin;\n" for number in range(1, 5))
ENDS = "T2: commit;\nT3: commit;\nT4: commit;\n"
THREE_AT_ONCE = {
    "three insert a key that a fourth takes back": "T1: insert into test values (3, 1);\nT2: insert into test values (3, 20);\n"
    "T3: insert into test values (3, 30);\nT4: insert into test values (3, 40);\nT1: rollback;\n",
    "three insert a key that a fourth deletes": "T1: delete from test where id = 1;\nT2: insert into test values (1, 20);\n"
    "T3: insert into test values (1, 30);\nT4: insert into test values (1, 40);\nT1: commit;\n",
    "an updater and two inserters behind an update that is taken back": "T1: update test set value = 5 where id = 2;\n"
    "T2: insert into test values (2, 20);\nT3: update test set value = 6 where id = 2;\nT4: insert into test values (2, 40);\n"
    "T1: rollback;\n",
    "three on two rows of one": "T1: update test set value = 5;\nT2: update test set value = value + 10 where id = 1 or value = 20;\n"
    "T3: update test set value = value + 20 where id = 2;\nT4: select * from test for share;\nT1: commit;\n",
}

THREE_AT_ONCE_ROWS = THREE_AT_ONCE["three on two rows of one"]


class Drawn(Choices):
    """Choices drawn at random, as a server's are."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)

    def choose(self, step: int, count: int) -> Choice:
        self.made.append(Choice(step, count, self.chance.randrange(count)))
        return self.made[-1]


def found_again(script: Script, level: str, seed: int) -> str:
    """Run a script in an order drawn at random, and fail unless that outcome is found; the order in words."""
    chosen = options(level=level)
    drawn = Stepper(script, chosen.database(), level, choices=Drawn(seed))
    drawn.run()
    order, stepper = matching(script, chosen, drawn.outcomes, drawn.final_rows())
    assert stepper.outcomes == drawn.outcomes, script.text()
    assert stepper.final_rows() == drawn.final_rows(), script.text()
    return order


@pytest.mark.parametrize("name", list(THREE_AT_ONCE))
def test_whoever_of_three_goes_on_first_is_found(name: str) -> None:
    script = parse(TABLE + BEGINS + THREE_AT_ONCE[name] + ENDS)
    orders = {found_again(script, "read committed", seed) for seed in range(40)}
    assert len(orders) > 2 and "" in orders


def test_every_order_of_what_happens_at_once_in_random_schedules_is_found() -> None:
    orders = [found_again(random_script(seed, sessions=4), "read committed", seed) for seed in range(400)]
    assert sum(map(bool, orders)) > 5


@pytest.mark.parametrize(("steps", "same"), [("T1: update test set value = 5;", False), (THREE_AT_ONCE_ROWS, True)])
def test_where_rows_lie_counts_unless_several_changed_some_at_once(steps: str, same: bool) -> None:
    run = Stepper(parse(TABLE + BEGINS + steps), options().database(), "read committed")
    run.run()
    rows = run.final_rows()["test"]
    assert same_rows(run, "test", rows) and not same_rows(run, "test", rows[:1])
    assert same_rows(run, "test", rows[::-1]) == same


def test_looking_for_an_order_ends_in_time() -> None:
    script = parse(TABLE + "T1: update test set value = 5;")
    run = Stepper(script, options().database(), "read committed")
    run.run()
    with pytest.raises(NotCompared, match="more orders than could be tried"):
        matching(script, options(), run.outcomes, run.final_rows(), deadline=0.0)


def test_the_order_is_told_by_who_went_before_whom() -> None:
    script = parse(TABLE + BEGINS + THREE_AT_ONCE["three insert a key that a fourth takes back"] + ENDS)
    told = {found_again(script, "read committed", seed) for seed in range(40)}
    assert {"in step 9 T3 went on before T2", "in step 9 T4 went on before T2, T3"} <= told


@pytest.mark.parametrize("name", list(THREE_AT_ONCE))
def test_three_at_once_are_no_difference_from_a_server(server: Server, name: str) -> None:
    script = parse(TABLE + BEGINS + THREE_AT_ONCE[name] + ENDS)
    for _ in range(15):
        same_on(server, script)
