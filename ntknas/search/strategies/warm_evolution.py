"""Regularised evolution that begins with the best-scored cells of the pool."""

from __future__ import annotations

from ntknas.search.problem import Search
from ntknas.search.strategies.evolution import POPULATION, evolve
from ntknas.search.strategy import Proposals, strategy


@strategy(
    "warm-evolution",
    text=f"regularised evolution of the {POPULATION} best-scored cells",
    source="Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021",
    takes_score=True,
    needs_neighbours=True,
)
def warm_evolution(search: Search) -> Proposals:
    """Begin with the best-scored cells."""
    yield from evolve(search, search.best_scored(search.pool)[:POPULATION])


STRATEGY = warm_evolution
