"""What the entries of a store must be, checked once, where they come in: types, ranges, and what belongs together."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ntknas.core.display import printable
from ntknas.core.score import Score, Status
from ntknas.store import requests

SEQUENCE = "sequence"
"""Field of a run: its place among the runs of its store; one without it (0.1.0) comes before."""
CODED = {"setting": "settings", "run": "runs", "measure": "measures", "status": "statuses", "reason": "reasons"}
"""Columns of codes, and the names that they are places in."""
LARGEST_SEED = 2**63 - 1
LARGEST_CELL = 2**31 - 1
SCORE_COLUMNS = {"setting", "run", "cell", "seed", "measure", "value", "status", "seconds", "reason", "recipe"}
"""Columns of a table of scores, which a setting's field of that name would hide."""
_DEEPEST = 20
"""Lists and mappings within one another."""
_TEXT_FIELDS = ("space", "dataset", "output", "batch_norm", "parameters", "normalisation")
_OPTIONAL_TEXTS = (
    *("precision", "variant", "init", "cell_seeds", "held_out_hash"),
    *(f"probe_{name}" for name in ("hash", "source", "shape", "draw", "augmentation", "pixels", "split")),
)
INTEGER_FIELDS = (
    *("num_classes", "channels", "cells_per_stage", "epoch", "training_steps_an_epoch", "probe_seed", "probe_fresh"),
    *("algorithm_version", "seeding_version", "measure_version"),
)
"""Fields of a setting that are integers where there are any."""


def parsed(text: str | bytes) -> Any:
    """Read JSON strictly: no NaN, no infinity, not nested without end.

    Raises:
        ValueError: If it is not that.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number")


def check_setting(fields: object) -> dict[str, Any]:
    """Check the fields of a setting.

    Raises:
        ValueError: If they are no mapping of names to plain values, or one hides a column of the scores.
    """
    checked = mapping("a setting's fields", fields)
    for name, value in checked.items():
        if name in SCORE_COLUMNS:
            raise ValueError(f"a setting has a field {name!r}, which is a column of the scores")
        _check_plain_value(f"a setting's field {name!r}", value)
    for name in _TEXT_FIELDS:
        if name in checked and not isinstance(checked[name], str):
            raise ValueError(f"a setting's {name} is {_shown(checked[name])}, expected a text")
    for name in ("space", "dataset"):
        if name not in checked:
            raise ValueError(f"a setting has no {name}")
    _check_optional_fields({name: value for name, value in checked.items() if value is not None})
    return checked


def _check_optional_fields(fields: Mapping[str, object]) -> None:
    """Check the types of what a typed setting offers; whatever else there is, of later versions or others, is kept."""
    for name in _OPTIONAL_TEXTS:
        text(f"a setting's {name}", fields.get(name, ""), empty=True)
    for name in INTEGER_FIELDS:
        _integer(f"a setting's {name}", fields.get(name, 0), -LARGEST_SEED - 1, LARGEST_SEED)


def check_run(identifier: object, info: object) -> tuple[str, dict[str, Any]]:
    """Check the identifier of a run and what is known of it.

    Raises:
        ValueError: If they are no text and no mapping, or its recipe or sequence is something else than it must be.
    """
    checked = mapping("what is known of a run", info)
    for name, value in checked.items():
        _check_plain_value(f"a run's {name!r}", value)
    if not isinstance(checked.get("recipe", ""), str):
        raise _wrong("a run's recipe", checked["recipe"], "a text")
    if requests.FIELD in checked:
        requests.Request.from_json(checked[requests.FIELD])
    if SEQUENCE in checked:
        _integer("a run's sequence", checked[SEQUENCE], 0, LARGEST_SEED)
    return text("a run's id", identifier), checked


def check_score(measure: object, entry: object) -> Score:
    """Check one score: its measure, and a list of value, status and reason.

    Raises:
        ValueError: If it is something else, or value and status tell two stories.
    """
    name = text("a measure", measure)
    if not isinstance(entry, list) or len(entry) != 3:
        raise ValueError(f"{name} is {_shown(entry)}, expected value, status and reason")
    value, status, reason = entry
    if status not in _STATUSES:
        raise ValueError(f"the status of {name} is {_shown(status)}, expected one of {', '.join(_STATUSES)}")
    number = None if value is None else finite(f"the value of {name}", value)
    return Score(name, number, Status(status), text(f"the reason of {name}", reason, empty=True))


_STATUSES = [status.value for status in Status]


def check_cell(value: object) -> int:
    """Check the index of a cell.

    Raises:
        ValueError: If it is no integer, or out of range.
    """
    return _integer("cell", value, 0, LARGEST_CELL)


def check_seed(value: object) -> int:
    """Check a seed.

    Raises:
        ValueError: If it is no integer, or out of range.
    """
    return _integer("seed", value, -LARGEST_SEED - 1, LARGEST_SEED)


def text(what: str, value: object, *, empty: bool = False) -> str:
    """Check a text that HDF5 can hold.

    Raises:
        ValueError: If it is something else.
    """
    if not isinstance(value, str) or not (value or empty):
        raise _wrong(what, value, "a text")
    if storable(value) != value:
        raise ValueError(f"{what} is {_shown(value)}, with letters that no text has")
    return value


def check_names(names: Mapping[str, list[str]]) -> None:
    """Check what the codes of a table stand for.

    Args:
        names: ``settings`` and ``runs`` (JSON), ``measures``, ``statuses`` and ``reasons``.

    Raises:
        ValueError: If one is not what it must be, or stands twice.
    """
    settings = [json.dumps(check_setting(parsed(each)), sort_keys=True) for each in names["settings"]]
    runs = [_run(parsed(each)) for each in names["runs"]]
    measures = [text("a measure", each) for each in names["measures"]]
    for status in names["statuses"]:
        if status not in _STATUSES:
            raise ValueError(f"a status is {_shown(status)}, expected one of {', '.join(_STATUSES)}")
    for name, values in {**names, "settings": settings, "runs": runs, "measures": measures}.items():
        if len(set(values)) < len(values):
            raise ValueError(f"names/{name} holds the same twice")


def _run(entry: object) -> str:
    checked = mapping("a run", entry)
    if not {"id", "info"} <= set(checked):
        raise ValueError("a run has no id, or nothing is known of it")
    return check_run(checked["id"], checked["info"])[0]


def check_columns(columns: Mapping[str, np.ndarray], names: Mapping[str, list[str]]) -> None:
    """Check that the codes of a table stand for names, and its numbers can be what they are said to be.

    Raises:
        ValueError: If not; the message names the column.
    """
    for column, name in CODED.items():
        codes = columns[column]
        if len(codes) and int(codes.max()) >= len(names[name]):
            raise ValueError(f"scores/{column} holds the code {int(codes.max())}, of {len(names[name])} {name}")
    if len(columns["cell"]) and int(columns["cell"].min()) < 0:
        raise ValueError("scores/cell holds a cell below 0")
    if not np.isfinite(columns["seconds"]).all():
        raise ValueError("scores/seconds holds a number that is not finite")
    ok = np.array([status == Status.OK for status in names["statuses"]], dtype=bool)
    good = ok[columns["status"]] if len(columns["status"]) else np.empty(0, dtype=bool)
    if np.isinf(columns["value"]).any() or (np.isnan(columns["value"]) == good).any():
        raise ValueError("scores/value has no finite number where the status is ok, or one where it is not")


def storable(value: str) -> str:
    """Return a text with what HDF5 cannot hold, zeros and halves of surrogate pairs, written as escapes."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return printable(value)
    return printable(value) if "\0" in value else value


def finite(what: str, value: object) -> float:
    """Check a finite number.

    Raises:
        ValueError: If it is something else.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(float(value)):
            return float(value)
    except OverflowError:
        pass
    raise _wrong(what, value, "a finite number")


def _integer(what: str, value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(what, value, "an integer")
    if not least <= value <= most:
        raise ValueError(f"{what} is {value}, expected one from {least} to {most}")
    return value


def mapping(what: str, value: object) -> dict[str, Any]:
    """Check a mapping of texts.

    Raises:
        ValueError: If it is something else.
    """
    if not isinstance(value, Mapping):
        raise _wrong(what, value, "a mapping")
    return {text(f"a name in {what}", name): item for name, item in value.items()}


def _check_plain_value(what: str, value: object, depth: int = 0) -> None:
    """Check that a value is JSON that HDF5 can hold as text."""
    if depth > _DEEPEST:
        raise ValueError(f"{what} is nested too deeply")
    if isinstance(value, str):
        text(what, value, empty=True)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            text(f"a name in {what}", name, empty=True)
            _check_plain_value(what, item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_plain_value(what, item, depth + 1)
    elif value is not None and not isinstance(value, bool | int):
        finite(what, value)


def _wrong(what: str, value: object, expected: str) -> ValueError:
    return ValueError(f"{what} is {_shown(value)}, expected {expected}")


def _shown(value: object) -> str:
    shown = printable(repr(value))
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
