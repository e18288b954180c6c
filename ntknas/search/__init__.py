"""Search guided by a score: strategies, what they find for how many trainings, and how they compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.lazy import importer_of

if TYPE_CHECKING:
    from ntknas.search.comparison import SearchResult, search
    from ntknas.search.objective import Objective
    from ntknas.search.problem import Problem
    from ntknas.search.registry import all_strategies, get_strategy, strategy_names
    from ntknas.search.score import Score
    from ntknas.search.strategy import Strategy

_HOME = {
    "Objective": "objective",
    "Problem": "problem",
    "Score": "score",
    "SearchResult": "comparison",
    "Strategy": "strategy",
    "all_strategies": "registry",
    "get_strategy": "registry",
    "search": "comparison",
    "strategy_names": "registry",
}
__all__ = [
    "Objective",
    "Problem",
    "Score",
    "SearchResult",
    "Strategy",
    "all_strategies",
    "get_strategy",
    "search",
    "strategy_names",
]
__getattr__ = importer_of({name: f"ntknas.search.{module}" for name, module in _HOME.items()})
