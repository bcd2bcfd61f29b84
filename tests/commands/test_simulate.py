"""``manage.py simulate``: what it prints, and what it takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.shell import inside, shell
from tests.commands.sketches import small, written

KEYS = {
    "engine_version", "design_hash", "seed", "trace_hash", "virtual_seconds", "wall_seconds", "events", "stopped",
    "totals", "blocks", "edges", "slo",
}  # fmt: skip


@pytest.fixture
def design(tmp_path: Path) -> Path:
    return written(tmp_path / "small.json", small())


def result(*words: str | Path, stdin: bytes = b"") -> dict[str, Any]:
    done = inside("simulate", *words, "--json", stdin=stdin)
    assert done.code == 0, done.err
    assert done.err == ""
    found: dict[str, Any] = done.json
    return found


def test_json_is_one_object_with_everything(design: Path) -> None:
    found = result(design, "--until", "5")
    assert found.keys() >= KEYS
    assert found["virtual_seconds"] == 5.0 and found["seed"] == 1 and found["stopped"] is None
    totals = found["totals"]
    assert totals.keys() >= {"offered", "completed", "failed", "rate", "goodput", "latency", "failures"}
    assert totals["latency"].keys() == {"mean", "p50", "p95", "p99", "p999"}
    assert totals["offered"] == totals["completed"] + totals["failed"] + totals["in_flight"]
    assert set(found["blocks"]) == {"users", "lb", "app.1", "app.2", "db"}
    assert found["blocks"]["app.1"]["kind"] == "app_server"
    assert 0 < found["blocks"]["app.1"]["metrics"]["utilisation"] < 1
    assert found["edges"]["lb.2"]["lost"] > 0
    assert [verdict["met"] for verdict in found["slo"]] == [False, True]


def test_text_has_the_same_figures_in_tables(design: Path) -> None:
    found = result(design, "--until", "5")
    done = inside("simulate", design, "--until", "5")
    assert done.code == 0
    for title in ("Requests", "Blocks", "Edges", "Figures of their own", "Objectives", "Theory beside it"):
        assert f"\n{title}\n" in done.out
    assert found["trace_hash"] in done.out and found["design_hash"] in done.out
    assert f"offered {found['totals']['offered']:,}" in done.out
    assert "MISSED" in done.out and "met" in done.out
    assert "Little: L = λ W" in done.out


def test_notable_moments_are_told(design: Path, tmp_path: Path) -> None:
    crash = {"at_ns": 1_000_000_000, "action": {"type": "fault", "target": "db", "fault": "crash", "params": {}}}
    log = written(tmp_path / "log.json", [crash])
    done = inside("simulate", design, "--until", "3", "--intervene", log)
    assert "Notable moments" in done.out and "1.000 s  db crashed" in done.out
    found = result(design, "--until", "3", "--intervene", log)
    assert (1_000_000_000, "crash", "db") in [(it["at_ns"], it["kind"], it["target"]) for it in found["notables"]]
    assert found["blocks"]["db"]["metrics"]["health"] == 2


def test_interventions_behind_the_end_are_said_not_to_have_happened(design: Path, tmp_path: Path) -> None:
    late = {"at_ns": 9_000_000_000, "action": {"type": "clear_faults", "target": "db"}}
    done = inside("simulate", design, "--until", "3", "--intervene", written(tmp_path / "log.json", [late]))
    assert "1 of 1 interventions lie after the end and did not happen" in done.out


def test_a_scenario_brings_its_own_seed_and_length_and_options_win_over_them(tmp_path: Path) -> None:
    path = written(tmp_path / "scenario.json", {"design": small(), "seed": 7, "until_s": 2})
    assert (result(path)["seed"], result(path)["virtual_seconds"]) == (7, 2.0)
    found = result(path, "--seed", "8", "--until", "1.5")
    assert (found["seed"], found["virtual_seconds"]) == (8, 1.5)


def test_a_dash_is_standard_input(design: Path) -> None:
    from_file = result(design, "--until", "2")
    assert result("-", "--until", "2", stdin=design.read_bytes())["trace_hash"] == from_file["trace_hash"]


def test_a_template_runs_by_its_name() -> None:
    found = result("template:mm1", "--until", "30")
    assert {row["name"] for row in found["theory"]} >= {"Utilisation", "Time in the system, p99"}


@pytest.mark.parametrize(
    ("change", "block", "metric", "value"),
    [
        ("app.1.workers=9", "app.1", "workers", 9),
        ("db.pool=3", "db", "connections", 3),
        ("users.rate_per_s=1e2", "users", "rate_now", 100),
    ],
)
def test_set_changes_a_parameter_of_a_block(design: Path, change: str, block: str, metric: str, value: float) -> None:
    assert result(design, "--until", "1", "--set", change)["blocks"][block]["metrics"][metric] == value


def test_set_changes_a_parameter_of_an_edge(design: Path) -> None:
    before = result(design, "--until", "3")
    after = result(design, "--until", "3", "--set", "lb.2.loss_percent=0")
    assert before["edges"]["lb.2"]["lost"] > after["edges"]["lb.2"]["lost"] == 0


@pytest.mark.parametrize("off", ["null", "off"])
def test_set_takes_null_or_off_for_off(tmp_path: Path, off: str) -> None:
    design = small()
    design["edges"][0]["params"] = {"timeout_ms": 1}
    path = written(tmp_path / "strict.json", design)
    assert result(path, "--until", "1")["edges"]["in"]["timeouts"] > 0
    assert result(path, "--until", "1", "--set", f"in.timeout_ms={off}")["edges"]["in"]["timeouts"] == 0


def test_set_may_be_repeated_and_the_last_one_counts(design: Path) -> None:
    words = ["--set", "app.1.workers=9", "--set", "app.2.workers=8", "--set", "app.1.workers=7"]
    blocks = result(design, "--until", "1", *words)["blocks"]
    assert (blocks["app.1"]["metrics"]["workers"], blocks["app.2"]["metrics"]["workers"]) == (7, 8)


def test_set_finds_the_longest_id_that_fits(tmp_path: Path) -> None:
    design = small()
    design["blocks"].append(block_called_app := {"id": "app", "kind": "app_server"})
    path = written(tmp_path / "dots.json", design)
    blocks = result(path, "--until", "1", "--set", "app.1.workers=3", "--set", "app.workers=5")["blocks"]
    assert blocks["app.1"]["metrics"]["workers"] == 3
    assert blocks[block_called_app["id"]]["metrics"]["workers"] == 5


def test_replications_give_means_with_intervals_and_a_hash_each(design: Path) -> None:
    found = result(design, "--until", "2", "--seed", "4", "--replications", "3")
    assert found["seed"] == 4 and found["replications"] == 3
    alone = [result(design, "--until", "2", "--seed", str(seed)) for seed in (4, 5, 6)]
    assert found["trace_hash"] == [run["trace_hash"] for run in alone]
    offered = [run["totals"]["offered"] for run in alone]
    assert found["totals"]["offered"]["mean"] == pytest.approx(sum(offered) / 3)
    assert found["totals"]["latency"]["p99"].keys() == {"mean", "ci95"}
    assert found["blocks"]["db"]["metrics"]["utilisation"]["ci95"] > 0
    assert found["edges"]["in"]["offered"]["mean"] > 0
    assert found["slo"][0]["value"]["ci95"] > 0 and found["slo"][0]["met"] is False
    text = inside("simulate", design, "--until", "2", "--seed", "4", "--replications", "3").out
    assert "seeds 4 to 6" in text and "±" in text and alone[0]["trace_hash"] in text


def test_a_script_in_a_name_is_text(tmp_path: Path) -> None:
    design = {**small(), "name": "<script>alert(1)</script>\x1b[2J"}
    path = written(tmp_path / "script.json", design)
    done = inside("simulate", path, "--until", "1")
    assert done.code == 0 and "<script>alert(1)</script>" in done.out
    assert "\x1b" not in done.out


def test_a_run_that_meets_a_limit_says_which_and_keeps_its_figures(
    monkeypatch: pytest.MonkeyPatch, design: Path
) -> None:
    from playground.execution import Execution

    advance = Execution.advance

    def stopping(self: Execution, until_ns: int, events_max: int = 1 << 60) -> bool:
        advance(self, 1_000_000_000, events_max)
        self.model.simulation.stopped = "calls_in_flight"
        return False

    monkeypatch.setattr(Execution, "advance", stopping)
    found = result(design, "--until", "5")
    assert found["stopped"] == {"reason": "calls_in_flight", "at": 1.0}
    assert found["totals"]["completed"] > 0
    assert "STOPPED at 1 s: the limit calls_in_flight was reached" in inside("simulate", design, "--until", "5").out


def test_an_engine_of_another_version_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "old.json", {"design": small(), "engine_version": "0.0.1", "until_s": 1})
    done = inside("simulate", path, "--json")
    assert done.code == 0 and done.json["events"] > 0
    assert "made with engine 0.0.1" in done.err


def test_help_says_what_replications_change() -> None:
    done = inside("simulate", "--help")
    assert done.code == 0
    assert "trace_hash is the list of the runs' hashes" in done.out
    assert "Exit codes" in done.out


def test_a_terminal_without_greek_letters_is_no_reason_to_fail(design: Path) -> None:
    done = shell("simulate", design, "--until", "1", PYTHONIOENCODING="ascii")
    assert done.code == 0 and done.err == ""
    assert r"Little: L = \u03bb W" in done.out


def test_json_in_a_process_of_its_own_is_all_there_is_on_stdout(design: Path) -> None:
    done = shell("simulate", design, "--until", "1", "--json")
    assert done.code == 0 and done.err == ""
    assert done.out.count("\n") == 1
    assert json.loads(done.out)["totals"]["completed"] > 0
