"""What the client declares about readers who walk through lists."""

from __future__ import annotations

from playground.blocks.declare import TEN_DAYS_S
from playground.protocol.catalogue import Choice, Metric, Param

LISTS = "Lists"
WALKS: dict[str, tuple[bool | int | float | str | None, ...]] = {"lists": ("walk",)}

PARAMS = (
    Param(
        name="lists",
        label="Lists",
        kind="choice",
        default="first",
        choices=(
            Choice(value="first", label="One page", help="each list is one request, for the first page"),
            Choice(
                value="walk",
                label="Page after page",
                help="readers follow the link to the next page; what they are shown twice or never is counted",
            ),
        ),
        help="What somebody who asks for a list does with it.",
        group=LISTS,
    ),
    Param(
        name="walk_from",
        label="From page",
        kind="integer",
        default=1,
        minimum=1,
        maximum=10_000_000,
        help="The page that a walk begins at, by its number; later walks begin by the link that the server gave for it.",
        group=LISTS,
        shown_when=WALKS,
    ),
    Param(
        name="walk_pages",
        label="Pages",
        kind="integer",
        default=5,
        minimum=1,
        maximum=10_000,
        help="Pages that a reader looks at, one after the other, as far as there are so many.",
        group=LISTS,
        shown_when=WALKS,
    ),
    Param(
        name="walk_gap_s",
        label="Time on a page",
        kind="number",
        default=1.0,
        unit="s",
        minimum=0.0,
        maximum=TEN_DAYS_S,
        help="Mean time that a reader looks at a page before asking for the next one, exponential.",
        group=LISTS,
        shown_when=WALKS,
    ),
    Param(
        name="altered_links_percent",
        label="Altered links",
        kind="number",
        default=0.0,
        unit="%",
        minimum=0.0,
        maximum=100.0,
        help="Share of links in which somebody changes a letter before following them.",
        group=LISTS,
        shown_when=WALKS,
    ),
)

METRICS = (
    Metric(name="pages_shown", label="Pages shown", kind="counter", help="Pages of lists that readers were shown."),
    Metric(
        name="duplicates",
        label="Shown twice",
        kind="counter",
        help="Rows that a reader was shown a second time in one walk.",
    ),
    Metric(
        name="skips",
        label="Never shown",
        kind="counter",
        help="Rows that were there during a whole walk, between its first row and its last, and were not shown. Counted at its end.",
    ),
    Metric(name="walks", label="Walks now", kind="gauge", help="Readers who are on their way through a list."),
    Metric(name="altered_links", label="Altered links", kind="counter", help="Links that were altered and followed."),
    Metric(
        name="altered_refused", label="Altered, refused", kind="counter", help="Those that the server refused (400)."
    ),
    Metric(
        name="altered_answered",
        label="Altered, answered",
        kind="counter",
        help="Those that it followed, wherever they led.",
    ),
)
