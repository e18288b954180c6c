"""Local search by validation values, as White et al. (2021) run it: climb to a local optimum, then start afresh."""

from __future__ import annotations

from operator import itemgetter

from ntknas.search.problem import Search
from ntknas.search.strategy import Proposals, Training, strategy


@strategy(
    "local-search",
    text="the best neighbour of the best cell, from another random cell once none is better",
    source="White, Nolen and Savani, Exploring the Loss Landscape in Neural Architecture Search, UAI 2021",
    needs_neighbours=True,
)
def local_search(search: Search) -> Proposals:
    """Train all neighbours of a cell and move to the best of them while that is better; then start afresh."""
    for start in search.order:
        cell, value = int(start), (yield Training(int(start)))
        while True:
            near: list[tuple[float, int]] = []
            others = search.neighbours(cell)
            search.announce(others)
            for other in others:
                near.append(((yield Training(other)), other))  # noqa: PERF401  a yield in a comprehension is a generator
            best = max(near, key=itemgetter(0), default=(value, cell))
            if best[0] <= value:
                break
            value, cell = best


STRATEGY = local_search
