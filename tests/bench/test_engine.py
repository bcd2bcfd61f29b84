"""``bench engine``: what it reports is there and can be so. How fast is for people to read, not for tests."""

from __future__ import annotations

import importlib.util
import json

import pytest

from playground.bench import engine, engine_load
from playground.builder import build
from playground.protocol.design import Scenario, parse_design
from tests.sketch import figures, run

TINY = engine.Plan(one_hop_s=0.1, repeats=1, catalogue_s=0.1, blocks_s=0.1, blocks_repeats=1, blocks=(10, 30))


def test_it_reports_all_keys_with_plausible_figures(capsys: pytest.CaptureFixture[str]) -> None:
    result = engine.run(True, TINY)
    assert json.loads(capsys.readouterr().out) == result
    assert result["engine"] in ("compiled", "interpreted") and result["missing"] == {}
    one_hop = result["one_hop"]
    assert one_hop.keys() >= {"ours_rps", "simpy_rps", "ciw_rps", "ratio_simpy"}
    assert all(one_hop[name] > 500 for name in ("ours_rps", "simpy_rps", "ciw_rps"))
    assert one_hop["ratio_simpy"] == pytest.approx(one_hop["ours_rps"] / one_hop["simpy_rps"], abs=0.06)
    for catalogue in (result["catalogue"], result["data"]):
        assert catalogue["events_per_s"] > 5 * catalogue["requests_per_s"] > 0
        assert catalogue["x_realtime"] == pytest.approx(catalogue["requests_per_s"] / 35_000, rel=0.2)
        assert 0 < catalogue["rss_mb"] < catalogue["process_rss_mb"] < 2000
    assert [row["blocks"] for row in result["by_blocks"]] == [10, 30]
    assert all(row["events_per_s"] > 1000 for row in result["by_blocks"])


def test_text_says_how_the_engine_runs_and_what_was_found(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = {"requests": 1000, "events": 9000, "virtual_s": 2.0, "wall_s": 1.0, "added_mb": 3.0, "process_mb": 40.0}
    monkeypatch.setattr(engine, "measure", lambda what, seconds, **more: figures)
    result = engine.run(False, TINY)
    out = capsys.readouterr().out
    assert result["engine"] in out
    for words in ("1,000 requests/s", "SimPy", "Ciw", "9,000 events/s", "2.0 x real time", "3.0 MB added", "30 blocks"):
        assert words in out


def test_a_simulator_that_is_not_installed_is_said_with_the_way_to_get_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = {"requests": 1000, "events": 9000, "virtual_s": 2.0, "wall_s": 1.0, "added_mb": 3.0, "process_mb": 40.0}
    monkeypatch.setattr(engine, "measure", lambda what, seconds, **more: figures)
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in engine.OTHERS else find_spec(name))
    result = engine.run(False, TINY)
    assert result["one_hop"]["simpy_rps"] is result["one_hop"]["ratio_simpy"] is result["one_hop"]["ciw_rps"] is None
    assert "requirements-dev.txt" in result["missing"]["simpy"]
    assert capsys.readouterr().out.count("not installed; `pip install -r requirements-dev.txt`") == 2


def test_a_measurement_that_fails_is_said() -> None:
    with pytest.raises(RuntimeError, match="'nothing' failed: KeyError"):
        engine.measure("nothing", 0.1)


@pytest.mark.parametrize("blocks", [10, 30, 100])
def test_designs_of_many_blocks_have_so_many_and_the_same_traffic_in_all(blocks: int) -> None:
    design = parse_design(engine_load.groups(blocks))
    assert len(design.blocks) == blocks
    rates = [float(it.params["rate_per_s"] or 0) for it in design.blocks if it.kind == "client"]
    assert sum(rates) == pytest.approx(engine_load.GROUPS_RATE_PER_S)
    assert len(build(design, 1).blocks) == blocks


def test_the_catalogue_with_data_buys_on_four_shards_of_four_nodes_and_works() -> None:
    drawing = Scenario(design=parse_design(engine_load.catalogue_with_data()), until_s=2)
    execution = run(drawing)
    shards = [it.id for it in drawing.design.blocks if it.kind == "sql_database"]
    assert len(shards) == 4
    for name in shards:
        found = figures(execution, name)
        assert found["bought"] > 100 and found["serialization_failures"] > 0 and found["replica_reads"] > 500
        assert found["oversold"] == 0
    users = figures(execution, "shoppers")
    assert users["completed"] > 0.98 * users["offered"]


def test_the_three_simulators_simulate_the_same_queue() -> None:
    """By Little's law 700 of the 800 servers are busy; what is completed in a second is what arrives."""
    found = engine_load.ours(Scenario(design=parse_design(engine_load.one_hop())), 0.2, warm_s=0.2)
    assert found["requests"] == pytest.approx(found["virtual_s"] * engine_load.ARRIVALS_PER_S, rel=0.1)
    assert engine_load.with_simpy(0.1)["requests"] > 500
    assert engine_load.with_ciw(0.1)["requests"] > 500
