"""What the user is told when a step of the set-up goes wrong, and what is left behind."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from playground.setup import locks, steps


def run(tmp_path: Path, code: str, **options: float) -> str:
    return steps.run("A step", [sys.executable, "-c", code], advice="do this.", logs=tmp_path, **options)


def test_a_step_returns_what_the_program_said_and_keeps_it(tmp_path: Path) -> None:
    assert run(tmp_path, "print('hello')") == "hello\n"
    assert (tmp_path / "a-step.log").read_text() == "hello\n"


def test_a_failed_step_shows_the_output_the_log_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(steps.StepFailed) as failed:
        run(tmp_path, "print('cause'); raise SystemExit(3)")
    said = str(failed.value)
    for part in ("A step failed", "cause", "exit code 3", "a-step.log", "What to do: do this."):
        assert part in said


def test_of_a_long_output_both_ends_are_shown(tmp_path: Path) -> None:
    with pytest.raises(steps.StepFailed) as failed:
        run(tmp_path, "[print('line', i) for i in range(1000)]; raise SystemExit(1)")
    said = str(failed.value)
    assert "line 0\n" in said
    assert "line 999\n" in said
    assert "line 500\n" not in said


def test_a_program_that_is_not_there_fails_like_any_other_step(tmp_path: Path) -> None:
    with pytest.raises(steps.StepFailed, match="No such file"):
        steps.run("A step", [tmp_path / "missing"], advice="do this.", logs=tmp_path)


def test_a_step_over_its_time_is_ended_with_its_children(tmp_path: Path) -> None:
    marker = tmp_path / "alive"
    grandchild = f"import time\nwhile True: open({str(marker)!r}, 'w').write('x'); time.sleep(0.05)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    with pytest.raises(steps.StepFailed, match="not done after 1 s"):
        run(tmp_path, code, seconds=1)
    marker.unlink(missing_ok=True)
    time.sleep(0.3)
    assert not marker.exists()


def test_a_failed_step_becomes_exit_code_1_and_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        raise steps.StepFailed("A step", advice="do this.")

    assert steps.reported(work) == 1
    assert "What to do: do this." in capsys.readouterr().err


def test_a_second_set_up_waits_for_the_first_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order: list[str] = []

    def second() -> None:
        with locks.held(tmp_path / "lock", while_waiting="waiting"):
            order.append("second")

    with locks.held(tmp_path / "lock", while_waiting="waiting"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    assert capsys.readouterr().out == "waiting\n"


def test_a_claim_tells_the_next_one_who_holds_it_and_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "claim"
    code = (
        "import sys; from pathlib import Path; from playground.setup.locks import Claim\n"
        f"claim = Claim(Path({str(path)!r})); claim.write('http://here/'); print('claimed', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "claimed\n"
    with pytest.raises(locks.AlreadyRunning, match="http://here/"):
        locks.Claim(path)
    holder.communicate("")
    locks.Claim(path).write("mine")
    assert path.read_text() == "mine"
