"""The notable moments of regions and of the resolvers that point to them, in words."""

from __future__ import annotations

from mypy_extensions import i64

from playground.blocks.gslb.resolvers import Resolvers
from playground.blocks.gslb.targets import Targets
from playground.engine.block import Block
from playground.engine.words import counted, time_text


def note_dead(
    block: Block, targets: Targets, target: i64, failed: i64, silent_ns: i64, pointing: i64, resolvers: i64
) -> None:
    """A region was found dead by ``failed`` probes, ``silent_ns`` after its last good answer; so many of the ``resolvers`` point to it."""
    probes = f"{failed} probes in a row failed" if failed > 1 else "A probe failed"
    text = f"{probes}; the last good sign of it was {time_text(silent_ns)} ago."
    if pointing > 0:
        text += f" {100.0 * float(pointing) / float(resolvers):.0f} % of the resolvers still point there."
    block.note("region_dead", "bad", f"{targets.edges[target].callee.label} found dead", text)


def note_back(block: Block, targets: Targets, target: i64, good: i64) -> None:
    """A dead region has answered ``good`` probes in a row."""
    label = targets.edges[target].callee.label
    block.note(
        "region_back",
        "good",
        f"{label} is back",
        f"It has answered {f'{good} probes in a row' if good > 1 else 'a probe'}.",
    )


def note_route(block: Block, targets: Targets, target: i64) -> None:
    """The network has learned that a region is withdrawn, or announced again."""
    label = targets.edges[target].callee.label
    if targets.announced[target] == 0:
        text = "From now on no request goes there: no cache has to run out first."
        block.note("withdrawn", "good", f"Route to {label} withdrawn", text)
    else:
        block.note("announced", "good", f"Route to {label} announced again", "The nearest requests go there.")


def note_leaving(block: Block, targets: Targets, resolvers: Resolvers, target: i64) -> None:
    """Say when half of a dead region's resolvers have turned elsewhere, and when all have that honour the TTL."""
    label = targets.edges[target].callee.label
    there = resolvers.pointing[target]
    stubborn = resolvers.ignoring[target]
    if there == stubborn:
        targets.leaving[target] = 0
        if stubborn == 0:
            block.note("all_moved", "good", f"All resolvers have left {label}", "No request goes there any more.")
        else:
            text = f"{counted(stubborn, 'goes', 'go')} on sending there: {'it ignores' if stubborn == 1 else 'they ignore'} the TTL."
            block.note("all_moved", "warning", f"All resolvers that honour the TTL have left {label}", text)
    elif 2 * there <= targets.leaving[target] and targets.half_left[target] == 0:
        targets.half_left[target] = 1
        text = "The others keep their answer until its TTL is over."
        block.note("half_moved", "info", f"Half of the resolvers have left {label}", text)
