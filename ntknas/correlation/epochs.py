"""How a measure's correlation moves with the epochs that the networks were trained for before it was taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from ntknas.core.errors import DataError
from ntknas.core.shown import Shown, listed
from ntknas.correlation.compare import Difference, difference
from ntknas.correlation.result import Correlation
from ntknas.correlation.row import Row
from ntknas.store.identity import TrainingIdentity


@dataclass(frozen=True)
class Point:
    """A measure at one epoch.

    Attributes:
        epoch: Epochs of training before it was taken.
        steps: Steps of training.
        row: The row of the correlation.
        gain: Its τ-b less that at initialisation, on the cells that have both; ``None`` at initialisation, without it,
            or for fewer than ten cells.
    """

    epoch: int
    steps: int
    row: Row
    gain: Difference | None

    def as_json(self) -> dict[str, object]:
        """Return plain data."""
        return {
            "epoch": self.epoch,
            "steps": self.steps,
            "n": self.row.n,
            "kendall": self.row.kendall.as_json(),
            "gain": self.gain and asdict(self.gain),
        }


@dataclass(frozen=True, repr=False)
class Curve(Shown):
    """A measure over the epochs of one training.

    Attributes:
        measure: The measure.
        name: The measure, with the kernel where the store has several.
        target: The target.
        training: How networks were trained.
        points: Its points by epoch, from initialisation on where that was scored.
    """

    measure: str
    name: str
    target: str
    training: TrainingIdentity
    points: list[Point]

    def as_json(self) -> dict[str, object]:
        """Return plain data."""
        points = [point.as_json() for point in self.points]
        return {"measure": self.measure, "name": self.name, "target": self.target, "points": points}

    def _line(self) -> str:
        epochs = [point.epoch for point in self.points]
        return f"{self.name} with {self.target}: τ after {listed(epochs)} epochs"


def curves(result: Correlation, target: str, seed: int = 0, *, gains: bool = True) -> list[Curve]:
    """Return every measure over the epochs, for the trainings in a result; none if nothing was trained.

    Args:
        result: The result.
        target: The target.
        seed: Seed of the bootstrap of gains.
        gains: Whether to test gains, which takes most of the time.

    Returns:
        The curves.

    Raises:
        DataError: If a setting has an epoch and does not say how networks were trained.
    """
    kernels = _by_kernel(result, target)
    measures = [measure for measure, _ in kernels]
    curves = []
    for (measure, _), rows in kernels.items():
        first = next((row for row in rows if not row.epoch), None)
        for training, trained in _by_training(result, rows):
            name = f"{measure} · {trained[0].kernel}" if measures.count(measure) > 1 else measure
            ordered = ([first] if first else []) + sorted(trained, key=lambda row: row.epoch)
            points = [_point(result, row, first if gains else None, training, seed) for row in ordered]
            curves.append(Curve(measure, name, target, training, points))
    return curves


def _by_kernel(result: Correlation, target: str) -> dict[tuple[str, str], list[Row]]:
    """Return the rows of each measure under each kernel, whatever the epoch."""
    kernels: dict[tuple[str, str], list[Row]] = {}
    for row in result.of_target(target):
        if not row.is_baseline:
            setting = result.settings.get(row.setting)
            kernel = setting.at_initialisation.digest if setting else ""
            kernels.setdefault((row.measure, kernel), []).append(row)
    return kernels


def _by_training(result: Correlation, rows: Iterable[Row]) -> list[tuple[TrainingIdentity, list[Row]]]:
    """Return the rows of trained networks, those of each training together."""
    trainings: dict[str, tuple[TrainingIdentity, list[Row]]] = {}
    for row in rows:
        if row.epoch:
            training = result.settings[row.setting].training
            if training is None:
                raise DataError(f"The setting {row.setting} is of epoch {row.epoch}, and says nothing of the training.")
            trainings.setdefault(training.text, (training, []))[1].append(row)
    return list(trainings.values())


def _point(result: Correlation, row: Row, first: Row | None, training: TrainingIdentity, seed: int) -> Point:
    steps = row.epoch * _steps_per_epoch(training)
    if first is None or not row.epoch:
        return Point(row.epoch, steps, row, None)
    trained, initial = result.points[row.key], result.points[first.key]
    cells = trained.index.intersection(initial.index)
    scores, first_scores = (frame.loc[cells, "score"].to_numpy(np.float64) for frame in (trained, initial))
    accuracies = trained.loc[cells, "accuracy"].to_numpy(np.float64)
    units = result.units_of(row.target, cells)
    gain = difference(scores, first_scores, accuracies, result.resamples, seed, units)
    return Point(row.epoch, steps, row, gain)


def _steps_per_epoch(training: TrainingIdentity) -> int:
    if training.steps_per_epoch is None:
        raise DataError("A setting of trained networks does not say how many steps an epoch has.")
    return training.steps_per_epoch
