"""Parameters as the engine reads them: the one place where units of a design become nanoseconds and bytes."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from playground.engine.streams import DISTRIBUTIONS, FITS, Duration

NS_PER_UNIT: Final = {"us": 1_000.0, "ms": 1_000_000.0, "s": 1_000_000_000.0}


class Params:
    """Checked parameters of one block or edge (every declared name is present), with typed readers.

    Readers raise KeyError for a name that the specification does not declare: a mistake in a block, never of a user.
    """

    def __init__(self, values: dict[str, object]) -> None:
        self.values = values

    def number(self, name: str) -> float:
        """A number; -1.0 when the parameter is off."""
        value = self.values[name]
        if value is None:
            return -1.0
        assert isinstance(value, (int, float))
        return float(value)

    def integer(self, name: str) -> i64:
        """A whole number; -1 when the parameter is off."""
        value = self.values[name]
        if value is None:
            return -1
        assert isinstance(value, (int, float))
        return i64(int(value))

    def flag(self, name: str) -> bool:
        """A yes or no."""
        return bool(self.values[name])

    def text(self, name: str) -> str:
        """A choice or text; empty when off."""
        value = self.values[name]
        return "" if value is None else str(value)

    def ns(self, name: str) -> i64:
        """A duration whose unit ends its name (``_us``, ``_ms``, ``_s``), in ns; -1 when off."""
        value = self.number(name)
        if value < 0.0:
            return -1
        return i64(round(value * NS_PER_UNIT[name.rsplit("_", 1)[1]]))

    def set_duration(self, duration: Duration, prefix: str) -> None:
        """Set ``duration`` from ``<prefix>_distribution``, ``<prefix>_mean_<unit>`` and ``<prefix>_cv``; one of ``FITS`` has its mean."""
        name = self.text(f"{prefix}_distribution")
        if name in FITS:
            share, least_ns, exponent, mean_ns = FITS[name]
            duration.set_mixture(share, least_ns, exponent, mean_ns)
            return
        mean = -1.0
        for unit in NS_PER_UNIT:
            if f"{prefix}_mean_{unit}" in self.values:
                mean = float(self.number(f"{prefix}_mean_{unit}")) * NS_PER_UNIT[unit]
        kind: i64 = DISTRIBUTIONS.index(name)
        duration.set_to(kind, mean, self.number(f"{prefix}_cv"))
