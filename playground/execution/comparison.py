"""Which closed forms hold for a design, and what they give beside what was measured.

Little's law holds for every design. A client that calls one pool of exponential workers is M/M/c. A hot key's stampede follows from how
often it is asked for and how long its rebuild takes. Lists over n shards miss a part as often as one of n independent parts is late.
"""

from __future__ import annotations

from typing import Any

from playground import theory
from playground.builder import Model
from playground.catalogue import spec_of
from playground.execution.history import History
from playground.parameters import filled
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Block, Design
from playground.statistics import mean_and_half_width

BATCHES = 20
BUCKETS_PER_BATCH_MIN = 4
CALLS_PER_BATCH_MIN = 30

Row = dict[str, Any]
Params = dict[str, Scalar]


def row(name: str, formula: str, expected: float, measured: float, unit: str = "") -> Row:
    """One line: what the formula gives, what the run gave."""
    return {"name": name, "formula": formula, "expected": expected, "measured": measured, "unit": unit}


def batch_half_width(series: History) -> float | None:
    """How far, in seconds, the mean latency may be off with 95 % confidence, by batch means; None while there is little to go by.

    The record is cut into equal batches that are long enough to know little of one another (Law, Simulation Modeling and Analysis, 9.5.3).
    """
    length = series.length // BATCHES
    if length < BUCKETS_PER_BATCH_MIN:
        return None
    counts, means = series.columns["completed"], series.columns["mean_ms"]
    batches = []
    for batch in range(BATCHES):
        places = range(batch * length, (batch + 1) * length)
        number = sum(counts[place] or 0.0 for place in places)
        if number < CALLS_PER_BATCH_MIN:
            return None
        total = sum((counts[place] or 0.0) * (means[place] or 0.0) for place in places)
        batches.append(total / number / 1e3)
    return mean_and_half_width(batches)[1]


def theory_of(model: Model, design: Design, seconds: float, series: History) -> list[Row]:
    """All that theory has to say about this design, once something was measured."""
    roots = [root for root in model.roots() if not root.removed]
    ended = sum(int(root.completed + root.failed) for root in roots)
    if not ended or not seconds:
        return []
    stay = sum(float(root.residence) for root in roots) / 1e9
    inside = sum(root.in_flight_integral() for root in roots) / 1e9 / seconds
    rows = [
        row(
            "Requests in flight, on average",
            "Little: L = λ W",
            theory.little(ended / seconds, stay / ended),
            inside,
        )
    ]
    return rows + _queue(model, design, seconds, series) + _stampede(model, design) + _scattered(model, design)


def _queue(model: Model, design: Design, seconds: float, series: History) -> list[Row]:
    """M/M/1, M/M/c or M/M/1/K, where the design is one."""
    if len(design.blocks) != 2 or len(design.edges) != 1:
        return []
    edge = design.edges[0]
    by_id = {block.id: block for block in design.blocks}
    client, server = by_id[edge.from_.block], by_id[edge.to.block]
    found = _rates(client, server)
    if found is None:
        return []
    arrivals, service, servers, places = found
    block, caller = model.blocks[server.id], model.blocks[client.id]
    number = int(block.histogram.number)
    if not number:
        return []
    measured_mean = float(block.histogram.total) / number / 1e9
    busy = block.utilisation()
    load = arrivals / service
    if places is not None and servers == 1:
        lost = float(block.failed) / max(1.0, float(block.offered))
        loss = theory.mm1k_loss(places, load)
        return [
            row("Turned away", "(1 - ρ) ρ^K / (1 - ρ^(K+1))", 100 * loss, 100 * lost, "%"),
            row("Utilisation", "ρ (1 - loss)", 100 * load * (1 - loss), 100 * busy, "%"),
        ]
    if places is not None or load >= servers:
        return []
    names = [metric.name for metric in spec_of(server).metrics]
    figures = dict(zip(names, block.metrics(), strict=True))
    waited = figures["waited"] / max(1.0, float(block.offered))
    mean = row(
        "Time in the system, mean", "W = Wq + 1/μ", theory.mmc_time(servers, arrivals, service), measured_mean, "s"
    )
    half_width = batch_half_width(series)
    rows = [
        row("Utilisation", "ρ = λ / (c μ)", 100 * load / servers, 100 * busy, "%"),
        mean | ({"ci": half_width} if half_width is not None else {}),
        row(
            "Waiting for a worker, mean",
            "Erlang C: Wq = C / (c μ - λ)",
            theory.mmc_wait(servers, arrivals, service),
            waited * figures["mean_wait_ms"] / 1e3,
            "s",
        ),
        row(
            "Has to wait",
            "Erlang C: C(c, λ / μ)",
            100 * theory.erlang_c(servers, load),
            100 * waited,
            "%",
        ),
        row(
            "In the system, on average",
            "L = λ W",
            arrivals * theory.mmc_time(servers, arrivals, service),
            block.in_flight_integral() / 1e9 / seconds,
        ),
    ]
    if servers == 1:
        rows.append(
            row(
                "Time in the system, p99",
                "-ln(1 - p) / ((1 - ρ) μ)",
                theory.mm1_percentile(0.99, arrivals, service),
                float(caller.histogram.percentile(0.99)) / 1e9,
                "s",
            )
        )
    return rows


def _stampede(model: Model, design: Design) -> list[Row]:
    """λ δ beside the largest stampede on the one hot key, where a rebuild is one query of constant length."""
    by_kind: dict[str, list[Block]] = {}
    for block in design.blocks:
        by_kind.setdefault(block.kind, []).append(block)
    if any(len(by_kind.get(kind, [])) != 1 for kind in ("client", "cache", "sql_database")):
        return []
    client, cache, store = (by_kind[kind][0] for kind in ("client", "cache", "sql_database"))
    asked, done = filled(spec_of(client).params, client.params), filled(spec_of(store).params, store.params)
    names = [metric.name for metric in spec_of(cache).metrics]
    largest = model.blocks[cache.id].metrics()[names.index("largest_stampede")]
    hot = asked["key_choice"] == "hot" and asked["hot_keys"] == 1 and asked["loop"] == "open"
    if not (hot and done["query_distribution"] == "constant" and largest > 0):
        return []
    rate = _number(asked, "rate_per_s") * _number(asked, "hot_share_percent") / 100.0
    expected = theory.stampede(rate, _number(done, "query_mean_ms") / 1e3)
    return [row("Largest stampede", "λ δ = rate of the key x rebuild time", expected, largest)]


def _scattered(model: Model, design: Design) -> list[Row]:
    """How many lists miss a shard's part, if shards are late independently of one another; where the router doesn't wait for all."""
    rows = []
    routers = [block for block in design.blocks if block.kind == "shard_router"]
    for router in routers:
        figures = dict(
            zip([metric.name for metric in spec_of(router).metrics], model.blocks[router.id].metrics(), strict=True)
        )
        lists, fan_out = figures["scattered"], figures["fan_out"]
        if not (figures["partial"] and fan_out > 1):
            continue
        late = min(1.0, figures["missing"] / (lists * fan_out))
        whose = f" at {router.label or router.id}" if len(routers) > 1 else ""
        rows.append(
            row(
                f"Lists that miss a part{whose}",
                "1 - (1 - p)^n - p^n, p: parts missing, n: fan-out",
                # Without any part there is no answer.
                100 * (theory.any_of(late, fan_out) - late**fan_out),
                100 * figures["partial"] / lists,
                "%",
            )
        )
    return rows


def _rates(client: Block, server: Block) -> tuple[float, float, int, int | None] | None:
    """Arrival rate, service rate, servers and places (None: unbounded), where these two are an M/M/c queue."""
    if client.kind != "client" or server.kind != "app_server":
        return None
    asked, done = filled(spec_of(client).params, client.params), filled(spec_of(server).params, server.params)
    poisson = asked["loop"] == "open" and asked["arrivals"] == "poisson" and asked["profile"] == "peak"
    simple = asked["burst_every_s"] is None and asked["session_requests"] == 1 and done["instances"] == 1
    memoryless = done["before_distribution"] == "exponential" and done["after_mean_ms"] == 0
    mean_ms = _number(done, "before_mean_ms")
    if not (poisson and simple and memoryless and mean_ms > 0):
        return None
    servers = int(_number(done, "workers"))
    places = None if done["queue_max"] is None else servers + int(_number(done, "queue_max"))
    return _number(asked, "rate_per_s"), 1e3 / mean_ms, servers, places


def _number(params: Params, name: str) -> float:
    value = params[name]
    assert isinstance(value, (int, float))
    return float(value)
