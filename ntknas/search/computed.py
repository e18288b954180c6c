"""Scores that are computed as a search asks for them, in batches; a store keeps them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Unpack

import numpy as np
from numpy.typing import NDArray

from ntknas.core.errors import ChoiceError, unknown
from ntknas.correlation.counts import Counts, NetworkSize
from ntknas.correlation.scored import scored_measures
from ntknas.measures import all_measures, find_measure
from ntknas.search.score import Array
from ntknas.spaces import Space

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.scoring import Engine
    from ntknas.scoring.inputs import ScoringOptions

Batch = tuple[Array, float]
"""Scores, signed so that higher is better, and the seconds that one cell's takes."""
OnScored = Callable[[int], None]
"""Told how many cells were scored."""


class ComputedScore:
    """A score that is computed once for each cell.

    Args:
        name: Its name.
        compute: Computes it of some cells.
        on_scored: Told how many cells were scored.

    Attributes:
        name: Its name.
    """

    def __init__(self, name: str, compute: Callable[[list[int]], Batch], on_scored: OnScored = lambda number: None):
        self.name, self._compute, self._on_scored = name, compute, on_scored
        self._known: dict[int, float] = {}
        self._seconds_per_cell = 0.0

    def of(self, cells: Sequence[int] | NDArray[np.int64], /) -> Array:
        """Return the scores of some cells; those that are not known yet are computed together."""
        indices = [int(cell) for cell in cells]
        new = [cell for cell in dict.fromkeys(indices) if cell not in self._known]
        if new:
            values, self._seconds_per_cell = self._compute(new)
            self._known |= zip(new, values.tolist(), strict=True)
            self._on_scored(len(new))
        return np.array([self._known[cell] for cell in indices], np.float64)

    def seconds(self, cells: Sequence[int] | NDArray[np.int64], /) -> float:
        """Return the seconds that scoring these cells takes."""
        return self._seconds_per_cell * len(cells)


def computed_score(
    name: str,
    space: Space,
    *,
    store: str | PathLike[str] | None = None,
    engine: Engine | str = "local",
    on_scored: OnScored = lambda number: None,
    **options: Unpack[ScoringOptions],
) -> ComputedScore:
    """Return a measure that ``ntknas.score`` computes as it is asked for, or a count.

    Args:
        name: The measure, or a count of the space's official networks.
        space: The space.
        store: The store that keeps the scores; what it has is not computed again.
        engine: As of ``ntknas.score``.
        on_scored: Told how many cells were scored.
        **options: What is measured, as of ``ntknas.score``; the recipe takes the measure.

    Returns:
        The score.

    Raises:
        ChoiceError: If it is neither a measure nor a count.
    """
    counts = Counts(NetworkSize.official(space, options.get("dataset", "cifar10")), space)
    if name in counts.names:
        return ComputedScore(name, lambda cells: (counts.of(name, cells), 0.0), on_scored)
    if find_measure(name) is None:
        error = _none_alone(name, counts.names)
        raise error

    def compute(cells: list[int]) -> Batch:
        from ntknas.scoring.session import score  # torch, and only where something is computed

        return signed_values(name, score(space, cells, store=store, engine=engine, **options).frame, cells)

    return ComputedScore(name, compute, on_scored)


def signed_values(name: str, scores: pd.DataFrame, cells: Sequence[int]) -> Batch:
    """Return a measure of some cells over their seeds; NaN for a cell that has none.

    Args:
        name: The measure.
        scores: Scores under one setting, as from ``ntknas.load_store``.
        cells: The cells.

    Returns:
        Its values, and the seconds per cell.
    """
    (item,) = scored_measures(scores[scores["measure"] == name], {}, {})
    values = item.cells["value"].reindex(list(cells)).to_numpy(np.float64)
    return item.sign * values, item.seconds or 0.0


def _none_alone(name: str, counts: Sequence[str]) -> ChoiceError:
    from ntknas.measures import all_derived

    if name in all_derived():
        return ChoiceError(
            f"{name} is made of the scores of all cells, and cannot be computed of one: score its measures with ntknas "
            "score, and search by it on that store."
        )
    return unknown("score", name, (*all_measures(), *counts))
