"""Measurements of a pruning in a file, line by line, so that an interrupted one goes on."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict

from ntknas.core.errors import DataError
from ntknas.data.image_set import ImageSet
from ntknas.search.pruning.candidates import Candidate, Measurement, Pair
from ntknas.search.pruning.settings import PruneSettings
from ntknas.spaces import Space

_Pairs = list[tuple[float | None, float | None]]


class _Line(TypedDict):
    """A measurement as JSON; infinity is null there."""

    candidate: list[int]
    conds: _Pairs
    regions: _Pairs
    seconds: float
    processor_seconds: float


class Journal:
    """A file with what a pruning is in its first line, and a measurement in every other.

    Args:
        file: The file; made where it is not there.
        space: The space.
        images: The images.
        settings: The settings.
        seed: Seed of the pruning.

    Attributes:
        known: The measurements that it holds.

    Raises:
        DataError: If the file is of another pruning, or no such file.
    """

    def __init__(self, file: Path, space: Space, images: ImageSet, settings: PruneSettings, seed: int):
        self._file = file
        head = _head(space, images, settings, seed)
        lines = _whole_lines(file)
        if lines and lines[0] != head:
            raise DataError(
                f"{file} is no journal of this pruning: its first line is {lines[0][:200]!r}, and this one's is "
                f"{head!r}. Name another file."
            )
        self.known: list[Measurement] = [_read(file, number, line) for number, line in enumerate(lines[1:], start=2)]
        if not lines:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._append(head)

    def keep(self, measurement: Measurement) -> None:
        """Write a measurement, and see that it is on the disk."""
        line = _Line(
            candidate=list(measurement.candidate),
            conds=_finite(measurement.conds),
            regions=_finite(measurement.regions),
            seconds=measurement.seconds,
            processor_seconds=measurement.processor_seconds,
        )
        self.known.append(measurement)
        self._append(json.dumps(line, allow_nan=False))

    def _append(self, line: str) -> None:
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")
            stream.flush()
            os.fsync(stream.fileno())


def _head(space: Space, images: ImageSet, settings: PruneSettings, seed: int) -> str:
    of_images = {"name": images.name, "number": len(images), "classes": images.num_classes}
    content: Mapping[str, object] = {
        "space": space.name,
        "images": of_images,
        "seed": seed,
        "settings": asdict(settings),
    }
    return json.dumps(content, sort_keys=True)


def _whole_lines(file: Path) -> list[str]:
    """Return the lines of a file; what an interrupted write left behind them is taken away."""
    if not file.exists():
        return []
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        with file.open("r+b") as stream:
            stream.truncate(len(whole))
    return whole.decode("utf-8", "replace").splitlines()


def _read(file: Path, number: int, text: str) -> Measurement:
    try:
        line: _Line = json.loads(text)
        return Measurement(
            Candidate(*map(int, line["candidate"])),
            _infinite(line["conds"]),
            _infinite(line["regions"]),
            float(line["seconds"]),
            float(line["processor_seconds"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"Line {number} of {file} is no measurement of a pruning: {text[:200]!r}. Take the line away, and it "
            "is measured again."
        ) from error


def _finite(pairs: tuple[Pair, ...]) -> _Pairs:
    return [(_or_none(kept), _or_none(pruned)) for kept, pruned in pairs]


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _infinite(pairs: _Pairs) -> tuple[Pair, ...]:
    return tuple((_or_infinity(kept), _or_infinity(pruned)) for kept, pruned in pairs)


def _or_infinity(value: float | None) -> float:
    return math.inf if value is None else float(value)
