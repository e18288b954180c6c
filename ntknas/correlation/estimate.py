"""A coefficient with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ntknas.core.shown import Shown, in_digits


@dataclass(frozen=True, repr=False)
class Estimate(Shown):
    """A coefficient and its interval; ``None`` where there is none.

    Attributes:
        value: The coefficient on all cells.
        low: Lower end of the 95 % interval.
        high: Upper end.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends of the interval, if there is one."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def as_json(self) -> dict[str, float | None]:
        """Return plain data."""
        return asdict(self)

    def _line(self) -> str:
        ends = "" if self.interval is None else f" [{in_digits(self.low)}, {in_digits(self.high)}]"
        return f"{in_digits(self.value)}{ends}"


TOP_SHARES = {"kendall_top10": 0.10, "kendall_top25": 0.25}
"""Shares of the cells with the highest accuracies that have a τ-b of their own, by its key."""
Estimates = Mapping[str, Estimate]
"""By coefficient, and for τ-b among the best by the key of their share."""
STATISTICS = {"kendall": "Kendall τ-b", "spearman": "Spearman ρ", "partial": "partial τ-b"}
"""What a table of many targets can be of, and how it is called."""
