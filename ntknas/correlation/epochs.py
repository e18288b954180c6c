"""How a measure's correlation moves with the epochs that the networks were trained for before it was taken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ntknas.correlation.compare import Difference, difference

if TYPE_CHECKING:
    from ntknas.correlation.correlate import Correlation

PREFIX = "training_"
"""What the fields of a setting begin with that say how networks were trained."""


def epoch_of(fields: Mapping[str, Any]) -> int:
    """Return the epoch of a setting; 0 is initialisation."""
    epoch = fields.get("epoch")
    return 0 if epoch is None or epoch != epoch else int(epoch)  # a table has NaN where a setting lacks the field


def training_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a setting that say how networks were trained; none at initialisation."""
    return {name: value for name, value in fields.items() if name.startswith(PREFIX) and value is not None}


def kernel_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a setting that do not change while networks train."""
    return {name: value for name, value in fields.items() if name != "epoch" and not name.startswith(PREFIX)}


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
    row: dict[str, Any]
    gain: Difference | None


@dataclass(frozen=True)
class Curve:
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
    training: dict[str, Any]
    points: list[Point]

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        points = [
            {
                "epoch": point.epoch,
                "steps": point.steps,
                "n": point.row["n"],
                "kendall": point.row["kendall"],
                "gain": point.gain and vars(point.gain),
            }
            for point in self.points
        ]
        return {"measure": self.measure, "name": self.name, "target": self.target, "points": points}


def curves(result: Correlation, target: str, seed: int = 0, *, gains: bool = True) -> list[Curve]:
    """Return every measure over the epochs, for the trainings in a result; none if nothing was trained.

    Args:
        result: The result.
        target: The target.
        seed: Seed of the bootstrap of gains.
        gains: Whether to test gains, which takes most of the time.
    """
    rows = [row for row in result.rows if row["target"] == target and row["recipe"] != "baseline"]
    families: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        kernel = json.dumps(kernel_of(result.settings.get(row["setting"], {})), sort_keys=True)
        families.setdefault((row["measure"], kernel), []).append(row)
    several = {measure for measure, _ in families if sum(name == measure for name, _ in families) > 1}
    found = []
    for (measure, _), family in families.items():
        first = next((row for row in family if not row["epoch"]), None)
        trainings: dict[str, list[dict[str, Any]]] = {}
        for row in family:
            if row["epoch"]:
                fields = training_of(result.settings[row["setting"]])
                trainings.setdefault(json.dumps(fields, sort_keys=True), []).append(row)
        for text, trained in trainings.items():
            name = f"{measure} · {trained[0]['kernel']}" if measure in several else measure
            ordered = ([first] if first else []) + sorted(trained, key=lambda row: row["epoch"])
            points = [_point(result, row, first if gains else None, json.loads(text), seed) for row in ordered]
            found.append(Curve(measure, name, target, json.loads(text), points))
    return found


def _point(
    result: Correlation, row: dict[str, Any], first: dict[str, Any] | None, training: dict[str, Any], seed: int
) -> Point:
    steps = row["epoch"] * int(training[f"{PREFIX}steps_an_epoch"])
    if first is None or not row["epoch"]:
        return Point(row["epoch"], steps, row, None)
    now, before = (result.points[each["measure"], each["setting"], each["target"]] for each in (row, first))
    cells = now.index.intersection(before.index)
    first_scores, second_scores = (frame.loc[cells, "score"].to_numpy(float) for frame in (now, before))
    accuracies = now.loc[cells, "accuracy"].to_numpy(float)
    gain = difference(first_scores, second_scores, accuracies, result.resamples, seed)
    return Point(row["epoch"], steps, row, gain)
