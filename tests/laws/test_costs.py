"""What a design costs: instances by the hour, calls by the million, answers by the gigabyte, each by its price alone."""

from __future__ import annotations

import pytest

from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from tests.sketch import block, edge, metric, run, scenario

PRICES = ("price_per_hour", "price_per_million", "price_per_gb")


def sold(**prices: Scalar) -> Execution:
    """A minute of 100 requests a second for items of 50 kB, at two servers with these prices and no others."""
    app = {**dict.fromkeys(PRICES, 0.0), "instances": 2, "before_mean_ms": 1, "response_bytes": 50_000, **prices}
    drawing = scenario(
        [block("users", "client", rate_per_s=100, write_weight=0), block("app", "app_server", **app)],
        [edge("users", "app")],
        until_s=60.0,
    )
    return run(drawing)


def test_instances_are_paid_by_the_hour() -> None:
    assert metric(sold(price_per_hour=30), "app", "cost") == pytest.approx(2 * 30 / 60)


def test_calls_are_paid_by_the_million() -> None:
    execution = sold(price_per_million=200)
    assert metric(execution, "app", "cost") == pytest.approx(200 * metric(execution, "app", "offered") / 1e6)


def test_answers_are_paid_by_the_gigabyte() -> None:
    execution = sold(price_per_gb=80)
    # 6,000 items of 50 kB are 0.3 GB.
    assert metric(execution, "app", "cost") == pytest.approx(80 * 0.3, rel=0.1)
    assert metric(execution, "app", "cost") == pytest.approx(80 * metric(execution, "users--app", "bytes_back") / 1e9)


def test_prices_add_up() -> None:
    prices = {"price_per_hour": 30.0, "price_per_million": 200.0, "price_per_gb": 80.0}
    apart = [metric(sold(**{name: price}), "app", "cost") for name, price in prices.items()]
    assert min(apart) > 0.5
    assert metric(sold(**prices), "app", "cost") == pytest.approx(sum(apart))
