"""Runs without a page: a typed API over the engine, and what ``manage.py simulate`` is a thin layer of.

    from playground.headless import simulate

    result = simulate("template:mm1", until_s=60, seed=1, replications=5, changes={"arrivals.rate_per_s": 9})
    print(result.totals.latency.p99)

It knows no Django. See docs/guides/simulate.md.
"""

from playground.headless.models import Estimate, Run, Study
from playground.headless.running import ReplicationFailed
from playground.headless.simulating import simulate
from playground.protocol.errors import InputError

__all__ = ["Estimate", "InputError", "ReplicationFailed", "Run", "Study", "simulate"]
