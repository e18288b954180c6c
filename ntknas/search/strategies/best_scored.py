"""The best of k by score: cells of the pool in the order of their scores."""

from __future__ import annotations

from ntknas.search.problem import Search
from ntknas.search.strategy import Proposals, Training, strategy


@strategy("best-scored", text="cells in the order of their scores, ties at random", takes_score=True)
def best_scored(search: Search) -> Proposals:
    """Score the pool, then train from the best-scored on."""
    for cell in search.best_scored(search.pool):
        yield Training(int(cell))


STRATEGY = best_scored
