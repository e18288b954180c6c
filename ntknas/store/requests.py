"""What runs were asked for: so that a store can say what is missing of it."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

FIELD = "request"
"""Field of a run that holds its request."""
_LONG = 20_000
"""Letters of a text of numbers beyond which it is compressed."""
_PACKED = "zlib:"
_LARGEST_TEXT = 2**26
_MOST_NUMBERS = 10_000_000


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

    def as_json(self) -> dict[str, Any]:
        """Return the request as plain data, short whatever the number of cells."""
        measures = {setting: list(names) for setting, names in self.measures.items()}
        return {"measures": measures, "cells": text_of(self.cells), "seeds": text_of(self.seeds)}

    @classmethod
    def from_json(cls, data: object) -> Request:
        """Read a request back.

        Raises:
            ValueError: If it is not what ``as_json`` gives.
        """
        if not isinstance(data, dict) or set(data) != {"measures", "cells", "seeds"}:
            raise ValueError("a run's request is not measures, cells and seeds")
        measures = data["measures"]
        if not isinstance(measures, dict) or not all(map(_are_names, measures.values())):
            raise ValueError("a run's request has no lists of measures by setting")
        cells, seeds = numbers_of(data["cells"]).tolist(), numbers_of(data["seeds"]).tolist()
        return cls({str(setting): tuple(names) for setting, names in measures.items()}, cells, seeds)


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def text_of(numbers: Sequence[int]) -> str:
    """Write a set of numbers as ranges, whose ends are left out.

    Example:
        >>> text_of([7, 0, 1, 2, 9])
        '0:3,7,9'
    """
    ordered = np.unique(np.asarray(numbers, dtype=np.int64))
    breaks = np.flatnonzero(np.diff(ordered) != 1) + 1
    starts = np.concatenate(([0], breaks)).astype(int)[: len(ordered)]
    ends = np.concatenate((breaks, [len(ordered)])).astype(int)[: len(ordered)] - 1
    pairs = zip(ordered[starts].tolist(), ordered[ends].tolist(), strict=True)
    text = ",".join(str(first) if first == last else f"{first}:{last + 1}" for first, last in pairs)
    if len(text) <= _LONG:
        return text
    return _PACKED + base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def numbers_of(text: object) -> np.ndarray:
    """Read what ``text_of`` wrote: the numbers in ascending order.

    Raises:
        ValueError: If it is something else, or names more numbers than a run can have.
    """
    unpacked = _unpacked(text) if isinstance(text, str) else None
    if unpacked is None:
        raise ValueError("cells and seeds of a run's request are no text of ranges")
    parts = [_range(part) for part in unpacked.split(",") if part]
    if sum(end - first for first, end in parts) > _MOST_NUMBERS:
        raise ValueError(f"a run's request names more than {_MOST_NUMBERS:,} numbers")
    ranges = [np.arange(first, end, dtype=np.int64) for first, end in parts]
    return np.unique(np.concatenate(ranges)) if ranges else np.empty(0, dtype=np.int64)


def _unpacked(text: str) -> str:
    if not text.startswith(_PACKED):
        return text
    try:
        packed = base64.b64decode(text.removeprefix(_PACKED), validate=True)
        stream = zlib.decompressobj()
        unpacked = stream.decompress(packed, _LARGEST_TEXT)
        if not stream.eof:
            raise ValueError("a run's request does not end where it should")
        return unpacked.decode("ascii")
    except (zlib.error, binascii.Error) as error:
        raise ValueError(f"a run's request cannot be unpacked: {error}") from error


def _range(part: str) -> tuple[int, int]:
    first, colon, end = part.partition(":")
    numbers = [first, end] if colon else [first]
    if not all(each.removeprefix("-").isascii() and each.removeprefix("-").isdigit() for each in numbers):
        raise ValueError(f"a run's request has {part[:40]!r}, expected a number or a range of numbers")
    if any(len(each) > 20 or abs(int(each)) >= 2**63 for each in numbers):
        raise ValueError(f"a run's request has {part[:40]!r}, which is out of range")
    return int(first), int(end) if colon else int(first) + 1


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


def requests_of(runs: Mapping[str, Mapping[str, Any]]) -> list[Request]:
    """Return what runs were asked for, each once; runs of version 0.1.0 do not say it."""
    texts = dict.fromkeys(json.dumps(run[FIELD], sort_keys=True) for run in runs.values() if FIELD in run)
    return [Request.from_json(json.loads(text)) for text in texts]


def without(
    runs: Mapping[str, Mapping[str, Any]], settings: Container[str], removed: Container[tuple[str, str]]
) -> dict[str, dict[str, Any]]:
    """Return runs whose requests ask for what a part of a store can have: what was taken out is not missing there.

    Args:
        runs: What is known of the runs, by identifier.
        settings: Digests of the settings that the part has.
        removed: Setting and measure of scores that were taken out of it.
    """
    return {run: _without(info, settings, removed) for run, info in runs.items()}


def _without(info: Mapping[str, Any], settings: Container[str], removed: Container[tuple[str, str]]) -> dict[str, Any]:
    if FIELD not in info:
        return dict(info)
    request = Request.from_json(info[FIELD])
    asked = {
        setting: tuple(name for name in names if (setting, name) not in removed)
        for setting, names in request.measures.items()
        if setting in settings
    }
    left = replace(request, measures={setting: names for setting, names in asked.items() if names})
    rest = {name: value for name, value in info.items() if name != FIELD}
    return {**rest, FIELD: left.as_json()} if left.measures else rest


def of_both(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return what two stores know of one run, whichever comes first: parts of a store ask for their own measures."""
    low, high = sorted([first, second], key=lambda info: json.dumps(info, sort_keys=True))
    both = {**low, **high}
    if FIELD in low and FIELD in high:
        ours, theirs = Request.from_json(low[FIELD]), Request.from_json(high[FIELD])
        asked = {
            setting: tuple(sorted({*ours.measures.get(setting, ()), *theirs.measures.get(setting, ())}))
            for setting in sorted({*ours.measures, *theirs.measures})
        }
        both[FIELD] = replace(theirs, measures=asked).as_json()
    return both


def unmeasured(frame: pd.DataFrame, runs: Mapping[str, Mapping[str, Any]]) -> list[Unmeasured]:
    """Return the settings of which something is missing; a failure counts as measured.

    A smaller request does not take a larger one back.

    Args:
        frame: Scores, all of their settings' (see ``load_store``).
        runs: What is known of the runs.
    """
    requests = requests_of(runs)
    settings = dict.fromkeys(setting for request in requests for setting in request.measures)
    found = [_of_setting(setting, frame[frame["setting"] == setting], requests) for setting in settings]
    return [each for each in found if each.missing]


def _of_setting(setting: str, rows: pd.DataFrame, requests: Sequence[Request]) -> Unmeasured:
    asked = missing = np.empty(0, dtype=np.int64)
    for request in requests:
        if setting in request.measures:
            cells, measures = np.asarray(request.cells, dtype=np.int64), set(request.measures[setting])
            wanted = rows[rows["measure"].isin(measures) & rows["seed"].isin(list(request.seeds))]
            known, counts = np.unique(wanted["cell"].to_numpy(dtype=np.int64), return_counts=True)
            whole = known[counts >= len(measures) * len(request.seeds)]
            asked, missing = np.union1d(asked, cells), np.union1d(missing, np.setdiff1d(cells, whole))
    return Unmeasured(setting, len(missing), len(asked))
