"""What was used is paid at the price of its time: cost is the integral of price x use, so a new price changes nothing that was spent.

Prices change no behaviour. So the same run at a price of one and two of nothing is a meter of each kind of use, and what a run under
changing prices has cost is the sum, over the pieces between two changes, of each price times what its meter went up by.
"""

from __future__ import annotations

import random

import pytest

from playground.blocks.declare import PRICES
from playground.blocks.registry import kinds
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import EditDesign, Intervention, Scenario
from tests.execution.test_edits import edited, without
from tests.sketch import SECOND, at, example, fault, metric, quick_or_slow, run, set_param, template, with_params

UNTIL_S = 3.0
CHANGES = 12

PRICED = [name for name, kind in kinds().items() if {param.name for param in kind.spec.params} >= set(PRICES)]
QUICK = ("cdn", "load_balancer", "sql_database")


def priced(name: str) -> tuple[Scenario, str]:
    """The example of a kind, and the block in it that is of this kind."""
    drawing = example(name, until_s=UNTIL_S)
    return drawing, next(it.id for it in drawing.design.blocks if it.kind == name)


def other_use(drawing: Scenario, name: str, block: str, chance: random.Random) -> list[Intervention]:
    """Instances come and go, and crash: what is paid by the hour is no straight line."""
    found = [at(0.7, fault(block, "crash"))] if any(it.name == "crash" for it in kinds()[name].spec.faults) else []
    param = next((it for it in kinds()[name].spec.params if it.name == "instances" and it.live), None)
    if param is not None:
        found += [at(chance.uniform(0, UNTIL_S), set_param(block, "instances", chance.randint(2, 5))) for _ in range(3)]
    return found


def changes(chance: random.Random) -> list[tuple[float, str, float]]:
    """Some prices at some times, two of them at once."""
    times = sorted(chance.uniform(0.05, UNTIL_S - 0.05) for _ in range(CHANGES))
    times[5] = times[4]
    return [(when, chance.choice(PRICES), chance.choice([0.0, chance.uniform(0.0, 1e6)])) for when in times]


def costs(drawing: Scenario, block: str, log: list[Intervention], times: list[float]) -> list[float]:
    """What ``block`` has cost at each of ``times``."""
    execution = Execution(drawing.model_copy(update={"interventions": sorted(log, key=lambda entry: entry.at_ns)}))
    found = []
    for when in times:
        execution.advance(round(when * SECOND))
        found.append(metric(execution, block, "cost"))
    return found


@pytest.mark.parametrize("seed", quick_or_slow(range(3), [0]))
@pytest.mark.parametrize("name", quick_or_slow(PRICED, QUICK))
def test_cost_is_the_sum_over_pieces_of_price_times_use_and_never_falls(name: str, seed: int) -> None:
    chance = random.Random(f"{name} {seed}")
    drawing, block = priced(name)
    named = lambda thing: thing.id == block  # noqa: E731
    use = other_use(drawing, name, block, chance)
    prices: dict[str, float] = {price: chance.uniform(0.0, 1e6) for price in PRICES}
    steps = changes(chance)
    times = [when for when, _, _ in steps] + [UNTIL_S]
    meters: dict[str, list[float]] = {}
    for price in PRICES:
        alone: dict[str, Scalar] = {**dict.fromkeys(PRICES, 0.0), price: 1.0}
        meters[price] = [0.0, *costs(with_params(drawing, named, **alone), block, use, times)]
    log = [*use, *(at(when, set_param(block, price, value)) for when, price, value in steps)]
    first: dict[str, Scalar] = dict(prices)
    found = costs(with_params(drawing, named, **first), block, log, times)

    expected, total = [], 0.0
    for piece in range(len(times)):
        total += sum(prices[price] * (meters[price][piece + 1] - meters[price][piece]) for price in PRICES)
        expected.append(total)
        if piece < len(steps):
            _, price, value = steps[piece]
            prices[price] = value
    assert found == pytest.approx(expected, rel=1e-9)
    assert found == sorted(found)
    assert found[-1] > 0.0


@pytest.mark.parametrize("name", PRICED)
def test_a_price_changes_nothing_that_happens(name: str) -> None:
    drawing, block = priced(name)
    plain = run(drawing)
    log = [at(when, set_param(block, price, value)) for when, price, value in changes(random.Random(name))]
    costly = run(drawing.model_copy(update={"interventions": log}))
    assert costly.results()["trace_hash"] == plain.results()["trace_hash"]


@pytest.mark.slow
def test_every_kind_of_use_is_metered_somewhere() -> None:
    """Without this the law above could hold of nothing."""
    for price in PRICES:
        alone: dict[str, Scalar] = {**dict.fromkeys(PRICES, 0.0), price: 1.0}
        used = set()
        for name in PRICED:
            drawing, block = priced(name)
            if costs(with_params(drawing, lambda thing, block=block: thing.id == block, **alone), block, [], [UNTIL_S])[
                -1
            ]:
                used.add(name)
        assert used >= set(PRICED) - ({"gslb"} if price == "price_per_gb" else set()), price


def test_a_dearer_hour_is_not_charged_for_the_hours_before() -> None:
    drawing = template("catalogue", until_s=10.0)
    execution = run(drawing, until_s=8.0)
    before = metric(execution, "db", "cost")
    execution.act(set_param("db", "price_per_hour", 1000.0), "test")
    assert metric(execution, "db", "cost") == before
    execution.advance(9 * SECOND)
    rise = metric(execution, "db", "cost") - before
    assert rise == pytest.approx(1000.0 / 3600.0 * execution.model.blocks["db"].instances, rel=1e-9)


def test_going_back_takes_back_what_was_spent_and_a_branch_spends_anew() -> None:
    drawing, block = priced("cdn")
    execution = run(drawing, until_s=1.0, recorded=True)
    execution.act(set_param(block, "price_per_gb", 500.0), "test")
    execution.advance(2 * SECOND)
    at_two = metric(execution, block, "cost")
    execution.advance(execution.until_ns)
    end, digest = metric(execution, block, "cost"), execution.results()["trace_hash"]
    execution.seek(2 * SECOND)
    assert metric(execution, block, "cost") == at_two
    execution.advance(execution.until_ns)
    assert (metric(execution, block, "cost"), execution.results()["trace_hash"]) == (end, digest)
    execution.seek(round(0.5 * SECOND))
    execution.act(set_param(block, "price_per_gb", 0.0), "test")
    execution.advance(execution.until_ns)
    assert metric(execution, block, "cost") < end


def test_what_a_deleted_block_had_cost_stays_spent() -> None:
    drawing = example("app_server", until_s=UNTIL_S)
    execution = run(drawing, until_s=1.0)
    before = execution.results()["totals"]["cost"]
    gone = metric(execution, "cache", "cost")
    edit: EditDesign = edited(drawing.design, lambda data: without(data, "shop-cache", "cache"))
    execution.act(edit, "test")
    assert gone > 0.0
    assert execution.results()["totals"]["cost"] == pytest.approx(before, rel=1e-12)
    execution.advance(2 * SECOND)
    left = sum(it.cost() for it in execution.model.blocks.values())
    assert execution.results()["totals"]["cost"] == pytest.approx(gone + left, rel=1e-12)


def spent(execution: Execution) -> float:
    """What the whole design has cost so far, as a frame says."""
    return float(execution.frame()["tot"]["cost"])


def test_the_running_cost_is_prices_times_what_runs_now_whatever_was_spent_before() -> None:
    drawing = example("app_server", until_s=700.0)
    drawing = with_params(
        drawing, lambda thing: getattr(thing, "kind", None) in PRICED, price_per_million=0.0, price_per_gb=0.0
    )
    drawing = with_params(drawing, lambda thing: thing.id == "users", rate_per_s=1)
    execution = run(drawing, until_s=600.0)
    before = spent(execution)
    at_first = before / 600
    execution.act(set_param("shop", "instances", 20), "test")
    execution.advance(610 * SECOND)
    running = (spent(execution) - before) / 10 * 3600
    instances = {name: it.billed_instances() for name, it in execution.model.blocks.items()}
    assert instances["shop"] == 20
    assert running == pytest.approx(
        sum(it.price_per_hour * instances[name] for name, it in execution.model.blocks.items()), rel=1e-9
    )
    # Not the mean since the start, which is still near what it was.
    mean = execution.results()["totals"]["cost_per_hour"]
    assert mean == pytest.approx((at_first * 600 + running / 360) / 610 * 3600, rel=1e-9)
    assert mean < 0.9 * running


def test_a_frame_counts_what_deleted_blocks_had_cost() -> None:
    drawing = example("app_server", until_s=UNTIL_S)
    execution = run(drawing, until_s=1.0)
    before = spent(execution)
    assert before == execution.results()["totals"]["cost"]
    execution.act(edited(drawing.design, lambda data: without(data, "shop-cache", "cache")), "test")
    assert spent(execution) == pytest.approx(before, rel=1e-12)
    execution.advance(2 * SECOND)
    assert spent(execution) == execution.results()["totals"]["cost"] > before
