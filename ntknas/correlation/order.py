"""The rows of a result, the best first by one of their figures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ntknas.core.errors import check_known
from ntknas.correlation.estimate import Estimate

if TYPE_CHECKING:
    from ntknas.correlation.result import Correlation
    from ntknas.correlation.row import Row


class Figure(NamedTuple):
    """What rows can be sorted by.

    Attributes:
        attribute: Attribute of a row.
        direction: Whether more (1) or less (−1) comes first.
        first: The number of first cells, where the attribute has a value for several.
    """

    attribute: str
    direction: int = 1
    first: int | None = None

    def of(self, row: Row) -> float | None:
        """Return the figure of a row, if it has one."""
        value = getattr(row, self.attribute)
        if self.first is not None:
            value = value.get(self.first)
        return value.value if isinstance(value, Estimate) else value


SORTS = {
    "kendall": Figure("kendall"),
    "spearman": Figure("spearman"),
    "pearson": Figure("pearson"),
    "top10": Figure("kendall_top10"),
    "top25": Figure("kendall_top25"),
    "partial": Figure("partial_kendall"),
    "weighted": Figure("weighted_kendall"),
    "ndcg10": Figure("ndcg", first=10),
    "ndcg100": Figure("ndcg", first=100),
    "ndcg1000": Figure("ndcg", first=1000),
    "precision10": Figure("precision", first=10),
    "precision100": Figure("precision", first=100),
    "precision-top10": Figure("precision_top10"),
    "best-of-1": Figure("best_of", first=1),
    "best-of-10": Figure("best_of", first=10),
    "best-of-50": Figure("best_of", first=50),
    "best-of-100": Figure("best_of", first=100),
    "regret": Figure("regret", direction=-1),
    "seconds": Figure("seconds_per_cell", direction=-1),
}
"""What rows can be sorted by."""


def sorted_by(result: Correlation, figure: str) -> Correlation:
    """Return a result with its rows sorted, those without a value last.

    Args:
        result: The result.
        figure: A key of ``SORTS``.

    Returns:
        The sorted result.

    Raises:
        ChoiceError: If rows cannot be sorted by this.
    """
    chosen = SORTS[check_known("figure to sort by", figure, SORTS)]

    def place(row: Row) -> float:
        value = chosen.of(row)
        return float("inf") if value is None else -chosen.direction * value

    return replace(result, rows=sorted(result.rows, key=place))
