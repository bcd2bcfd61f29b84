"""A PostgreSQL for the tests, and its client for the lab: found, installed, or said to be missing."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from playground.setup import environment, postgres, steps


@pytest.fixture
def nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any PostgreSQL."""
    monkeypatch.delenv(postgres.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres, "DEBIAN", tmp_path)


@pytest.mark.usefixtures("nothing_there")
def test_as_root_on_debian_the_server_is_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "15" / "bin"

    def install(*packages: str, advice: str) -> None:
        assert packages == ("postgresql",) and "apt-get install postgresql" in advice
        folder.mkdir(parents=True)
        for name in ("initdb", "postgres", "pg_isready"):
            (folder / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 15.18 (Debian)'\n")
            (folder / name).chmod(0o755)

    monkeypatch.setattr(postgres.os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    monkeypatch.setattr(environment, "apt_install", install)
    assert postgres.ensure() == folder


@pytest.mark.usefixtures("nothing_there")
def test_where_none_can_be_had_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres.os, "geteuid", lambda: 1000)
    assert postgres.ensure() is None


def test_a_server_named_by_hand_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(postgres.VARIABLE, "/nonexistent/bin")
    with pytest.raises(steps.StepFailed, match="/nonexistent/bin"):
        postgres.ensure()


@pytest.mark.parametrize(
    ("url", "wanted"),
    [("postgresql://somewhere/db", 1), ("postgres://somewhere/db", 1), ("sqlite:///file", 0), ("", 0)],
)
def test_the_client_is_installed_where_a_server_is_configured(
    url: str, wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setenv(postgres.URL_VARIABLE, url)
    monkeypatch.setattr(environment, "ensure_package", asked.append)
    postgres.ensure_client()
    assert len(asked) == wanted and all(one.startswith("psycopg[binary]==") for one in asked)


def test_a_client_that_can_not_be_installed_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: str) -> None:
        raise steps.StepFailed("Installing psycopg", advice="see that there is a network")

    monkeypatch.setenv(postgres.URL_VARIABLE, "postgresql://somewhere/db")
    monkeypatch.setattr(environment, "ensure_package", fails)
    postgres.ensure_client()
    assert "psycopg" in capsys.readouterr().out


def test_a_server_is_gone_with_all_that_it_wrote_when_it_is_no_longer_needed() -> None:
    if postgres.programs() is None:
        with pytest.raises(steps.StepFailed), postgres.server():
            raise AssertionError("there is no server")
        return
    with postgres.server() as dsn:
        home = Path(str(psycopg.conninfo.conninfo_to_dict(dsn)["host"]))
        with psycopg.connect(dsn) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        assert home.exists()
    assert not home.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn)
