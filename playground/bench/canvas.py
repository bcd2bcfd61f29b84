"""Frames per second of the page in a headless Chromium, with many blocks running on the real server.

Each design is made of groups (client, load balancer, three app servers) with real traffic; the page shows all of it at once. Counted are
the animation frames that the page's main thread completed, after the run has begun to move.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from playground.bench.browser import CHROMIUM_ARGUMENTS
from playground.bench.server import LiveServer, Visitor, serving

BLOCKS = (50, 200, 500)
SERVERS_PER_GROUP = 3
RATE_PER_S = 20.0
WARM_UP_MS = 3_000
MEASURED_MS = 6_000
VIEWPORT = (1280, 800)

COUNT_FRAMES = """ms => new Promise(done => {
    let frames = 0;
    const start = performance.now();
    requestAnimationFrame(function tick(now) {
        frames += 1;
        if (now - start < ms) requestAnimationFrame(tick);
        else done(1000 * (frames - 1) / (now - start));
    });
})"""


def groups(blocks: int, ports: dict[tuple[str, str], tuple[str, str]]) -> dict[str, Any]:
    """A design of about ``blocks`` blocks: groups side by side in a square; ``ports`` gives the ports between two kinds."""
    made: list[dict[str, Any]] = []
    edges: list[dict[str, Any]] = []
    count = max(1, blocks // (2 + SERVERS_PER_GROUP))
    columns = max(1, round((count / 2) ** 0.5))

    def connect(caller: str, callee: str, kinds: tuple[str, str]) -> None:
        out, into = ports[kinds]
        ends = {"from": {"block": caller, "port": out}, "to": {"block": callee, "port": into}}
        edges.append({"id": f"{caller}--{callee}", **ends})

    for group in range(count):
        x, y = 900 * (group % columns), 480 * (group // columns)
        client, balancer = f"client-{group}", f"balancer-{group}"
        made.append(
            {"id": client, "kind": "client", "params": {"rate_per_s": RATE_PER_S}, "position": {"x": x, "y": y + 140}}
        )
        made.append({"id": balancer, "kind": "load_balancer", "position": {"x": x + 280, "y": y + 140}})
        connect(client, balancer, ("client", "load_balancer"))
        for number in range(SERVERS_PER_GROUP):
            server = f"server-{group}-{number}"
            made.append({"id": server, "kind": "app_server", "position": {"x": x + 560, "y": y + 150 * number}})
            connect(balancer, server, ("load_balancer", "app_server"))
    return {"format": 1, "name": f"{len(made)} blocks", "blocks": made, "edges": edges}


def ports_between(catalogue: dict[str, Any]) -> dict[tuple[str, str], tuple[str, str]]:
    """For each pair of kinds, the first out port and in port that fit."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for caller in catalogue["blocks"]:
        for callee in catalogue["blocks"]:
            for out in caller["ports"]:
                for into in callee["ports"]:
                    if (out["direction"], into["direction"], out["type"]) == ("out", "in", into["type"]):
                        found.setdefault((caller["kind"], callee["kind"]), (out["name"], into["name"]))
    return found


def start(visitor: Visitor, blocks: int) -> str:
    """A playing run of a design with ``blocks`` blocks; its id."""
    design = groups(blocks, ports_between(visitor.get("/api/catalogue").json))
    scenario = {"format": 1, "design": design, "seed": 1, "until_s": 600.0, "speed": 1.0}
    answer = visitor.post("/api/runs", {"scenario": scenario, "play": True})
    if answer.status != 201:
        raise RuntimeError(f"the server did not take a design of {blocks} blocks: {answer.body.decode()[:2000]}")
    run_id: str = answer.json["id"]
    return run_id


def measure(browser: Browser, server: LiveServer, blocks: int) -> dict[str, Any]:
    """Frames per second with ``blocks`` blocks running, all of them in view."""
    run_id = start(server.visitor(), blocks)
    page = browser.new_page(viewport={"width": VIEWPORT[0], "height": VIEWPORT[1]}, color_scheme="dark")
    try:
        page.goto(f"{server.url}/r/{run_id}")
        page.wait_for_selector(".react-flow__node")
        page.wait_for_function(
            "() => !['', '00:00.000'].includes(document.querySelector('[data-testid=clock]').textContent)"
        )
        page.wait_for_timeout(WARM_UP_MS)
        before = page.get_by_test_id("clock").inner_text()
        fps = float(page.evaluate(COUNT_FRAMES, MEASURED_MS))
        if page.get_by_test_id("clock").inner_text() == before:
            raise RuntimeError(f"the run with {blocks} blocks did not move while it was measured")
        return {"blocks": page.locator(".react-flow__node").count(), "fps": round(fps, 1)}
    finally:
        page.close()


def run(as_json: bool) -> dict[str, Any]:
    """Measure all sizes and print them, as one JSON object where ``as_json``; the same object is given."""
    path = os.environ.get("PLAYGROUND_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        result = {"canvas": [measure(browser, server, blocks) for blocks in BLOCKS]}
        browser.close()
    if as_json:
        print(json.dumps(result))
    else:
        for row in result["canvas"]:
            print(f"{row['blocks']:>5} blocks  {row['fps']:>5.1f} frames/s")
    return result
