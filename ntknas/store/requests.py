"""What runs were asked for: so that a store can say what is missing of it."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

FIELD = "request"
"""Field of a run that holds its request."""
_MAX_PLAIN_LENGTH = 20_000
"""Letters of a text of numbers beyond which it is compressed."""
_PACKED = "zlib:"
_MAX_UNPACKED_LENGTH = 2**26
_MAX_NUMBERS = 10_000_000


@dataclass(frozen=True)
class Request:
    """What one run was asked to score: every cell with every seed, under every setting.

    Attributes:
        measures: Measures by the digest of their setting.
        cells: Indices of the cells.
        seeds: Seeds.
    """

    measures: Mapping[str, tuple[str, ...]]
    cells: Sequence[int]
    seeds: Sequence[int]

    def as_json(self) -> dict[str, object]:
        """Return the request as plain data, short whatever the number of cells."""
        measures = {setting: list(names) for setting, names in self.measures.items()}
        return {"measures": measures, "cells": text_of(self.cells), "seeds": text_of(self.seeds)}

    @classmethod
    def from_json(cls, data: object) -> Request:
        """Read a request back.

        Args:
            data: What ``as_json`` gives.

        Returns:
            The request.

        Raises:
            ValueError: If it is something else.
        """
        if not isinstance(data, dict) or set(data) != {"measures", "cells", "seeds"}:
            raise ValueError("a run's request is not measures, cells and seeds")
        measures = data["measures"]
        if not isinstance(measures, dict) or not all(map(_are_names, measures.values())):
            raise ValueError("a run's request has no lists of measures by setting")
        cells, seeds = numbers_of(data["cells"]).tolist(), numbers_of(data["seeds"]).tolist()
        return cls({str(setting): tuple(names) for setting, names in measures.items()}, cells, seeds)

    def restricted(self, settings: Container[str], removed: Container[tuple[str, str]]) -> Request:
        """Return the request for some of its settings, without the (setting, measure) that were removed."""
        measures = {
            setting: tuple(name for name in names if (setting, name) not in removed)
            for setting, names in self.measures.items()
            if setting in settings
        }
        return replace(self, measures={setting: names for setting, names in measures.items() if names})

    def joined(self, other: Request) -> Request:
        """Return the request for the measures of both, of the other's cells and seeds."""
        settings = sorted({*self.measures, *other.measures})
        measures = {name: {*self.measures.get(name, ()), *other.measures.get(name, ())} for name in settings}
        return replace(other, measures={setting: tuple(sorted(names)) for setting, names in measures.items()})


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def text_of(numbers: Sequence[int]) -> str:
    """Write a set of numbers as ranges, whose ends are left out.

    Args:
        numbers: The numbers, in any order.

    Returns:
        The ranges; compressed where they are many.

    Example:
        >>> text_of([7, 0, 1, 2, 9])
        '0:3,7,9'
    """
    ordered = np.unique(np.asarray(numbers, dtype=np.int64))
    breaks = np.flatnonzero(np.diff(ordered) != 1) + 1
    starts = np.concatenate(([0], breaks)).astype(int)[: len(ordered)]  # nothing where there are no numbers
    ends = np.concatenate((breaks, [len(ordered)])).astype(int)[: len(ordered)] - 1
    pairs = zip(ordered[starts].tolist(), ordered[ends].tolist(), strict=True)
    text = ",".join(str(first) if first == last else f"{first}:{last + 1}" for first, last in pairs)
    if len(text) <= _MAX_PLAIN_LENGTH:
        return text
    return _PACKED + base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def numbers_of(text: object) -> np.ndarray:
    """Read what ``text_of`` wrote.

    Args:
        text: The ranges.

    Returns:
        The numbers in ascending order.

    Raises:
        ValueError: If it is something else, or names more numbers than a run can have.
    """
    unpacked = _unpack(text) if isinstance(text, str) else None
    if unpacked is None:
        raise ValueError("cells and seeds of a run's request are no text of ranges")
    bounds = [_range(range_) for range_ in unpacked.split(",") if range_]
    if sum(stop - first for first, stop in bounds) > _MAX_NUMBERS:  # before they are made
        raise ValueError(f"a run's request names more than {_MAX_NUMBERS:,} numbers")
    ranges = [np.arange(first, stop, dtype=np.int64) for first, stop in bounds]
    return np.unique(np.concatenate(ranges)) if ranges else np.empty(0, dtype=np.int64)


def _unpack(text: str) -> str:
    if not text.startswith(_PACKED):
        return text
    try:
        packed = base64.b64decode(text.removeprefix(_PACKED), validate=True)
        stream = zlib.decompressobj()  # zlib.decompress has no limit, and a few bytes unpack to gigabytes
        unpacked = stream.decompress(packed, _MAX_UNPACKED_LENGTH)
        if not stream.eof:
            raise ValueError("a run's request does not end where it should")
        return unpacked.decode("ascii")
    except (zlib.error, binascii.Error) as error:
        raise ValueError(f"a run's request cannot be unpacked: {error}") from error


def _range(text: str) -> tuple[int, int]:
    first, colon, stop = text.partition(":")
    numbers = [first, stop] if colon else [first]
    if not all(number.removeprefix("-").isascii() and number.removeprefix("-").isdigit() for number in numbers):
        raise ValueError(f"a run's request has {text[:40]!r}, expected a number or a range of numbers")
    if any(len(number) > 20 or abs(int(number)) >= 2**63 for number in numbers):  # 2**63 has 19 digits
        raise ValueError(f"a run's request has {text[:40]!r}, which is out of range")
    return int(first), int(stop) if colon else int(first) + 1


@dataclass(frozen=True)
class Unmeasured:
    """What is missing of what runs were asked for, under one setting.

    Attributes:
        setting: Digest of the setting.
        missing: Number of cells that lack a score of some seed and measure.
        asked: Number of cells that were asked for.
    """

    setting: str
    missing: int
    asked: int

    def __str__(self) -> str:
        return f"{self.missing} of {self.asked} cells not yet measured"


def requests_of(runs: Iterable[Mapping[str, object]]) -> list[Request]:
    """Return what runs were asked for, each once; runs of version 0.1.0 do not say it.

    Args:
        runs: What is known of the runs.

    Returns:
        The requests, in the order of the runs.

    Raises:
        ValueError: If one is no request.
    """
    texts = dict.fromkeys(json.dumps(info[FIELD], sort_keys=True) for info in runs if FIELD in info)
    return [Request.from_json(json.loads(text)) for text in texts]


def unmeasured(scores: pd.DataFrame) -> list[Unmeasured]:
    """Return the settings of which something is missing; a failure counts as measured.

    A smaller request does not take a larger one back.

    Args:
        scores: All scores of their settings, as from ``ntknas.load_store``; ``attrs["runs"]`` says what was asked for.

    Returns:
        One entry for each such setting.
    """
    requests = requests_of(scores.attrs["runs"].values())
    settings = dict.fromkeys(setting for request in requests for setting in request.measures)
    counted = [_count(setting, scores[scores["setting"] == setting], requests) for setting in settings]
    return [count for count in counted if count.missing]


def _count(setting: str, rows: pd.DataFrame, requests: Sequence[Request]) -> Unmeasured:
    requested = incomplete = np.empty(0, dtype=np.int64)
    for request in requests:
        if setting in request.measures:
            cells, measures = np.asarray(request.cells, dtype=np.int64), set(request.measures[setting])
            of_request = rows[rows["measure"].isin(measures) & rows["seed"].isin(list(request.seeds))]
            scored, counts = np.unique(of_request["cell"].to_numpy(dtype=np.int64), return_counts=True)
            complete = scored[counts >= len(measures) * len(request.seeds)]
            requested = np.union1d(requested, cells)
            incomplete = np.union1d(incomplete, np.setdiff1d(cells, complete))
    return Unmeasured(setting, len(incomplete), len(requested))
