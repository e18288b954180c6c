"""What the entries of a store must be, checked once, where they come in: types, ranges, and what belongs together."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import NoReturn

from ntknas.core.display import printable
from ntknas.core.score import Score, Status

MIN_SEED, MAX_SEED = -(2**63), 2**63 - 1
MAX_CELL = 2**31 - 1
SCORE_COLUMNS = {"setting", "run", "cell", "seed", "measure", "value", "status", "seconds", "reason", "recipe"}
"""Columns of a table of scores, which a setting's field of that name would hide."""
INTEGER_FIELDS = (
    *("num_classes", "channels", "cells_per_stage", "epoch", "training_steps_an_epoch", "probe_seed", "probe_fresh"),
    *("algorithm_version", "seeding_version", "measure_version"),
)
"""Fields of a setting that are integers where there are any."""
STATUSES = [status.value for status in Status]
_MAX_DEPTH = 20
"""Lists and mappings within one another."""
_TEXT_FIELDS = ("space", "dataset", "output", "batch_norm", "parameters", "normalisation")
_OPTIONAL_TEXTS = (
    *("precision", "variant", "init", "cell_seeds", "held_out_hash", "perturb", "kernel_of"),
    *(f"probe_{name}" for name in ("hash", "source", "shape", "draw", "augmentation", "pixels", "split")),
)


class FieldError(ValueError):
    """A value is of another type than a store holds in its place."""


def parse(text: str | bytes) -> object:
    """Read JSON strictly: no NaN, no infinity, not nested without end.

    Args:
        text: The JSON.

    Returns:
        What it says.

    Raises:
        ValueError: If it is not that.
    """
    try:
        value: object = json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def check_setting(fields: object) -> dict[str, object]:
    """Check the fields of a setting.

    Args:
        fields: The fields.

    Returns:
        The same.

    Raises:
        ValueError: If they are no mapping of names to plain values, or one hides a column of the scores.
    """
    checked = check_plain("a setting's fields", "a setting's field", fields)
    for name in checked:
        if name in SCORE_COLUMNS:
            raise ValueError(f"a setting has a field {name!r}, which is a column of the scores")
    for name in _TEXT_FIELDS:
        if name in checked and not isinstance(checked[name], str):
            raise ValueError(f"a setting's {name} is {shortened(checked[name])}, expected a text")
    for name in ("space", "dataset"):
        if name not in checked:
            raise ValueError(f"a setting has no {name}")
    _check_optional_fields({name: value for name, value in checked.items() if value is not None})
    return checked


def _check_optional_fields(fields: Mapping[str, object]) -> None:
    """Check the types of what a typed setting offers; whatever else there is, of later versions or others, is kept."""
    for name in _OPTIONAL_TEXTS:
        check_text(f"a setting's {name}", fields.get(name, ""), may_be_empty=True)
    for name in INTEGER_FIELDS:
        check_integer(f"a setting's {name}", fields.get(name, 0), MIN_SEED, MAX_SEED)


def check_score(measure: object, entry: object) -> Score:
    """Check one score.

    Args:
        measure: Name of the measure.
        entry: A list of value, status and reason.

    Returns:
        The score.

    Raises:
        ValueError: If it is something else, or value and status tell two stories.
    """
    name = check_text("a measure", measure)
    if not isinstance(entry, list) or len(entry) != 3:
        raise ValueError(f"{name} is {shortened(entry)}, expected value, status and reason")
    value, status, reason = entry
    if status not in STATUSES:
        raise ValueError(f"the status of {name} is {shortened(status)}, expected one of {', '.join(STATUSES)}")
    number = None if value is None else check_finite(f"the value of {name}", value)
    return Score(name, number, Status(status), check_text(f"the reason of {name}", reason, may_be_empty=True))


def check_cell(value: object) -> int:
    """Check the index of a cell; raises as ``check_integer``."""
    return check_integer("cell", value, 0, MAX_CELL)


def check_seed(value: object) -> int:
    """Check a seed; raises as ``check_integer``."""
    return check_integer("seed", value, MIN_SEED, MAX_SEED)


def check_text(subject: str, value: object, *, may_be_empty: bool = False) -> str:
    """Check a text that HDF5 can hold.

    Args:
        subject: What the message calls it.
        value: The text.
        may_be_empty: Whether an empty one will do.

    Returns:
        The text.

    Raises:
        FieldError: If it is something else.
        ValueError: If it has letters that HDF5 cannot hold.
    """
    if not isinstance(value, str) or not (value or may_be_empty):
        raise FieldError(_misfit(subject, value, "a text"))
    if storable(value) != value:
        raise ValueError(f"{subject} is {shortened(value)}, with letters that no text has")
    return value


def storable(value: str) -> str:
    """Return a text with what HDF5 cannot hold, zeros and halves of surrogate pairs, written as escapes."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return printable(value)
    return printable(value) if "\0" in value else value


def check_finite(subject: str, value: object) -> float:
    """Check a finite number.

    Args:
        subject: What the message calls it.
        value: The number.

    Returns:
        The number.

    Raises:
        FieldError: If it is something else.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(float(value)):
            return float(value)
    except OverflowError:  # an integer beyond float64
        pass
    raise FieldError(_misfit(subject, value, "a finite number"))


def check_integer(subject: str, value: object, lowest: int, highest: int) -> int:
    """Check an integer in a range.

    Args:
        subject: What the message calls it.
        value: The integer.
        lowest: Its smallest value.
        highest: Its largest value.

    Returns:
        The integer.

    Raises:
        FieldError: If it is something else.
        ValueError: If it is out of range.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise FieldError(_misfit(subject, value, "an integer"))
    if not lowest <= value <= highest:
        raise ValueError(f"{subject} is {value}, expected one from {lowest} to {highest}")
    return value


def check_mapping(subject: str, value: object) -> dict[str, object]:
    """Check a mapping from texts.

    Args:
        subject: What the message calls it.
        value: The mapping.

    Returns:
        The mapping.

    Raises:
        FieldError: If it is something else.
    """
    if not isinstance(value, Mapping):
        raise FieldError(_misfit(subject, value, "a mapping"))
    return {check_text(f"a name in {subject}", name): item for name, item in value.items()}


def check_plain(subject: str, item: str, value: object) -> dict[str, object]:
    """Check a mapping from texts to JSON that HDF5 can hold as text.

    Args:
        subject: What the message calls the mapping.
        item: What the message calls one of its values.
        value: The mapping.

    Returns:
        The mapping.

    Raises:
        FieldError: If it is something else.
    """
    checked = check_mapping(subject, value)
    for name, held in checked.items():
        _check_plain_value(f"{item} {name!r}", held)
    return checked


def _check_plain_value(subject: str, value: object, depth: int = 0) -> None:
    if depth > _MAX_DEPTH:
        raise ValueError(f"{subject} is nested too deeply")
    if isinstance(value, str):
        check_text(subject, value, may_be_empty=True)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            check_text(f"a name in {subject}", name, may_be_empty=True)
            _check_plain_value(subject, item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_plain_value(subject, item, depth + 1)
    elif value is not None and not isinstance(value, bool | int):
        check_finite(subject, value)


def _misfit(subject: str, value: object, expected: str) -> str:
    return f"{subject} is {shortened(value)}, expected {expected}"


def shortened(value: object) -> str:
    """Return a value as messages show it."""
    text = printable(repr(value))
    return text if len(text) <= 60 else f"{text[:57]}…"
