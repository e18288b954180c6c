"""Strategies by name: ours, a file each, and those of other packages."""

from __future__ import annotations

from ntknas.core.registry import MisfitError, Registry
from ntknas.search.strategy import Strategy

ENTRY_POINT_GROUP = "ntknas.strategies"


def _accept(candidate: object) -> Strategy:
    if not isinstance(candidate, Strategy):
        raise MisfitError(f"what it names is no Strategy but a {type(candidate).__name__}")
    return candidate


_REGISTRY = Registry("strategy", "ntknas.search.strategies", "STRATEGY", ENTRY_POINT_GROUP, _accept)


def strategy_names() -> list[str]:
    """Return the names of all strategies, third parties' included."""
    return sorted(_REGISTRY.names())


def get_strategy(name: str) -> Strategy:
    """Return a strategy.

    Raises:
        ChoiceError: If there is none of this name, or it is one of a package that is at fault.
    """
    return _REGISTRY.get(name)


def all_strategies() -> dict[str, Strategy]:
    """Return all strategies by name; packages at fault are left out with a warning that names them."""
    return dict(sorted(_REGISTRY.all().items()))
