"""What a run scores: which networks, how they are measured, on which probe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ntknas.data.probe import Probe
from ntknas.scoring.recipe import Recipe
from ntknas.spaces import load_space, space_names


@dataclass(frozen=True)
class Job:
    """The part of a run that does not depend on where and on what of it is computed.

    Attributes:
        space: The space.
        dataset: Data set that networks are built for.
        recipe: The recipe.
        probe: The probe.
    """

    space: Any
    dataset: str
    recipe: Recipe
    probe: Probe

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process with the name of a known space, which is read there."""
        known = self.space.name in space_names()
        return _job, (self.space.name if known else self.space, self.dataset, self.recipe, self.probe)


def _job(space: Any, dataset: str, recipe: Recipe, probe: Probe) -> Job:
    return Job(load_space(space) if isinstance(space, str) else space, dataset, recipe, probe)
