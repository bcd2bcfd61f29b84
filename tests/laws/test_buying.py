"""Purchases as transactions: what each way to buy, at each level and in each dialect, sells beyond the stock, aborts, or makes wait."""

from __future__ import annotations

import hashlib
import json

import pytest

from playground.blocks.sql_database.behaviour import SqlDatabase
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import InjectFault, Scenario, SetParam
from playground.templates_store import templates
from tests.laws.test_scenarios import both, titles
from tests.sketch import at, block, edge, figures, metric, named, run, scenario, with_params

ENDS = ("bought", "sold_out", "serialization_failures", "deadlocks", "lock_timeouts", "changed_since", "hung_up")
LEVELS = ("read_committed", "repeatable_read", "serializable")
SECONDS = 12.0


def shop(
    method: str = "read_then_write",
    isolation: str = "read_committed",
    dialect: str = "postgresql",
    seed: int = 1,
    buys: str = "item",
    timeout_ms: float | None = None,
    users: int = 100,
    latency_ms: float = 1,
    app: dict[str, Scalar] | None = None,
    **params: Scalar,
) -> Scenario:
    """Buyers of ten items, of each of which there is one in every lot of two seconds."""
    stock: dict[str, Scalar] = {
        "stock": 1,
        "lot_s": 2,
        "rows": 1000,
        "query_mean_ms": 0.2,
        "isolation": isolation,
        "dialect": dialect,
        "deadlock_timeout_s": 0.05,
        **params,
    }
    program: dict[str, Scalar] = {
        "workers": 500,
        "before_mean_ms": 1,
        "buys": buys,
        "buy_method": method,
        "buy_think_mean_ms": 20,
        **(app or {}),
    }
    return scenario(
        [
            block(
                "users",
                "client",
                rate_per_s=200,
                users=users,
                keys=10,
                key_choice="uniform",
                read_weight=0,
                write_weight=0,
                buy_weight=1,
            ),
            block("app", "app_server", **program),
            block("db", "sql_database", **stock),
        ],
        [edge("users", "app"), edge("app", "db", "store", latency_mean_ms=latency_ms, timeout_ms=timeout_ms)],
        seed=seed,
        until_s=SECONDS,
    )


def ended(execution: Execution) -> dict[str, float]:
    """The database's figures, having seen that each purchase ended in one way, or is still open."""
    found = figures(execution, "db")
    assert found["purchases"] == sum(found[name] for name in ENDS) + found["open_transactions"]
    app = figures(execution, "app")
    sold = found["bought"] - app["bought"]
    assert 0 <= sold <= found["hung_up"] + found["open_transactions"] + 20, "who bought was told so, or is about to be"
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_read_then_write_at_read_committed_sells_one_item_more_than_once(dialect: str, seed: int) -> None:
    execution = run(shop(dialect=dialect, seed=seed))
    found = ended(execution)
    assert found["oversold"] > 20, (
        "the buyers that come within the 22 ms between SELECT and UPDATE all read that there is one left"
    )
    assert found["bought"] == 60 + found["oversold"], "one of each of ten items in six lots, and those too many"
    assert any(" sold " in it.title and it.title.endswith("stock was 1") for it in execution.take_notables())


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
@pytest.mark.parametrize("method", ["for_update", "atomic", "optimistic"])
def test_a_lock_an_atomic_update_or_a_version_check_never_sells_more_than_there_is(
    method: str, dialect: str, seed: int
) -> None:
    found = ended(run(shop(method, dialect=dialect, seed=seed)))
    assert found["oversold"] == 0
    assert found["bought"] == 60
    waited = found["lock_waits"] > 0
    assert waited
    if method == "for_update":
        assert found["lock_wait_ms"] > 5, "whoever comes second waits for the first one's way to COMMIT"
    assert (found["changed_since"] > 0) == (method == "optimistic")
    assert found["serialization_failures"] == found["deadlocks"] == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("level", ["repeatable_read", "serializable"])
def test_postgresql_aborts_the_second_updater_where_snapshots_last(level: str, seed: int) -> None:
    execution = run(shop(isolation=level, seed=seed))
    found = ended(execution)
    assert found["oversold"] == 0 and found["bought"] == 60
    assert found["serialization_failures"] > 20
    assert figures(execution, "app")["buys_retried"] > 20
    assert any("could not serialize access" in it.title for it in execution.take_notables())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_innodb_lets_a_lost_update_through_at_repeatable_read_and_deadlocks_it_at_serializable(seed: int) -> None:
    found = ended(run(shop(isolation="repeatable_read", dialect="mysql", seed=seed)))
    assert found["oversold"] > 20 and found["serialization_failures"] == 0
    found = ended(run(shop(isolation="serializable", dialect="mysql", seed=seed)))
    # Both share the row that they have read, and both want it for themselves.
    assert found["oversold"] == 0 and found["bought"] == 60
    assert found["deadlocks"] > 10


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("method", ["read_then_write", "atomic", "optimistic"])
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_write_skew_breaks_the_rule_below_serializable_and_never_at_it(dialect: str, method: str, seed: int) -> None:
    """Whatever protects the row that is written does not protect the one that was read beside it."""
    broken = [ended(run(shop(method, level, dialect, seed, "off_call")))["rule_broken"] for level in LEVELS]
    assert broken[2] == 0
    if method == "atomic":
        # Without the application's time between reading and writing hardly two meet, if any do.
        assert broken[0] <= 6 and broken[1] <= 6
    else:
        assert broken[0] > 5 and broken[1] > 5


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_locking_both_rows_keeps_the_rule_at_every_level(dialect: str, seed: int) -> None:
    for level in LEVELS:
        found = ended(run(shop("for_update", level, dialect, seed, "off_call")))
        assert found["rule_broken"] == 0
        assert found["bought"] == 60


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_rows_locked_one_by_one_in_opposite_orders_deadlock_and_one_of_the_two_ends(dialect: str) -> None:
    execution = run(shop("row_by_row", dialect=dialect, buys="off_call", latency_ms=10))
    found = ended(execution)
    assert found["deadlocks"] > 5 and found["rule_broken"] == 0 and found["bought"] == 60
    assert any("eadlock" in it.title for it in execution.take_notables())
    longest = run(shop("row_by_row", dialect=dialect, buys="off_call", latency_ms=10, deadlock_timeout_s=0.5))
    if dialect == "postgresql":
        # Nobody looks before deadlock_timeout has passed, and meanwhile both wait.
        assert figures(longest, "db")["lock_wait_ms"] > 2 * found["lock_wait_ms"]
    else:
        assert figures(longest, "db")["lock_wait_ms"] == found["lock_wait_ms"]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_lost_updates_are_what_was_sold_less_what_the_stock_fell_by(dialect: str, seed: int) -> None:
    """With stock left nobody is oversold, and every second buyer's write is lost all the same."""
    execution = run(shop(dialect=dialect, seed=seed, stock=1_000, lot_s=None))
    found = ended(execution)
    db = execution.model.blocks["db"]
    assert isinstance(db, SqlDatabase)
    fell = sum(db.shop.stock - it for it in db.shop.quantities.values())
    pending = sum(it.quantity - it.left for it in db.shop.sales.values() if not it.is_committed)
    assert found["oversold"] == 0 and found["lost_updates"] == found["bought"] - (fell - pending)
    # 20 buyers a second of each item, within 22 ms and more of another one's: about every third.
    assert found["lost_updates"] > 0.15 * found["bought"]
    assert any("and its stock fell by" in it.title for it in execution.take_notables())
    for method in ("for_update", "atomic", "optimistic"):
        assert ended(run(shop(method, dialect=dialect, seed=seed, stock=1_000, lot_s=None)))["lost_updates"] == 0
    # Where there was one of each, a lost update is one too many sold.
    single = ended(run(shop(dialect=dialect, seed=seed)))
    assert single["lost_updates"] == single["oversold"] > 0


def test_whoever_waits_for_a_lock_holds_a_connection() -> None:
    execution = run(shop("for_update", pool=5, app={"buy_think_mean_ms": 100}))
    found = ended(execution)
    assert found["oversold"] == 0
    # Ten items in a lot, a tenth of a second each: with five connections the others wait for one.
    assert any(it.title.startswith("All connections busy") for it in execution.take_notables())


def test_a_hot_row_sells_as_fast_as_its_lock_goes_round_and_its_waiters_are_counted_once() -> None:
    """One row, autocommitted updates: a flush of 1 ms each and nobody in between, so about 1,000 a second at most."""
    drawing = shop("atomic", stock=1_000_000, lot_s=None, commit_distribution="constant", users=100)
    blocks = [
        it.model_copy(update={"params": {**it.params, "keys": 1, "rate_per_s": 1500}}) if it.id == "users" else it
        for it in drawing.design.blocks
    ]
    hot = drawing.model_copy(update={"design": drawing.design.model_copy(update={"blocks": blocks})})
    found = ended(run(hot, 2.0))
    assert 1500 < found["bought"] <= 2001
    assert found["lock_queue"] > 20
    assert found["lock_waits"] <= found["purchases"]


def test_an_application_that_has_given_up_leaves_nothing_behind() -> None:
    execution = run(shop("for_update", timeout_ms=25, users=200))
    found = ended(execution)
    assert found["hung_up"] > 20, "its connection is closed before the next statement, and the transaction rolled back"
    assert found["oversold"] == 0 and found["bought"] <= 60


def test_a_lock_timeout_aborts_who_waits_longer() -> None:
    found = ended(run(shop("for_update", lock_timeout_s=0.01)))
    assert found["lock_timeouts"] > 20
    assert found["lock_wait_ms"] < ended(run(shop("for_update")))["lock_wait_ms"]
    assert found["oversold"] == 0 and found["bought"] == 60


def test_one_seed_gives_one_outcome() -> None:
    def digest() -> str:
        execution = run(shop(isolation="serializable"))
        seen = {name: figures(execution, name) for name in ("users", "app", "db")}
        return hashlib.sha256(
            json.dumps([seen, execution.detail("db")], sort_keys=True, default=str).encode()
        ).hexdigest()

    assert digest() == digest()


def test_old_versions_and_old_lots_are_cleared_away() -> None:
    execution = run(shop("read_then_write", "repeatable_read", lot_s=1, rows=1000, app={"buy_retries": 0}))
    db = execution.model.blocks["db"]
    assert isinstance(db, SqlDatabase)
    trading = db.trading[0]
    assert trading is not None
    assert trading.core.dead_versions() < 200
    assert len(trading.loaded) <= 3 * 10 and len(db.shop.quantities) <= 3 * 10
    assert len(trading.tables[0].made_by) <= 512


def agrees(execution: Execution) -> None:
    """What the log says is left, and what commits have sold, is what there was."""
    db = execution.model.blocks["db"]
    assert isinstance(db, SqlDatabase)
    shop = db.shop
    assert shop.quantities
    pending = {int(it.place) for it in shop.sales.values() if not it.is_committed}
    for place, quantity in shop.quantities.items():
        if place not in pending:
            assert quantity + shop.times_sold(place) == shop.stock, place
            assert shop.version(place) == 1, "nobody counts versions here"


CRASHES = [
    at(2.5 + 2 * number, InjectFault(type="fault", target="db", fault="crash_leader", params={"restart_after_s": 0.3}))
    for number in range(5)
]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("commits", ["on", "off"])
def test_a_crash_ends_open_transactions_and_gives_back_the_stock_of_lost_commits(commits: str, seed: int) -> None:
    drawing = shop("for_update", seed=seed, stock=400, lot_s=None, synchronous_commit=commits, wal_writer_delay_ms=400)
    execution = run(drawing.model_copy(update={"interventions": CRASHES}))
    found = ended(execution)
    agrees(execution)
    assert found["hung_up"] > 0 and found["oversold"] == 0
    assert (found["lost_writes"] > 0) == (commits == "off")
    db = execution.model.blocks["db"]
    assert isinstance(db, SqlDatabase)
    assert sum(db.shop.sold.values()) == found["bought"] - found["lost_writes"]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("fencing", [True, False])
def test_a_failover_takes_the_stock_along_and_a_split_brain_sells_from_two(fencing: bool, seed: int) -> None:
    cluster: dict[str, Scalar] = {
        "instances": 3,
        "ship_mean_ms": 20,
        "lease_ttl_s": 1.5,
        "loop_wait_s": 0.5,
        "retry_timeout_s": 0.5,
        "promote_s": 0.1,
        "rewind_s": 0.1,
        "fencing": fencing,
        "stock": 100,
        "lot_s": None,
    }
    cut: dict[str, Scalar] = {"instance": None, "duration_s": 5, "callers": "zone"}
    partition = at(3, InjectFault(type="fault", target="db", fault="partition", params=cut))
    drawing = shop(
        "for_update", "read_committed", "postgresql", seed, "item", None, 100, 1, {"instances": 3}, **cluster
    )
    execution = run(drawing.model_copy(update={"interventions": [partition]}))
    found = ended(execution)
    agrees(execution)
    assert found["failovers"] >= 1 and found["timeline"] >= 2
    assert (found["split_brain_writes"] > 0) == (not fencing)
    # On the history that stands nothing is sold twice, whatever the other leader sold.
    assert found["oversold"] == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("opens_at", "rate"), [(2.0, 30), (6.0, 200)])
def test_each_side_of_a_split_brain_sells_from_stock_of_its_own_though_nothing_was_sold_before(
    opens_at: float, rate: float, seed: int
) -> None:
    """The shop opens before the failover (the first sales are common to both), or when there are two leaders already."""
    cluster: dict[str, Scalar] = {
        "instances": 3,
        "lease_ttl_s": 1.5,
        "loop_wait_s": 0.5,
        "retry_timeout_s": 0.5,
        "promote_s": 0.1,
        "rewind_s": 0.1,
        "fencing": False,
        "stock": 12,
        "lot_s": None,
    }
    cut: dict[str, Scalar] = {"instance": None, "duration_s": 7, "callers": "zone"}
    closed = shop("for_update", "read_committed", "postgresql", seed, "item", None, 100, 1, {"instances": 3}, **cluster)
    quiet = with_params(closed, named("users"), rate_per_s=0.001)
    acts = [
        at(3, InjectFault(type="fault", target="db", fault="partition", params=cut)),
        at(opens_at, SetParam(target="users", param="rate_per_s", value=rate)),
    ]
    execution = run(quiet.model_copy(update={"interventions": acts}))
    found = ended(execution)
    agrees(execution)
    db = execution.model.blocks["db"]
    assert isinstance(db, SqlDatabase)
    assert found["failovers"] == 1 and found["split_brain_writes"] > 0 and found["leaders"] == 1
    # Ten items of twelve: the history that stands sold each once, and the other side, for itself, as many again at most.
    standing = sum(db.shop.sold.values())
    assert standing <= 120 and all(times <= 12 for times in db.shop.sold.values())
    assert 0 < found["sales_lost"] == found["lost_writes"] <= 120
    # A buyer who was cut off from the node at the wrong moment was told nothing.
    assert 0 <= found["bought"] - standing - found["sales_lost"] <= 2
    if opens_at > 5:
        assert found["bought"] > 150, "both sides sell nearly all that they have"
    said = [row["says"] for row in execution.detail("db")["latest_lost_writes"]]
    assert said and all("a sale" in text for text in said)


@pytest.mark.parametrize("name", ["two-buyers", "write-skew"])
def test_a_scenario_has_one_switch_that_is_off_and_figures_with_a_law(name: str) -> None:
    template = templates()[name]
    design = template.scenario.design
    assert len(design.switches) == 1 and design.watch and design.watch[0].law
    params = {thing.id: thing.params for thing in (*design.blocks, *design.edges)}
    assert any(params[it.target].get(it.param) != it.value for it in design.switches[0].on)
    assert template.summary and "\n\n" in design.description


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_fourth_seat_is_sold_twice_until_its_row_is_locked(seed: int) -> None:
    plain, mended = both("two-buyers", 20.0, seed)
    # 80 seats, each wanted by 10 buyers/s, within the 30 ms from one SELECT to COMMIT: Poisson(24), five standard deviations.
    assert 0 < metric(plain, "db", "oversold") <= 24 + 25
    assert metric(plain, "db", "oversold") > 8
    assert any("sold twice: stock was 1" in title for title in titles(plain))
    assert metric(mended, "db", "oversold") == 0 and metric(mended, "db", "bought") == 80
    assert metric(mended, "db", "lock_wait_ms") > 10


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_snapshots_leave_teams_without_anybody_on_call_and_serializable_does_not(seed: int) -> None:
    plain, mended = both("write-skew", 20.0, seed)
    # 80 teams, the other place of each wanted by 5/s, within 30 ms: Poisson(12).
    assert 2 <= metric(plain, "db", "rule_broken") <= 12 + 18
    assert any("Nobody is on call" in title for title in titles(plain))
    assert metric(mended, "db", "rule_broken") == 0 and metric(mended, "db", "bought") == 80
    assert metric(mended, "app", "buys_aborted") == 0, "a new try finds the other one off call"
