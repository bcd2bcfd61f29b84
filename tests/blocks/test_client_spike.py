"""A traffic spike does something in either loop, and is over when it is over."""

from __future__ import annotations

import pytest

from playground.execution import Execution
from playground.protocol.design import InjectFault
from tests.sketch import SECOND, block, edge, scenario


@pytest.mark.parametrize("loop", ["open", "closed"])
def test_a_spike_brings_three_times_the_traffic_and_then_it_is_as_before(loop: str) -> None:
    client = block(
        "c",
        "client",
        loop=loop,
        rate_per_s=500.0,
        concurrent_users=500,
        think_mean_s=1.0,
        think_distribution="constant",
    )
    execution = Execution(
        scenario([client, block("s", "app_server", workers=10_000, before_mean_ms=1.0)], [edge("c", "s")], until_s=60.0)
    )

    def sent_per_s(seconds: int) -> float:
        before = execution.model.blocks["c"].offered
        execution.advance(execution.now_ns + seconds * SECOND)
        return (execution.model.blocks["c"].offered - before) / seconds

    execution.advance(2 * SECOND)
    calm = sent_per_s(10)
    execution.act(InjectFault(target="c", fault="spike", params={"factor": 3.0, "duration_s": 12.0}), "you")
    execution.advance(execution.now_ns + 2 * SECOND)
    # Four standard deviations of a Poisson count of 15,000 are 3 %.
    assert sent_per_s(10) == pytest.approx(3 * calm, rel=0.1)
    execution.advance(execution.now_ns + 2 * SECOND)
    assert sent_per_s(10) == pytest.approx(calm, rel=0.1)
