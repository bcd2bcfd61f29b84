"""One measurement of an engine, in a process of its own: ``python -m playground.bench.engine_load '{"what": "simpy", "seconds": 2}'``.

The one-hop system is M/M/c: Poisson arrivals, 800 servers with one queue, exponential service. Each simulator is used as its own
documentation does it. This engine and SimPy are measured once the servers have filled; a run of Ciw is measured whole.
"""

from __future__ import annotations

import json
import random
import re
import resource
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from playground.protocol.design import HORIZON_S_MAX, Scenario, parse_design

ARRIVALS_PER_S = 35_000.0
SERVICE_MEAN_S = 0.020
SERVERS = 800
WARM_S = 0.2
"""Virtual seconds until it counts: ten service times, after which about 700 servers are busy."""

GROUP = 10
GROUP_SERVERS = 6
GROUPS_RATE_PER_S = 20_000.0
GROUPS_KEYS = 100_000
SLICE_EVENTS = 20_000
SHARDS = 4
BUYS_PERCENT = 5.0
STOCK = 10_000
STEP_S = 0.02

Measured = dict[str, Any]


def block(name: str, kind: str, **params: Any) -> dict[str, Any]:
    """A block of a design."""
    return {"id": name, "kind": kind, "params": params}


def edge(caller: str, port: str, callee: str, **params: Any) -> dict[str, Any]:
    """An edge of a design."""
    ends = {"from": {"block": caller, "port": port}, "to": {"block": callee, "port": "in"}}
    return {"id": f"{caller}--{callee}", **ends, "params": params}


def one_hop() -> dict[str, Any]:
    """M/M/c as a design. An edge can't be shorter than a nanosecond."""
    return {
        "blocks": [
            block("arrivals", "client", rate_per_s=ARRIVALS_PER_S, write_weight=0, key_choice="uniform"),
            block("server", "app_server", workers=SERVERS, queue_max=None, before_mean_ms=SERVICE_MEAN_S * 1e3),
        ],
        "edges": [edge("arrivals", "out", "server", latency_mean_ms=1e-6)],
    }


def groups(blocks: int) -> dict[str, Any]:
    """About ``blocks`` blocks in groups of ten (client, balancer, servers, cache, database), with the same traffic and data in all."""
    count = max(1, blocks // GROUP)
    keys = GROUPS_KEYS // count
    made: dict[str, Any] = {"blocks": [], "edges": []}
    for group in range(count):
        client, balancer, cache, database = (f"{what}-{group}" for what in ("client", "balancer", "cache", "database"))
        made["blocks"] += [
            block(client, "client", rate_per_s=GROUPS_RATE_PER_S / count, keys=keys),
            block(balancer, "load_balancer"),
            block(cache, "cache", capacity=keys // 5, warm_keys=keys // 10),
            block(database, "sql_database", rows=keys, buffer_rows=keys),
        ]
        made["edges"].append(edge(client, "out", balancer))
        for number in range(GROUP_SERVERS):
            server = f"server-{group}-{number}"
            made["blocks"].append(block(server, "app_server", workers=200))
            made["edges"] += [
                edge(balancer, "out", server),
                edge(server, "cache", cache),
                edge(server, "store", database),
            ]
    return made


def memory_mb() -> float:
    """The most memory that this process ever held."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not `getrusage`: on Linux that begins with what the parent held when it forked.
        return int(re.findall(r"^VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"), re.MULTILINE)[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def ours(scenario: Scenario, seconds: float, warm_s: float = WARM_S, recorded: bool = False) -> Measured:
    """This engine on ``scenario`` for so many wall seconds; ``recorded``: with all that is kept for viewers."""
    from playground import native
    from playground.execution import Execution

    before_mb = memory_mb()
    execution = Execution(scenario.model_copy(update={"until_s": HORIZON_S_MAX}), recorded=recorded)
    execution.advance(round(warm_s * 1e9))
    simulation, roots = execution.model.simulation, execution.model.roots()
    events, virtual_ns = int(simulation.events), execution.now_ns
    completed = sum(int(root.completed) for root in roots)
    began = time.perf_counter()
    while (wall_s := time.perf_counter() - began) < seconds:
        execution.advance(execution.until_ns, SLICE_EVENTS)
        if execution.stopped:
            raise RuntimeError(f"the run stopped: {execution.stopped}")
    return {
        "engine": native.mode(),
        "requests": sum(int(root.completed) for root in roots) - completed,
        "events": int(simulation.events) - events,
        "virtual_s": (execution.now_ns - virtual_ns) / 1e9,
        "wall_s": wall_s,
        "added_mb": memory_mb() - before_mb,
        "process_mb": memory_mb(),
    }


def with_simpy(seconds: float) -> Measured:
    """SimPy, in its usual idiom: a process for each request, and a Resource."""
    import simpy

    generator = random.Random(1)
    completed = 0
    environment = simpy.Environment()
    servers = simpy.Resource(environment, capacity=SERVERS)

    def request() -> Generator[Any, Any, Any]:
        nonlocal completed
        with servers.request() as turn:
            yield turn
            yield environment.timeout(generator.expovariate(1.0 / SERVICE_MEAN_S))
        completed += 1

    def arrivals() -> Generator[Any, Any, Any]:
        while True:
            yield environment.timeout(generator.expovariate(ARRIVALS_PER_S))
            environment.process(request())

    environment.process(arrivals())
    environment.run(until=WARM_S)
    before = completed
    began = time.perf_counter()
    while (wall_s := time.perf_counter() - began) < seconds:
        environment.run(until=environment.now + STEP_S)
    return {"requests": completed - before, "wall_s": wall_s}


def with_ciw(seconds: float) -> Measured:
    """Ciw. A run of it can't be continued, so a short one says how long a horizon takes ``seconds``."""
    import ciw

    def run(horizon_s: float) -> Measured:
        network = ciw.create_network(
            arrival_distributions=[ciw.dists.Exponential(rate=ARRIVALS_PER_S)],
            service_distributions=[ciw.dists.Exponential(rate=1.0 / SERVICE_MEAN_S)],
            number_of_servers=[SERVERS],
        )
        ciw.seed(1)
        simulation = ciw.Simulation(network)
        began = time.perf_counter()
        simulation.simulate_until_max_time(horizon_s)
        wall_s = time.perf_counter() - began
        return {"requests": len(simulation.get_all_records()), "wall_s": wall_s}

    first = run(WARM_S / 4)
    return run(max(WARM_S, WARM_S / 4 * seconds / first["wall_s"]) if seconds > 0.5 else WARM_S / 4)


def catalogue(seconds: float) -> Measured:
    """This engine on the product catalogue."""
    from playground.templates_store import templates

    return ours(templates()["catalogue"].scenario, seconds)


def catalogue_with_data() -> dict[str, Any]:
    """The catalogue on four shards, each a leader with three replicas, one of them synchronous; one request in twenty is a purchase at
    SERIALIZABLE."""
    from playground.templates_store import templates

    design = templates()["catalogue"].scenario.design.model_dump(mode="json", by_alias=True)
    params = {it["id"]: it["params"] for it in design["blocks"]}
    params["shoppers"]["buy_weight"] = BUYS_PERCENT
    shard = {
        **params["db"],
        "instances": 4,
        "sync_replicas": 1,
        "reads": "any_replica",
        "failover": True,
        "stock": STOCK,
        "isolation": "serializable",
    }
    names = [f"shard-{number}" for number in range(1, SHARDS + 1)]
    blocks = [block(it["id"], it["kind"], **it["params"]) for it in design["blocks"] if it["id"] != "db"]
    blocks += [block("db", "shard_router", scheme="hash", workers=10_000)]
    blocks += [block(name, "sql_database", **shard) for name in names]
    edges = [{part: it[part] for part in ("id", "from", "to", "params")} for it in design["edges"]]
    return {"blocks": blocks, "edges": edges + [edge("db", "shards", name) for name in names]}


def measure(order: dict[str, Any]) -> Measured:
    """Do one order: ``what`` and ``seconds``, and ``blocks`` for groups."""
    seconds = float(order["seconds"])
    known: dict[str, Callable[[], Measured]] = {
        "ours": lambda: ours(Scenario(design=parse_design(one_hop())), seconds),
        "simpy": lambda: with_simpy(seconds),
        "ciw": lambda: with_ciw(seconds),
        "catalogue": lambda: catalogue(seconds),
        "data": lambda: ours(Scenario(design=parse_design(catalogue_with_data())), seconds, recorded=True),
        "groups": lambda: ours(Scenario(design=parse_design(groups(order["blocks"]))), seconds),
    }
    return known[order["what"]]()


if __name__ == "__main__":
    print(json.dumps(measure(json.loads(sys.argv[1]))))
