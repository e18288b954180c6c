"""Regularised evolution (Real et al., 2019): of a sample of the population the best is mutated, and the oldest dies."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from ntknas.search.problem import Search
from ntknas.search.strategy import Proposals, Training, strategy

POPULATION, SAMPLE = 10, 3
"""As NAS-Bench-201's authors run it."""


def evolve(search: Search, population: Sequence[int] | NDArray[np.int64]) -> Proposals:
    """Train a first population, then for ever a mutant of the best of a random sample, in place of the oldest.

    Args:
        search: The search.
        population: The first population.

    Yields:
        What to train.
    """
    search.announce(population)
    living: deque[tuple[float, int]] = deque()
    for cell in population:
        living.append(((yield Training(int(cell))), int(cell)))
    while living:
        sample = search.generator.choice(len(living), min(SAMPLE, len(living)), replace=False)
        _, parent = max((living[number] for number in sample), key=itemgetter(0))
        child = next(iter(search.neighbours(parent)), parent)
        living.append(((yield Training(child)), child))
        living.popleft()


@strategy(
    "evolution",
    text=f"regularised evolution of {POPULATION} random cells",
    source="Real et al., Regularized Evolution for Image Classifier Architecture Search, AAAI 2019",
    needs_neighbours=True,
)
def evolution(search: Search) -> Proposals:
    """Begin with the first cells of the random order."""
    yield from evolve(search, search.order[:POPULATION])


STRATEGY = evolution
