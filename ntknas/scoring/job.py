"""What a run scores: which networks, how they are measured, on which probe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntknas.core.errors import DataError
from ntknas.core.shown import Shown, listed
from ntknas.data.probe import Probe
from ntknas.scoring.recipe import Group, Recipe, training_group
from ntknas.spaces import CellSpace, Space, load_space, space_names
from ntknas.spaces.own_file import SpaceFile, file_of
from ntknas.store.setting import Setting

if TYPE_CHECKING:
    from ntknas.scoring.training import Training


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


@dataclass(frozen=True, repr=False)
class Job(Shown):
    """The part of a run that does not depend on where and on what of it is computed.

    Attributes:
        space: The space.
        dataset: Data set that networks are built for.
        recipe: The recipe.
        probe: The probe.
        strategy: How kernels are computed.
        training: When networks are measured and how they are trained; ``None`` for initialisation alone.
    """

    space: Space
    dataset: str
    recipe: Recipe
    probe: Probe
    strategy: Strategy = AUTO
    training: Training | None = None

    def __post_init__(self) -> None:
        """Check that the space has such networks, and that the images can be attacked where that is asked for.

        Raises:
            ChoiceError: If the space has no networks of this size.
            DataError: If the images have no pixels from 0 to 1.
        """
        if isinstance(self.space, CellSpace):
            network = self.recipe.network
            self.space.check_size(channels=network.channels, cells_per_stage=network.cells_per_stage)
        if self.recipe.choices.attack and self.probe.pixel_range is None:
            raise DataError(
                f"`perturb` moves pixels from 0 to 1, and the images of {self.probe.source} have none: choose another "
                "`probe`, such as digits."
            )

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs at which networks are measured."""
        return self.training.epochs if self.training else (0,)

    def groups(self, epoch: int) -> list[Group]:
        """Return what is measured at an epoch."""
        return self.recipe.groups() + ([training_group()] if epoch else [])

    def setting(self, group: Group, epoch: int = 0) -> Setting:
        """Return the identity of scores; at initialisation it does not depend on the training."""
        setting = self.recipe.setting(self.space, self.dataset, self.probe, group)
        if not epoch or self.training is None:
            return setting
        return setting.after(self.training.identity, epoch)

    def __reduce__(self) -> tuple[Callable[..., Job], tuple[object, ...]]:
        """Travel to another process with the name of a known space, or the file of a user's, which is read there."""
        known = self.space.name if self.space.name in space_names() else self.space
        space = file_of(self.space.name) or known
        return _job, (space, self.dataset, self.recipe, self.probe, self.strategy, self.training)

    def _line(self) -> str:
        trained = f", trained to {listed(self.epochs)} epochs" if self.training else ""
        return f"{self.space.name}, {self.dataset}, recipe {self.recipe.name}, probe {self.probe.source}{trained}"


def _job(
    space: Space | SpaceFile | str,
    dataset: str,
    recipe: Recipe,
    probe: Probe,
    strategy: Strategy,
    training: Training | None,
) -> Job:
    space = space.space if isinstance(space, SpaceFile) else space
    return Job(load_space(space) if isinstance(space, str) else space, dataset, recipe, probe, strategy, training)
