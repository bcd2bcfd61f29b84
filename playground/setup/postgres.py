"""A PostgreSQL server for the tests that hold the isolation lab against a real one: found or installed, and started for a while.

The server gets a data folder of its own under the temporary folder, listens on a Unix socket in it alone, and is gone afterwards with all
that it wrote. PostgreSQL refuses to run as root: root runs it as the user `postgres`, or `nobody` where there is none.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playground.setup import environment, steps

VARIABLE = "PLAYGROUND_POSTGRES"
URL_VARIABLE = "DATABASE_URL"
SCHEMES = ("postgres://", "postgresql://")
DEBIAN = Path("/usr/lib/postgresql")
OLDEST = 13
ADVICE = (
    "install PostgreSQL 15 so that `postgres` is on PATH or in /usr/lib/postgresql/*/bin (Debian: apt-get install postgresql), or set "
    f"{VARIABLE} to the folder with its programs; then run the same command again."
)
USER = "playground"
# Nothing written needs to outlive the server, and no vacuum or analysis may change a plan in the middle of a test.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "16MB",
    "max_connections": "20",
    "jit": "off",
    "deadlock_timeout": "5ms",
    "log_min_messages": "panic",
    "log_min_error_statement": "panic",
}


def programs() -> Path | None:
    """The folder with `initdb` and `postgres`, None where there is none: what is asked for, on PATH, or Debian's newest."""
    asked = os.environ.get(VARIABLE)
    if asked:
        return Path(asked) if _has_programs(Path(asked)) else None
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(DEBIAN.glob("*/bin"), key=_version, reverse=True)
    return next((folder for folder in folders if _has_programs(folder)), None)


def ensure() -> Path | None:
    """As :func:`programs`, installed from Debian's package if need be and possible; None where it isn't: the tests say so.

    Raises StepFailed where the folder that was asked for by name has none.
    """
    found = programs()
    if found is None and (asked := os.environ.get(VARIABLE)):
        raise steps.StepFailed(f"Looking for PostgreSQL in {asked}, as {VARIABLE} says", advice=ADVICE)
    if found is not None or os.geteuid() != 0 or not shutil.which("apt-get"):
        return found
    try:
        environment.apt_install("postgresql", advice=ADVICE)
    except steps.StepFailed as failure:
        steps.say(str(failure))
        return None
    return programs()


def ensure_client() -> None:
    """The PostgreSQL client in `.venv` where DATABASE_URL names a server: the isolation lab compares with it, and goes without else."""
    if not os.environ.get(URL_VARIABLE, "").startswith(SCHEMES):
        return
    try:
        environment.ensure_package(f"psycopg[binary]=={environment.pinned(environment.DEVELOPMENT)['psycopg']}")
    except steps.StepFailed as failure:
        steps.say(str(failure))


@contextmanager
def server(folder: Path | None = None, settings: dict[str, str] | None = None) -> Iterator[str]:
    """Run a server while the body runs; gives the connection string. Raises StepFailed where it can't be had or doesn't start."""
    binaries = folder or programs()
    if binaries is None:
        raise steps.StepFailed("Finding a PostgreSQL server", advice=ADVICE)
    # Not below the project: a socket's path may have 107 bytes, and another user must get at it.
    home = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    prefix = _as_other_user(home)
    try:
        data = home / "data"
        how = ["-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"]
        _run([*prefix, binaries / "initdb", "-D", data, *how])
        options = [f"-c{name}={value}" for name, value in {**SETTINGS, **(settings or {})}.items()]
        process = subprocess.Popen(
            [*map(str, prefix), str(binaries / "postgres"), "-D", str(data), "-k", str(home), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _wait_until_ready(binaries, home, process)
            yield f"host={home} user={USER} dbname=postgres"
        finally:
            steps.end_group(process)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _has_programs(folder: Path) -> bool:
    return all((folder / name).exists() for name in ("initdb", "postgres", "pg_isready")) and _version(folder) >= OLDEST


def _version(folder: Path) -> int:
    """The major version that `postgres` tells; 0 when it doesn't start."""
    try:
        told = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    words = [word for word in told.stdout.split() if word[0].isdigit()]
    return int(words[0].split(".")[0]) if words else 0


def _as_other_user(home: Path) -> list[str]:
    """What to put before a command so that it isn't root who runs it; the folder becomes that user's."""
    if os.geteuid() != 0:
        return []
    name = next((name for name in ("postgres", "nobody") if _exists(name)), None)
    if name is None or not (shutil.which("setpriv") or shutil.which("runuser")):
        raise steps.StepFailed(
            "Finding a user, not root, to run PostgreSQL as", advice="run the tests as a user that isn't root."
        )
    user = pwd.getpwnam(name)
    os.chown(home, user.pw_uid, user.pw_gid)
    if setpriv := shutil.which("setpriv"):
        return [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [str(shutil.which("runuser")), "-u", name, "--"]


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _run(command: Sequence[str | Path]) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, cwd="/"
    )
    if done.returncode:
        raise steps.StepFailed("Making a PostgreSQL data folder", advice=ADVICE, output=done.stdout + done.stderr)


def _wait_until_ready(binaries: Path, home: Path, process: subprocess.Popen[bytes]) -> None:
    """Return when the server takes connections. Raises StepFailed when it ends before, or takes a minute."""
    for _ in range(600):
        if process.poll() is not None:
            break
        asked = subprocess.run([binaries / "pg_isready", "-q", "-h", home, "-t", "1"], check=False)
        if asked.returncode == 0:
            return
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    raise steps.StepFailed("Starting PostgreSQL", advice=ADVICE)
