"""Published scores of one way, as numbers of all cells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError
from ntknas.correlation.aggregate import over_seeds
from ntknas.explanation.standing import Array
from ntknas.measures import get_measure
from ntknas.published import Release, Way
from ntknas.published.frame import Expansion
from ntknas.published.scores import Block
from ntknas.published.source import PREFIX
from ntknas.store.setting import Setting

DEFAULT_WAY = "recommended"
"""The way that is taken where none measures the kernel that is explained; without it, the first."""
_SHARED = ("output", "batch_norm", "parameters", "normalisation")


@dataclass(frozen=True)
class PublishedScores:
    """Scores of all cells by one way of a release.

    Attributes:
        release: The release.
        way: The way.
        size: Number of cells of the space.
        folder: Where its spectra lie; ``None`` for the usual place.
    """

    release: Release
    way: Way
    size: int
    folder: Path | None = None

    @property
    def title(self) -> str:
        """Which scores they are, in words."""
        seeds = f"{'seeds' if len(self.way.seeds) > 1 else 'seed'} {', '.join(map(str, self.way.seeds))}"
        return f"{self.release.name} {self.release.version}, way {self.way.name}, {seeds}"

    @property
    def settings(self) -> Mapping[str, Setting]:
        """The settings of the way by digest."""
        return self.way.settings

    @cached_property
    def values(self) -> Mapping[str, Array]:
        """Scores over seeds of all cells by measure, by index; NaN where there is none."""
        blocks = [self.release.block(self.way.name, seed) for seed in self.way.seeds]
        first, cells = blocks[0], self.release.cells
        where = Expansion.of(first.networks, self.way.unit, cells, cells.positions(None))
        found = {}
        for number, name in enumerate(first.measures):
            found[name] = np.full(self.size, np.nan)
            found[name][where.cells] = _over_seeds(name, number, blocks)[where.places]
        return {name: found[name] for name in self.way.measures}

    def spectra(self, cells: Iterable[int]) -> dict[int, Array]:
        """Return the spectra of some cells under the first seed; without those that have none.

        Args:
            cells: Their indices.

        Returns:
            Eigenvalues in descending order by cell.

        Raises:
            ChoiceError: If the way has no spectra.
            DataError: If their file is missing, or was changed.
        """
        table = self.release.spectra(self.way.name, self.way.seeds[0], self.folder)
        rows = {cell: table.loc[cell].to_numpy(np.float64) for cell in cells if cell in table.index}
        return {cell: values for cell, values in rows.items() if np.isfinite(values).all()}


def _over_seeds(measure: str, number: int, blocks: Sequence[Block]) -> Array:
    """Return a measure of every network, over seeds as its definition says."""
    if len(blocks) == 1:
        return np.asarray(blocks[0].value[number], np.float64)
    columns = [
        pd.DataFrame(
            {
                "cell": block.networks,
                "seed": seed,
                "value": block.value[number],
                "status": np.array(block.status.names)[block.status.codes[number]],
            }
        )
        for seed, block in enumerate(blocks)
    ]
    by_network = over_seeds(pd.concat(columns), get_measure(measure).aggregate)["value"]
    values: Array = by_network.reindex(blocks[0].networks).to_numpy()
    return values


def open_published(
    name: str, space: str, size: int, way: str | None, choices: Choices, images: str, folder: Path | None = None
) -> PublishedScores:
    """Open published scores of a space.

    Args:
        name: Name of a release that comes with the package, or a folder; ``published:`` may stand before it.
        space: Name of the space.
        size: Number of its cells.
        way: Name of the way; without one that of the kernel that is explained, if there is one.
        choices: Which kernel is explained.
        images: Name of the image source that it is taken on.
        folder: Where spectra lie.

    Returns:
        The scores.

    Raises:
        ChoiceError: If there is no such release or way, it has none yet, or is of another space.
        DataError: If a file was changed, or is of another version of the format.
    """
    release = Release.open(name.removeprefix(PREFIX))
    if release.space != space:
        raise ChoiceError(f"{release.name} holds published scores of {release.space}, and this is a cell of {space}.")
    if way is None and not release.ways:
        raise ChoiceError(f"{release.name} {release.version} has no way of measuring yet: all are open")
    chosen = release.way(way) if way is not None else release.ways[_like(release.ways.values(), choices, images)]
    return PublishedScores(release, chosen, size, folder)


def _like(ways: Collection[Way], choices: Choices, images: str) -> str:
    """Return the way of the kernel that some choices name, on the same images if there is one, else the default."""
    names, wanted = [way.name for way in ways], choices.as_dict()
    same_kernel = [
        (way.name, setting.probe.source)
        for way in ways
        for setting in way.settings.values()
        if all(setting.fields.get(key) == wanted[key] for key in _SHARED)
    ]
    if same_kernel:
        return min(same_kernel, key=lambda found: found[1] != images)[0]  # the first of those that are level
    return DEFAULT_WAY if DEFAULT_WAY in names else names[0]
