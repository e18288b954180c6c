"""Successive halving over epochs: many cells for few epochs, the best of them for more."""

from __future__ import annotations

from operator import itemgetter

from ntknas.search.problem import Search
from ntknas.search.strategy import Proposals, Training, strategy

KEPT = 3
"""One in so many goes on to the next budget."""


@strategy(
    "halving",
    text=f"rounds of {KEPT}^(budgets − 1) cells, one in {KEPT} of which goes on to the next epoch budget",
    source="Jamieson and Talwalkar, Non-stochastic Best Arm Identification, AISTATS 2016 (η = 3)",
    needs_levels=True,
)
def halving(search: Search) -> Proposals:
    """Train rounds of cells in random order; in each the best third after every budget goes on."""
    levels = len(search.problem.objective.levels)
    size = KEPT ** (levels - 1)
    for start in range(0, len(search.order), size):
        cells = [int(cell) for cell in search.order[start : start + size]]
        for level in range(levels):
            values = []
            for cell in cells:
                values.append(((yield Training(cell, level)), cell))  # noqa: PERF401  a yield in a comprehension
            values.sort(key=itemgetter(0), reverse=True)
            cells = [cell for _, cell in values[: max(1, len(values) // KEPT)]]


STRATEGY = halving
