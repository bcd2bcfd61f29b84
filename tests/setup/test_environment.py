"""When the set-up installs and builds, and when it leaves things as they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from playground.setup import browser, environment, frontend, hashing, steps
from playground.setup.paths import PROJECT


class Recorder:
    """Stands in for `steps.run`: notes the steps, and fails those it was told to."""

    def __init__(self, *failing: str) -> None:
        self.steps: list[str] = []
        self.commands: list[list[str]] = []
        self.failing = failing

    def __call__(self, what: str, command: list[Any], *, advice: str, **_: Any) -> str:
        self.steps.append(what)
        self.commands.append([str(word) for word in command])
        if any(part in " ".join(self.commands[-1]) for part in self.failing):
            raise steps.StepFailed(what, advice=advice)
        return ""


@pytest.fixture
def requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with two requirement files, and an environment that looks made."""
    (tmp_path / "requirements.txt").write_text("django==5.2\n")
    (tmp_path / "requirements-dev.txt").write_text("-r requirements.txt\npytest==9\n")
    monkeypatch.setattr(environment, "PROJECT", tmp_path)
    monkeypatch.setattr(environment, "VENV_PYTHON", Path(sys.executable))
    monkeypatch.setattr(environment, "STAMPS", hashing.Stamps(tmp_path / "stamps.json"))
    monkeypatch.setattr(environment, "requirement_files", _files_in(tmp_path))
    return tmp_path


def _files_in(project: Path) -> Any:
    original = environment.requirement_files
    return lambda name, _=None: original(name, project)


def use(monkeypatch: pytest.MonkeyPatch, recorder: Recorder) -> Recorder:
    monkeypatch.setattr(steps, "run", recorder)
    return recorder


def hide_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)


def test_requirements_are_installed_once_for_each_state_of_the_files(
    requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = use(monkeypatch, Recorder())
    environment.ensure("requirements.txt")
    environment.ensure("requirements.txt")
    assert len(done.steps) == 1
    (requirements / "requirements.txt").write_text("django==5.3\n")
    environment.ensure("requirements.txt")
    assert len(done.steps) == 2


def test_what_the_tests_need_includes_what_play_needs(requirements: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = use(monkeypatch, Recorder())
    environment.ensure("requirements-dev.txt")
    environment.ensure("requirements.txt")
    assert len(done.steps) == 1


def test_a_change_of_the_runtime_packages_is_seen_by_the_tests_too(
    requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = use(monkeypatch, Recorder())
    environment.ensure("requirements-dev.txt")
    (requirements / "requirements.txt").write_text("django==5.3\n")
    environment.ensure("requirements-dev.txt")
    assert len(done.steps) == 2


def test_an_install_that_failed_is_tried_again(requirements: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_uv(monkeypatch)
    use(monkeypatch, Recorder("install"))
    with pytest.raises(steps.StepFailed, match="package index"):
        environment.ensure("requirements.txt")
    done = use(monkeypatch, Recorder())
    environment.ensure("requirements.txt")
    assert len(done.steps) == 1


def test_pip_takes_over_where_uv_does_not_get_through(requirements: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.shutil, "which", lambda name: f"/bin/{name}")
    done = use(monkeypatch, Recorder("/bin/uv"))
    environment.ensure("requirements.txt")
    assert done.commands[0][0] == "/bin/uv"
    assert "pip" in done.commands[1]


def test_a_python_without_ensurepip_lends_its_pip_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    hide_uv(monkeypatch)
    monkeypatch.setattr(environment, "find_spec", lambda name: None if name == "ensurepip" else object())
    done = use(monkeypatch, Recorder())
    environment._make()
    assert "--without-pip" in done.commands[0]


def test_a_python_with_neither_names_the_package_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    hide_uv(monkeypatch)
    monkeypatch.setattr(environment, "find_spec", lambda name: None)
    with pytest.raises(steps.StepFailed, match="apt-get install python3-venv"):
        environment._make()


def test_every_runtime_requirement_is_pinned_exactly() -> None:
    for name in (environment.RUNTIME, environment.DEVELOPMENT):
        lines = (PROJECT / name).read_text().splitlines()
        required = [line for line in lines if line and not line.startswith(("#", "-r"))]
        assert required
        assert [line for line in required if "==" not in line] == []


def test_the_commands_run_here_when_the_packages_are_here() -> None:
    assert environment.imports_here(environment.DEVELOPMENT)


def test_a_tree_hash_sees_contents_names_and_moves_but_not_what_tools_made(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.ts").write_text("1")
    first = hashing.of_tree(tmp_path, ["node_modules"])
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "x").write_text("1")
    assert hashing.of_tree(tmp_path, ["node_modules"]) == first
    (tmp_path / "src" / "a.ts").rename(tmp_path / "a.ts")
    moved = hashing.of_tree(tmp_path, ["node_modules"])
    assert moved != first
    (tmp_path / "a.ts").write_text("2")
    assert hashing.of_tree(tmp_path, ["node_modules"]) not in (first, moved)


def test_the_page_is_built_again_only_when_its_sources_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources, bundle = tmp_path / "frontend", tmp_path / "dist"
    for folder in (sources / "node_modules", bundle):
        folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        (sources / name).write_text("{}")
    monkeypatch.setattr(frontend, "FRONTEND", sources)
    monkeypatch.setattr(frontend, "BUNDLE", bundle)
    monkeypatch.setattr(frontend, "STAMPS", hashing.Stamps(tmp_path / "frontend.json"))
    monkeypatch.setattr(frontend, "ensure_node", dict)
    done = use(monkeypatch, Recorder())
    frontend.ensure_bundle()
    frontend.ensure_bundle()
    assert done.steps == ["Installing the page's packages", "Building the page"]
    (sources / "main.ts").write_text("new")
    frontend.ensure_bundle()
    assert done.steps[2:] == ["Building the page"]
    (sources / "package-lock.json").write_text("{ }")
    frontend.ensure_bundle()
    assert done.steps[3:] == ["Installing the page's packages", "Building the page"]


def test_an_old_node_is_replaced_by_one_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[str] = []
    monkeypatch.setattr(frontend.shutil, "which", lambda name: f"/old/{name}")
    monkeypatch.setattr(frontend, "node_version", lambda node: (12, 22) if node == "/old/node" else (24, 0))
    monkeypatch.setattr(environment, "ensure_package", wanted.append)
    assert frontend.ensure_node()["PATH"].startswith(str(frontend.VENV / "bin"))
    assert wanted == [frontend.NODE_PACKAGE]


def test_a_browser_that_does_not_start_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.delenv(browser.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser._on_path() is None


def test_a_browser_named_by_hand_must_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(browser.VARIABLE, "/nonexistent/chromium")
    with pytest.raises(steps.StepFailed, match="/nonexistent/chromium"):
        browser.ensure()


def test_without_any_browser_the_user_is_told_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(browser.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(browser, "_kept_by_playwright", lambda: None)
    use(monkeypatch, Recorder("playwright"))
    with pytest.raises(steps.StepFailed, match="apt-get install chromium"):
        browser.ensure()


def test_as_root_on_debian_the_browser_is_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([None, "/usr/bin/chromium"])
    monkeypatch.setattr(browser, "_on_path", lambda: next(found))
    monkeypatch.setattr(browser, "_kept_by_playwright", lambda: None)
    monkeypatch.setattr(browser.os, "geteuid", lambda: 0)
    monkeypatch.setattr(browser.shutil, "which", lambda name: f"/usr/bin/{name}")
    done = use(monkeypatch, Recorder())
    assert browser.ensure() == "/usr/bin/chromium"
    assert done.commands[-1][-1] == "chromium"
    assert done.commands[-1][:2] == ["apt-get", "install"]


def test_the_set_up_imports_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; import playground.setup.start\n"
        "print([n for n in sys.modules if n.split('.')[0] not in {*sys.stdlib_module_names, 'playground', '__main__'}])"
    )
    answer = subprocess.run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(PROJECT)!r})\n{code}"],
                            capture_output=True, text=True, check=True)  # fmt: skip
    assert answer.stdout.strip() == "[]"
