"""What the search index reports."""

from __future__ import annotations

from playground.protocol.catalogue import Metric

PAGE_METRICS = (
    Metric(
        name="collected_now",
        label="Documents for a page",
        kind="gauge",
        help="Documents that the shards collect for a page, on average in the last second or two.",
    ),
    Metric(name="pages", label="Pages", kind="counter", help="Pages that readers were given, one after the other."),
    Metric(name="collected", label="Documents collected", kind="counter", help="Documents collected for pages in all."),
    Metric(
        name="too_deep",
        label="Pages too deep",
        kind="counter",
        help="Pages by number that were refused: from + size was past max_result_window.",
    ),
)

METRICS = (
    Metric(
        name="threads_busy",
        label="Threads",
        kind="gauge",
        help="Threads that search.",
        headline=True,
        maximum_metric="threads",
    ),
    Metric(name="threads", label="Threads there are", kind="gauge", help="Threads there are."),
    Metric(name="rejected", label="Turned away", kind="counter", help="Searches that found the queue full."),
    Metric(
        name="lag_ms",
        label="Lag",
        kind="gauge",
        unit="ms",
        help="How long ago the oldest change was committed that searches don't see yet.",
        headline=True,
    ),
    Metric(
        name="lag_changes",
        label="Changes behind",
        kind="gauge",
        help="Changes that are committed and that searches don't see yet.",
        headline=True,
    ),
    Metric(
        name="backlog", label="Wait to be indexed", kind="gauge", help="Changes that were read and wait for an indexer."
    ),
    Metric(
        name="indexers_busy",
        label="Indexers",
        kind="gauge",
        help="Bulks that are being indexed.",
        maximum_metric="indexers",
    ),
    Metric(name="indexers", label="Indexers there are", kind="gauge", help="Bulks that can be indexed at once."),
    Metric(name="indexed", label="Indexed", kind="counter", help="Items indexed, those of rebuilds included."),
    Metric(name="refreshes", label="Refreshes", kind="counter", help="Times that what was indexed became visible."),
    Metric(name="answers", label="Searches", kind="counter", help="Searches answered."),
    Metric(
        name="stale_answers",
        label="Stale answers",
        kind="counter",
        help="Of these, lists that differ from what the database holds: an item too many, too few, or an old version.",
    ),
    Metric(
        name="with_deleted",
        label="List deleted items",
        kind="counter",
        help="Answers with an item in them that is deleted.",
    ),
    Metric(name="without_new", label="Lack new items", kind="counter", help="Answers without an item that is there."),
    Metric(
        name="with_old", label="Show old versions", kind="counter", help="Answers with an item that has changed since."
    ),
    Metric(
        name="incomplete",
        label="Answered incomplete",
        kind="counter",
        help="Answers given while the index was being rebuilt.",
    ),
    Metric(name="rebuilds", label="Rebuilds", kind="counter", help="Times that it was built from scratch."),
    Metric(
        name="built_percent",
        label="Built",
        kind="gauge",
        unit="%",
        help="How much of the databases the present rebuild has read; 100 without one.",
    ),
    *PAGE_METRICS,
)
