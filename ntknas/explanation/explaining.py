"""Everything about one cell in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import torch

from ntknas.benchmarks import FOLDER
from ntknas.core.errors import ChoiceError, DataError, KernelError, check_known
from ntknas.core.kernel import Kernel
from ntknas.core.score import Score
from ntknas.correlation.counts import Counts, NetworkSize
from ntknas.data.datasets import get_dataset
from ntknas.data.probe import Probe
from ntknas.explanation import neighbours as steps
from ntknas.explanation.measured import PublishedScores, open_published
from ntknas.explanation.neighbours import Neighbour
from ntknas.explanation.result import Explanation, MeasureRow, Spectrum
from ntknas.explanation.shares import LayerShare, layer_shares
from ntknas.explanation.standing import Array, Standing, percentiles, standing
from ntknas.explanation.trained import Trained, trained_of
from ntknas.explanation.words import kernel_words
from ntknas.measures import get_measure
from ntknas.published.places import PACKAGED
from ntknas.scoring.inspection import Inspection, inspect_cell
from ntknas.scoring.recipe import Recipe
from ntknas.spaces import Space
from ntknas.spaces.drawing import drawing_of
from ntknas.spaces.structure import COUNTS

T = TypeVar("T")
SCORE = "cond"
"""The measure that neighbours are compared by, unless told otherwise."""
_FEW_CELLS = 60_000
"""Cells of a space of which all may be counted."""


@dataclass(frozen=True)
class Beside:
    """What a cell is held against.

    Attributes:
        published: Name or folder of published scores; ``None`` for those that come with the package.
        way: Its way; ``None`` for that of the kernel that is computed, on the same images if there is one.
        spectra: Folder of its spectra; ``None`` for the usual place.
        score: The measure that neighbours are compared by.
        bench: Name of the benchmark; ``None`` for the space's own.
        target: The exact target; ``None`` for the main ones of the data set.
        bench_data: Folder of imported tables.
    """

    published: str | None = None
    way: str | None = None
    spectra: Path | None = None
    score: str | None = None
    bench: str | None = None
    target: str | None = None
    bench_data: Path = FOLDER


@dataclass(frozen=True)
class Explained:
    """A cell of a space, and how its kernel is computed.

    Attributes:
        space: The space.
        cell: Index of the cell.
        recipe: Choices, network options and measures.
        probe: The probe.
        dataset: Data set that the network is built for.
        seed: Seed of the weights.
        device: Where to compute.
    """

    space: Space
    cell: int
    recipe: Recipe
    probe: Probe
    dataset: str
    seed: int
    device: torch.device

    def inspected(self, cell: int | None = None) -> Inspection:
        """Compute the kernel of the cell, or of another one in the same way."""
        return inspect_cell(
            self.space,
            self.cell if cell is None else cell,
            recipe=self.recipe,
            probe=self.probe,
            dataset=self.dataset,
            seed=self.seed,
            device=self.device,
            by_layer=cell is None and self.recipe.choices.normalisation == "none",
        )

    def counts(self) -> Counts:
        """Return the counts of networks of this size."""
        images, options = get_dataset(self.dataset), self.recipe.network.resolved(self.space)
        channels, depth = options.get("channels"), options.get("cells_per_stage")
        assert channels is not None
        assert depth is not None
        return Counts(NetworkSize(self.space.name, images.image_size, images.num_classes, channels, depth), self.space)


@dataclass
class LeftOut:
    """What cannot be said, and why."""

    reasons: list[str] = field(default_factory=list)

    def unless(self, what: str, make: Callable[[], T]) -> T | None:
        """Return what a function makes; where it is not there, note that and return nothing."""
        try:
            return make()
        except (ChoiceError, DataError, KernelError) as error:
            self.reasons.append(f"{what}: {str(error).rstrip('.')}.")
            return None


def explain_cell(subject: Explained, beside: Beside) -> Explanation:
    """Explain a cell.

    Args:
        subject: The cell, and how its kernel is computed.
        beside: What it is held against.

    Returns:
        The explanation; what is not at hand is left out, and named.

    Raises:
        NtknasError: If the kernel cannot be computed, or published scores or a target that were named are not there.
    """
    left_out, space, cell = LeftOut(), subject.space, subject.cell
    published = _published(subject, beside, left_out)
    trained = _trained(subject, beside, left_out)
    score = _score(beside, published)
    inspection = subject.inspected()
    kernel = inspection.kernel
    return Explanation(
        heading=inspection.heading,
        text=str(space[cell]),
        setting=_setting(subject, kernel),
        kernel=kernel,
        measures=_measures(inspection.scores, published, cell),
        layers=layers_of(inspection, left_out),
        spectra=_spectra(subject, inspection, published, trained, left_out),
        left_out=left_out.reasons,
        space=space.name,
        cell=cell,
        is_disconnected=inspection.disconnected,
        drawing=drawing_of(space, cell),
        counts=_counts(subject),
        accuracies=[] if trained is None else trained.standings(cell),
        published=None if published is None else published.title,
        score=score,
        neighbours=_neighbours(subject, published, score, trained, left_out),
    )


def _published(subject: Explained, beside: Beside, left_out: LeftOut) -> PublishedScores | None:
    space = subject.space
    name = beside.published or (space.name if space.name in PACKAGED else None)
    if name is None:
        left_out.reasons.append(f"Places of measures: there are no published scores of {space.name}.")
        return None

    def opened() -> PublishedScores:
        choices, images = subject.recipe.choices, subject.probe.source
        return open_published(name, space.name, len(space), beside.way, choices, images, beside.spectra)

    return left_out.unless("Places of measures", opened) if beside.way is None else opened()


def _trained(subject: Explained, beside: Beside, left_out: LeftOut) -> Trained | None:
    def read() -> Trained:
        return trained_of(subject.space, subject.dataset, beside.target, beside.bench, beside.bench_data)

    return read() if beside.target or beside.bench else left_out.unless("Accuracies", read)


def _score(beside: Beside, published: PublishedScores | None) -> str | None:
    if published is None:
        return None
    names = list(published.values)
    if beside.score is not None:
        return check_known("published measure", beside.score, names)
    return SCORE if SCORE in names else names[0]


def _setting(subject: Explained, kernel: Kernel) -> str:
    options = subject.recipe.network.resolved(subject.space)
    size = f"{options['channels']} channels, {options['cells_per_stage']} per stage, seed {subject.seed}"
    return f"{kernel_words(kernel)}; {len(subject.probe)} images of {subject.probe.source}; {size}"


def _measures(scores: list[Score], published: PublishedScores | None, cell: int) -> list[MeasureRow]:
    here = {score.measure: score for score in scores}
    places = {} if published is None else _places(published, cell)
    return [
        MeasureRow(
            name, get_measure(name).formula, get_measure(name).higher_is_better, here.get(name), places.get(name)
        )
        for name in dict.fromkeys([*here, *places])
    ]


def _places(published: PublishedScores, cell: int) -> Mapping[str, Standing]:
    return {
        name: standing(name, values, cell, higher_is_better=get_measure(name).higher_is_better)
        for name, values in published.values.items()
    }


def layers_of(inspection: Inspection, left_out: LeftOut) -> list[LayerShare]:
    """Return the shares of layers of a kernel that was computed; why they are not all there is noted.

    Args:
        inspection: The kernel, its network and batch.
        left_out: Takes the reasons.

    Returns:
        The shares; none where they cannot be told.
    """
    if not inspection.kernel.is_finite:
        left_out.reasons.append("Shares of layers, and the spectrum: the kernel holds NaN or infinity.")
        return []
    layers = left_out.unless("Shares of layers", lambda: layer_shares(inspection.network, inspection.kernel))
    if layers == []:
        left_out.reasons.append("Shares of layers: the kernel is zero.")
    elif layers and layers[0].shares.smallest is None:
        left_out.reasons.append(
            "Shares of the smallest eigenvalue: it cannot be told from zero at the precision of the rows."
        )
    return layers or []


def _spectra(
    subject: Explained,
    inspection: Inspection,
    published: PublishedScores | None,
    trained: Trained | None,
    left_out: LeftOut,
) -> list[Spectrum]:
    landmarks = {} if trained is None else trained.landmarks(subject.space)
    cells = {"this cell": subject.cell, **{f"{name} cell": cell for name, cell in landmarks.items()}}
    found = (
        None if published is None else left_out.unless("Published spectra", lambda: published.spectra(cells.values()))
    )
    if found and subject.cell in found:
        return [Spectrum(name, cell, found[cell], True) for name, cell in cells.items() if cell in found]
    kernels = {subject.cell: inspection.kernel}
    for cell in cells.values():
        if cell not in kernels:
            kernels[cell] = subject.inspected(cell).kernel
    return [
        Spectrum(name, cell, kernels[cell].spectrum.numpy(), False)
        for name, cell in cells.items()
        if kernels[cell].is_finite
    ]


def _published_spectra(
    published: PublishedScores | None, cells: list[int], left_out: LeftOut
) -> dict[int, Array] | None:
    if published is None or not published.way.eigenvalues:
        return None
    return left_out.unless("Published spectra", lambda: published.spectra(cells))


def _counts(subject: Explained) -> list[Standing]:
    """Return places by counts of networks of this size; of a very large space the counts alone."""
    space, counts, cell = subject.space, subject.counts(), subject.cell
    if len(space) > _FEW_CELLS:
        return [Standing(name, float(counts.of(name, [cell])[0]), None, 0, 0, None) for name in counts.names]
    return [
        standing(name, counts.of(name, range(len(space))), cell, higher_is_better=COUNTS[name].higher_is_better)
        for name in counts.names
    ]


def _neighbours(
    subject: Explained,
    published: PublishedScores | None,
    score: str | None,
    trained: Trained | None,
    left_out: LeftOut,
) -> list[Neighbour]:
    space, cell = subject.space, subject.cell
    others = steps.neighbours_of(space, cell)
    if not others:
        left_out.reasons.append(f"Neighbours: {space.name} does not say which cells are one step apart.")
        return []
    scores = None if published is None or score is None else published.values[score]
    of_all = None if scores is None else percentiles(scores, higher_is_better=get_measure(str(score)).higher_is_better)
    counts = subject.counts()
    name = "effective_parameters" if "effective_parameters" in counts.names else "parameters"
    parameters = dict(zip([cell, *others], map(int, counts.of(name, [cell, *others])), strict=True))
    accuracies = None if trained is None else trained.accuracies
    return steps.compared(space, cell, others, steps.Values(accuracies, scores, of_all, parameters))
