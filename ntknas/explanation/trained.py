"""Accuracies of all cells, and the cells that others are held against: the best and the median one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ntknas.benchmarks import FOLDER, Benchmark, Target, load_benchmark, space_of
from ntknas.benchmarks.table import AccuracyTable
from ntknas.core.errors import ChoiceError
from ntknas.explanation.standing import Array, Standing, standing
from ntknas.spaces import Space

BEST, MEDIAN = "best", "median"


@dataclass(frozen=True)
class Trained:
    """What trained networks of a space are like.

    Attributes:
        main: The target that neighbours and landmarks are by.
        tables: Tables by target, the main one first.
    """

    main: Target
    tables: Mapping[Target, AccuracyTable]

    @property
    def accuracies(self) -> Array:
        """Means over training runs of the main target, by cell; NaN for none."""
        return self.tables[self.main].mean

    @property
    def unit(self) -> str:
        """Unit of the main target."""
        return self.tables[self.main].quantity.unit

    def standings(self, cell: int) -> list[Standing]:
        """Return the places of a cell by all targets."""
        return [
            standing(
                str(target),
                table.mean,
                cell,
                higher_is_better=table.quantity.higher_is_better,
                unit=table.quantity.unit,
            )
            for target, table in self.tables.items()
        ]

    def landmarks(self, space: Space) -> dict[str, int]:
        """Return the best and the median cell by the main target, of those with a path to the output.

        Args:
            space: The space.

        Returns:
            Their indices; of equal ones the first.
        """
        signed = self.tables[self.main].quantity.sign * self.accuracies
        ranked = [int(cell) for cell in np.argsort(-signed, kind="stable") if np.isfinite(signed[cell])]
        connected = [cell for cell in ranked if not space.is_disconnected(space[cell])]
        return {BEST: connected[0], MEDIAN: connected[(len(connected) - 1) // 2]} if connected else {}


def trained_of(
    space: Space, dataset: str, target: str | None = None, bench: str | None = None, folder: Path = FOLDER
) -> Trained:
    """Read the accuracies of a space's cells.

    Args:
        space: The space.
        dataset: Data set whose main targets are meant.
        target: The exact target that comes first; without one, the first of them.
        bench: Name of the benchmark; without one, that of the space.
        folder: Folder of imported tables.

    Returns:
        The accuracies.

    Raises:
        ChoiceError: If there is no such target, or the benchmark is of another space.
        DataError: If the benchmark has to be imported first.
    """
    name = bench or space.name
    if space_of(name, folder) != space.name:
        raise ChoiceError(f"{name} is of {space_of(name, folder)}'s cells, and this is a cell of {space.name}.")
    benchmark = load_benchmark(name, folder=folder)
    others = benchmark.main_targets(dataset) or _all(benchmark)
    targets = list(dict.fromkeys([*([] if target is None else [Target.parse(target)]), *others]))
    return Trained(targets[0], {each: benchmark.table(each) for each in targets})


def _all(benchmark: Benchmark) -> list[Target]:
    targets = benchmark.main_targets()
    if not targets:
        raise ChoiceError(
            f"{benchmark.name} has no accuracies to compare with: it holds {benchmark.describe_targets()}."
        )
    return targets
