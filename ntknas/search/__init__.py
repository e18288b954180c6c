"""Search guided by a score: strategies, what they find for how many trainings, and how they compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.lazy import importer_of

if TYPE_CHECKING:
    from ntknas.search.best_score import Found, ScoreSearch, maximise
    from ntknas.search.comparison import SearchResult, search
    from ntknas.search.computed import computed_score
    from ntknas.search.known import known_scores
    from ntknas.search.objective import Objective
    from ntknas.search.problem import Problem, Search
    from ntknas.search.registry import all_strategies, get_strategy, strategy_names
    from ntknas.search.score import KnownScore, Score
    from ntknas.search.strategy import Proposals, Strategy, Training

_HOME = {
    "Found": "best_score",
    "KnownScore": "score",
    "Objective": "objective",
    "Problem": "problem",
    "Proposals": "strategy",
    "Score": "score",
    "ScoreSearch": "best_score",
    "Search": "problem",
    "SearchResult": "comparison",
    "Strategy": "strategy",
    "Training": "strategy",
    "all_strategies": "registry",
    "computed_score": "computed",
    "get_strategy": "registry",
    "known_scores": "known",
    "maximise": "best_score",
    "search": "comparison",
    "strategy_names": "registry",
}
__all__ = [
    "Found",
    "KnownScore",
    "Objective",
    "Problem",
    "Proposals",
    "Score",
    "ScoreSearch",
    "Search",
    "SearchResult",
    "Strategy",
    "Training",
    "all_strategies",
    "computed_score",
    "get_strategy",
    "known_scores",
    "maximise",
    "search",
    "strategy_names",
]
__getattr__ = importer_of({name: f"ntknas.search.{module}" for name, module in _HOME.items()})
