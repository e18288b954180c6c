"""The rows of a result, the best first by one of their figures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ntknas.core.errors import check_known
from ntknas.correlation.estimate import Estimate

if TYPE_CHECKING:
    from ntknas.correlation.result import Correlation
    from ntknas.correlation.row import Row

SORTS = {
    "kendall": ("kendall", 1),
    "spearman": ("spearman", 1),
    "pearson": ("pearson", 1),
    "top10": ("kendall_top10", 1),
    "top25": ("kendall_top25", 1),
    "partial": ("partial_kendall", 1),
    "regret": ("regret", -1),
    "seconds": ("seconds_per_cell", -1),
}
"""What rows can be sorted by: attribute of a row, and whether more (1) or less (−1) comes first."""


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
    attribute, direction = SORTS[check_known("figure to sort by", figure, SORTS)]

    def place(row: Row) -> float:
        figure = getattr(row, attribute)
        value = figure.value if isinstance(figure, Estimate) else figure
        return float("inf") if value is None else -direction * value

    return replace(result, rows=sorted(result.rows, key=place))
