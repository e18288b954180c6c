"""Cells trained and their kernels followed: what is asked for is looked up in a folder or made, and comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from ntknas.core.errors import ChoiceError
from ntknas.core.shown import Shown, counted, listed
from ntknas.measures import expand
from ntknas.scoring.environment import resolve_device
from ntknas.scoring.inputs import Inputs, ScoringOptions, inputs_of
from ntknas.scoring.progress import EpochsDone
from ntknas.scoring.tracking import Key, Tracking, defined_for
from ntknas.scoring.tracking_trial import seconds_of_tracks
from ntknas.tracking.bins import alignments_of, averages, frame_of
from ntknas.tracking.follow import Recording
from ntknas.tracking.quantities import QUANTITIES
from ntknas.tracking.track import Track

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import pandas as pd
    from matplotlib.figure import Figure

    from ntknas.data.probe import Probe
    from ntknas.scoring.job import Job
    from ntknas.scoring.recipe import Recipe
    from ntknas.scoring.training import Training
    from ntknas.spaces import CellLike, Space

ALL_CELLS = "all cells"
"""Name of the bin of every cell where there are no others."""


@dataclass(frozen=True)
class TracksPlanned:
    """It is known which networks have to be trained.

    Attributes:
        trainings: Number of networks that are asked for.
        stored: Number of them whose tracks are in the folder.
        epochs: Epochs of each.
    """

    trainings: int
    stored: int
    epochs: int


TrackingEvent = TracksPlanned | EpochsDone


@dataclass(frozen=True)
class FollowingForecast:
    """What ``follow`` would take.

    Attributes:
        trainings: Number of networks that are asked for.
        stored: Number of them whose tracks are in the folder.
        epochs: Epochs of each.
        seconds: About how long the others take.
    """

    trainings: int
    stored: int
    epochs: int
    seconds: float


@dataclass(frozen=True, repr=False)
class FollowedCells(Shown):
    """What ``follow`` gives.

    Attributes:
        tracking: What was trained and followed.
        tracks: The track of every cell and seed.
        bins: Name of the bin of every cell.
    """

    tracking: Tracking
    tracks: Sequence[Track]
    bins: Mapping[int, str]

    @property
    def failed(self) -> bool:
        """Whether a network has no track, which the same call tries again."""
        return any(track.status.is_failure for track in self.tracks)

    def frame(self) -> pd.DataFrame:
        """Return one row for each (bin, cell, seed, step, quantity); see ``tracking.bins.frame_of``."""
        return frame_of(self.tracks, self.bins)

    def alignments(self) -> pd.DataFrame:
        """Return how the labels lie along the eigenvectors of every kernel; see ``Track.alignment_frame``.

        Returns:
            One row for each (bin, cell, seed, step, k); none of tracks without labels, or of version 1.
        """
        return alignments_of(self.tracks, self.bins)

    def averages(self) -> pd.DataFrame:
        """Return the means over the cells of each bin at each step; see ``tracking.bins.averages``."""
        return averages(self.frame(), [*QUANTITIES, *self.tracking.measures])

    def plot(self, style: str = "screen") -> Figure:
        """Draw how kernels moved on the average, by bin; ``figures.tracks`` has each cell and the spectra too.

        Returns:
            The figure.

        Raises:
            ChoiceError: If nothing was recorded.
        """
        from ntknas import figures  # which know results

        drawn = figures.tracks(self, style=style)
        if not drawn:
            raise ChoiceError("Nothing was recorded of these networks: there is nothing to draw.")
        return next(iter(drawn.values()))

    def _line(self) -> str:
        epochs = self.tracking.recording.epochs
        bins = f", {listed(dict.fromkeys(self.bins.values()))}"
        return f"{counted(len(self.tracks), 'track')} of {self.tracking.job.space.name} over {epochs} epochs{bins}"

    def _parts(self) -> list[Element]:
        from ntknas.core import html

        rows = [
            (track.cell, track.seed, self.bins[track.cell], len(track.steps), str(track.status))
            for track in self.tracks
        ]
        return [html.table(("cell", "seed", "bin", "records", "status"), rows, 5)]


def follow(
    space: Space | str,
    cells: str | Iterable[int | str | CellLike],
    *,
    recipe: Recipe | str | None = None,
    probe: Probe | str | None = None,
    dataset: str = "cifar10",
    seeds: int | Iterable[int] = 1,
    training: Training | None = None,
    every: int = 1,
    unit: str = "epoch",
    measures: Iterable[str] = ("kernel",),
    keep_kernels: bool = False,
    store: str | PathLike[str] | None = None,
    device: str = "auto",
    bins: Mapping[int, str] | None = None,
    on_event: Callable[[TrackingEvent], None] = lambda event: None,
) -> FollowedCells:
    """Train cells and follow their kernels on one fixed probe; nothing is printed.

    Recorded at each moment: every drift against initialisation and against the record before, the measures, the norm
    and the change of the parameters, loss and accuracy. The same call again makes only what is missing.

    Args:
        space: A space or its name.
        cells: As of ``ntknas.score``.
        recipe: Kernel and networks, or the name of a recipe, which also decides what ``probe`` and ``training`` leave
            open; by default ``Recipe()``. Its measures are not taken.
        probe: The images, or the name of their source; by default the data set's own.
        dataset: Data set that networks are built for.
        seeds: Number of trainings of each cell, or their seeds.
        training: How networks are trained, up to the last of its epochs.
        every: Units between two records.
        unit: ``epoch`` or ``step``.
        measures: Measures, and groups of measures, to take of every kernel; those that are not defined for its output
            reduction are left out.
        keep_kernels: Whether tracks have every kernel, and not its spectrum alone.
        store: Folder of the tracks; without one they are kept in the result alone.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        bins: Name of the bin of every cell, as from ``tracking.bins.BinnedCells``, for averages; by default one.
        on_event: Told what happens.

    Returns:
        The tracks.

    Raises:
        ChoiceError: If there is no training.
        NtknasError: If something named is unknown, images are not there, the kernels do not fit into memory, the
            choices are impossible for such networks, or a track cannot be read or written.

    Example:
        >>> from ntknas.data import Request, make_probe
        >>> from ntknas.scoring import NetworkOptions, Recipe, Training
        >>> from ntknas.training import TrainingImages, TrainingOptions
        >>> request = Request(image_size=8)
        >>> training = Training(TrainingImages("digits", request, 20), TrainingOptions(), epochs=(2,))
        >>> small = Recipe(network=NetworkOptions(channels=2, cells_per_stage=1))
        >>> probe = make_probe("digits", 4, request)
        >>> followed = follow("nb201", [284], recipe=small, probe=probe, training=training, measures=["trace"])
        >>> followed.tracks[0].steps.tolist()
        [0, 1, 2]
    """
    inputs = inputs_of(space, cells, recipe=recipe, probe=probe, dataset=dataset, seeds=seeds, training=training)
    tracking = _tracking_of(inputs.job, every, unit, measures, keep_kernels=keep_kernels)
    keys = _keys(inputs)
    folder = None if store is None else Path(store)
    tracks = _tracks(tracking, keys, folder, device, on_event)
    return FollowedCells(tracking, tracks, bins or dict.fromkeys(inputs.cells, ALL_CELLS))


def forecast_following(
    space: Space | str,
    cells: str | Iterable[int | str | CellLike],
    *,
    every: int = 1,
    unit: str = "epoch",
    measures: Iterable[str] = ("kernel",),
    keep_kernels: bool = False,
    store: str | PathLike[str] | None = None,
    device: str = "auto",
    least: float = 0.0,
    **options: Unpack[ScoringOptions],
) -> FollowingForecast:
    """Say about how long ``follow`` takes, by a trial of one network; nothing is stored.

    Args:
        space: As of ``follow``, and so are all others.
        cells: What would be followed.
        every: Units between two records.
        unit: ``epoch`` or ``step``.
        measures: Measures of every kernel.
        keep_kernels: Whether tracks have every kernel.
        store: Folder of the tracks; those that it holds are not made again.
        device: Where the trial computes.
        least: Seconds from which on a network is tried; what is reckoned to be shorter is not.
        **options: What would be measured and how it would be trained.

    Returns:
        Trainings and time.

    Raises:
        NtknasError: As ``follow`` does.
    """
    inputs = inputs_of(space, cells, **options)
    tracking = _tracking_of(inputs.job, every, unit, measures, keep_kernels=keep_kernels)
    keys, folder = _keys(inputs), None if store is None else Path(store)
    missing = [key for key in keys if folder is None or tracking.find(folder, *key) is None]
    seconds = seconds_of_tracks(tracking, missing, resolve_device(device), least)
    return FollowingForecast(len(keys), len(keys) - len(missing), tracking.recording.epochs, seconds)


def _tracking_of(job: Job, every: int, unit: str, measures: Iterable[str], *, keep_kernels: bool) -> Tracking:
    if job.training is None:
        raise ChoiceError("Give a `training`, or a recipe that has one.")
    output, recording = job.recipe.choices.output, Recording(job.training.epochs[-1], every, unit)
    tracking = Tracking(job, recording, defined_for(output, expand(list(measures))), keep_kernels)
    tracking.check_memory()
    return tracking


def _keys(inputs: Inputs) -> list[Key]:
    return [(cell, seed) for cell in dict.fromkeys(inputs.cells) for seed in inputs.seeds]


def _tracks(
    tracking: Tracking,
    keys: list[tuple[int, int]],
    folder: Path | None,
    device: str,
    on_event: Callable[[TrackingEvent], None],
) -> list[Track]:
    """Return the track of every (cell, seed): from the folder, or made now."""
    tracks = {key: tracking.find(folder, *key) if folder is not None else None for key in keys}
    to_make = [key for key, track in tracks.items() if track is None]
    on_event(TracksPlanned(len(keys), len(keys) - len(to_make), tracking.recording.epochs))
    new = tracking.make(to_make, folder, resolve_device(device), lambda epochs: on_event(EpochsDone(epochs)))
    tracks |= {(track.cell, track.seed): track for track in new}
    return [track for track in tracks.values() if track is not None]
