"""The process behind :class:`playground.headless.running.Replica`: reads one order, writes a line of results for each seed.

python -m playground.headless.replica < {"scenario": ..., "seeds": [1, 2]}
"""

from __future__ import annotations

import json
import select
import sys

from playground.headless.running import run_once
from playground.protocol.design import parse_scenario
from playground.protocol.errors import InputError

GIVEN_UP = 3


def give_up_when_alone() -> None:
    """End this process once nobody holds the other end of its input: after the order nothing comes but that end."""
    if select.select([sys.stdin.buffer], [], [], 0)[0]:
        sys.exit(GIVEN_UP)


def main() -> None:
    """Do the order on standard input."""
    order = json.loads(sys.stdin.buffer.readline())
    scenario = parse_scenario(order["scenario"])
    for seed in order["seeds"]:
        try:
            answer = run_once(scenario.model_copy(update={"seed": seed}), give_up_when_alone)
        except InputError as error:
            answer = {"problems": [problem.model_dump() for problem in error.problems]}
        sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
