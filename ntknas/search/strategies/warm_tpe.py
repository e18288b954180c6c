"""Tree-structured Parzen estimators with the score as prior: the first estimate is of the best-scored cells."""

from __future__ import annotations

from ntknas.search.problem import Search
from ntknas.search.strategies.tpe import OPTUNA, STARTUP, estimate
from ntknas.search.strategy import Proposals, strategy


@strategy(
    "warm-tpe",
    text=f"cells drawn by a tree-structured Parzen estimator, after the {STARTUP} best-scored ones",
    source="Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011; Optuna",
    takes_score=True,
    needs_positions=True,
    requires=OPTUNA,
)
def warm_tpe(search: Search) -> Proposals:
    """Begin with the best-scored cells."""
    yield from estimate(search, search.best_scored(search.pool)[:STARTUP])


STRATEGY = warm_tpe
