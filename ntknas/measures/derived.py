"""Derived measures: scores that a cell has among others only, made from the scores of other measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Combine = Callable[..., Array]
"""From one array of scores for each input, over the same cells, to the scores of these cells."""


@dataclass(frozen=True)
class DerivedMeasure:
    """A function from the scores of a set of cells by other measures to their scores by this one.

    Attributes:
        name: Identifier.
        compute: The function; it takes one array for each input, in their order, and returns one score for each cell.
        inputs: Names of the measures that it takes.
        formula: Definition in symbols.
        higher_is_better: Direction.
        source: Where the definition comes from.
        lowest_if_undefined: Inputs for which the status ``undefined`` says that a cell is worse than any number: the
            function is given an infinite one in its place.
        fitted: What of it was chosen on cells with known accuracies, on which it then looks better than it is; empty if
            nothing was.
    """

    name: str
    compute: Combine
    inputs: tuple[str, ...]
    formula: str
    higher_is_better: bool
    source: str
    lowest_if_undefined: tuple[str, ...] = ()
    fitted: str = ""

    @property
    def sign(self) -> int:
        """+1 if higher is better, else −1."""
        return 1 if self.higher_is_better else -1
