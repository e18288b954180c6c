"""What tables of correlations say of their numbers: estimates, and what intervals cover."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ntknas.correlation.row import MEASUREMENTS, NETWORKS

if TYPE_CHECKING:
    from ntknas.correlation import Estimate, Row
    from ntknas.correlation.overview import Agreement

_RESAMPLED = {
    NETWORKS: "Some of these cells are one network (their kernels are equal): networks are resampled, not cells.\n",
    MEASUREMENTS: "Some of these cells share one measurement: measurements are resampled, not cells.\n",
}
_ALONE = """\
: the initialisation, which networks of one seed share, is not in them (it is with
score --seeds 3, or better --independent-seeds)."""


def estimate_text(estimate: Estimate) -> str:
    """Return a coefficient with its interval, if it has one."""
    if estimate.low is None:
        return fixed(estimate.value)
    return f"{fixed(estimate.value)} [{fixed(estimate.low)}, {fixed(estimate.high)}]"


def fixed(value: float | None) -> str:
    """Return a number with two decimals; a dash for none."""
    return "–" if value is None or value != value else f"{value:.2f}".replace("-0.00", "0.00")


def covered(rows: Sequence[Row | Agreement]) -> str:
    """Say what intervals resample, and whether they have the initialisation in them."""
    from ntknas.correlation.seeds import CELLS

    rows = [row for row in rows if not row.is_baseline]
    over_cells = [row.interval_covers == CELLS for row in rows]
    if not any(row.kendall.interval for row in rows):
        return "There are no intervals: they need 200 resamples and 10 cells."
    kinds = [kind for kind in _RESAMPLED if any(row.resampled == kind for row in rows)]
    over = " or ".join(kinds) or "cells"
    said = "".join(_RESAMPLED[kind] for kind in kinds)
    if all(over_cells):
        return f"{said}The intervals are over {over} alone{_ALONE}"
    several = f" where every cell has several seeds, else over {over} alone" * any(over_cells)
    return f"{said}The intervals are over {over} and initialisations{several}."
