"""What a first start has to say does not get between a command and the program that reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.setup import environment, start, steps


def test_setting_up_is_told_on_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(start, "BUILD", tmp_path)
    monkeypatch.setattr(start, "VENV", tmp_path / "elsewhere")
    monkeypatch.setattr(environment, "imports_here", lambda: False)
    monkeypatch.setattr(environment, "ensure", lambda name: steps.say("- Installing packages ..."))
    monkeypatch.setattr(start, "_exec", lambda command, variables: became.append([str(word) for word in command]))
    with pytest.raises(steps.StepFailed):
        # In life nothing comes after becoming another program.
        start.other(["blocks", "--json"])
    assert became[0][-2:] == ["blocks", "--json"]
    said = capsys.readouterr()
    assert said.out == "" and "Installing packages" in said.err
