"""What a run scores: which networks, how they are measured, on which probe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ntknas.data.probe import Probe
from ntknas.scoring.recipe import Recipe
from ntknas.spaces import load_space, space_names


@dataclass(frozen=True)
class Strategy:
    """How kernels are computed; which one changes numbers by rounding alone, and is no part of a score's identity.

    Attributes:
        name: As in ``empirical_ntk``.
        rows_at_once: Rows that one backward pass computes, where rows are computed by backward passes.
    """

    name: str = "auto"
    rows_at_once: int = 1


AUTO = Strategy()


@dataclass(frozen=True)
class Job:
    """The part of a run that does not depend on where and on what of it is computed.

    Attributes:
        space: The space.
        dataset: Data set that networks are built for.
        recipe: The recipe.
        probe: The probe.
        strategy: How kernels are computed.
    """

    space: Any
    dataset: str
    recipe: Recipe
    probe: Probe
    strategy: Strategy = AUTO

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process with the name of a known space, which is read there."""
        known = self.space.name in space_names()
        return _job, (self.space.name if known else self.space, self.dataset, self.recipe, self.probe, self.strategy)


def _job(space: Any, *rest: Any) -> Job:
    return Job(load_space(space) if isinstance(space, str) else space, *rest)
