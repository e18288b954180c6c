"""What partial correlations hold fixed: counts of cells, or other measures of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from ntknas.core.errors import ChoiceError, check_known
from ntknas.correlation.coefficients import Array
from ntknas.correlation.counts import Counts
from ntknas.correlation.row import BASELINE
from ntknas.correlation.scored import Scored


class Covariates:
    """What is held fixed in each row.

    Args:
        given: Names of counts, or of measures that rank these cells in one way; each setting's ``Counts.given``
            without any.
        scored: All that ranks the cells.
        counts: Counts of cells by setting, where the space is known.

    Raises:
        ChoiceError: If a name is neither, or of a measure with several rankings.
    """

    def __init__(self, given: Collection[str] | None, scored: Sequence[Scored], counts: Mapping[str, Counts]):
        self._given, self._counts = given, counts
        self._measured: dict[str, pd.Series] = {}
        counted = dict.fromkeys(name for known in counts.values() for name in known.names)
        measured = [item for item in scored if item.recipe != BASELINE]
        for name in given or ():
            if name not in counted:
                check_known(
                    "count or measure of these scores",
                    name,
                    [*counted, *dict.fromkeys(item.measure for item in measured)],
                )
                self._measured[name] = _ranking(name, measured)

    def of(self, item: Scored, cells: pd.Index) -> pd.DataFrame:
        """Return the covariates of a row's cells, in columns; NaN where a cell has none.

        Args:
            item: What the row is of.
            cells: Its cells.
        """
        known = self._counts.get(item.setting)
        names = self._given if self._given is not None else known.given if known else ()
        columns: dict[str, Array] = {}
        for name in names:
            if name in self._measured:
                columns[name] = self._measured[name].reindex(cells).to_numpy(np.float64)
            elif known and name in known.names:
                columns[name] = known.of(name, cells)
        return pd.DataFrame(columns, index=cells)


def _ranking(name: str, measured: Sequence[Scored]) -> pd.Series:
    """Return the signed scores of the only ranking by a measure."""
    rankings = [item for item in measured if item.measure == name]
    if len(rankings) > 1:
        kernels = ", ".join(f"{item.recipe} {item.kernel}".strip() for item in rankings)
        raise ChoiceError(
            f"`given` {name} ranks these cells in {len(rankings)} ways ({kernels}): choose one of them by `setting` or "
            "`recipe`."
        )
    (item,) = rankings
    values: pd.Series = item.sign * item.cells.loc[item.scored_cells, "value"].astype(np.float64)
    return values
