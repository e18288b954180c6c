"""What a recipe may say, and what kind of value each of its keys has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ntknas.core.errors import DataError, did_you_mean
from ntknas.core.quoting import quoted

_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Kind:
    """A kind of values.

    Attributes:
        text: What is expected.
        fits: Whether a value is one.
    """

    text: str
    fits: Callable[[Any], bool]


TEXT = Kind("a text", lambda value: type(value) is str)
FLAG = Kind("true or false", lambda value: type(value) is bool)
COUNT = Kind(f"a whole number from 1 to {_LARGEST}", lambda value: type(value) is int and 1 <= value <= _LARGEST)
NUMBER = Kind("a finite number", lambda value: type(value) in (int, float) and math.isfinite(float(value)))

TEXTS = ("title", "source", "text")
TABLES = ("score", "protocol")
PROTOCOL = ("cells", "target")
SCORE: Mapping[str, Kind] = {
    "measures": TEXT,
    "output": TEXT,
    "batch-norm": TEXT,
    "parameters": TEXT,
    "normalisation": TEXT,
    "precision": TEXT,
    "init": TEXT,
    "variant": TEXT,
    "channels": COUNT,
    "cells-per-stage": COUNT,
    "probe": TEXT,
    "probe-size": COUNT,
    "probe-split": TEXT,
    "draw": TEXT,
    "augment": TEXT,
    "pixels": TEXT,
    "fresh-probes": FLAG,
    "seeds": COUNT,
    "independent-seeds": FLAG,
    "epochs": TEXT,
    "batch-size": COUNT,
    "learning-rate": NUMBER,
    "momentum": NUMBER,
    "weight-decay": NUMBER,
    "nesterov": FLAG,
    "schedule": TEXT,
    "label-smoothing": NUMBER,
    "train-augment": TEXT,
}
"""Options of ``ntknas score`` that a recipe may decide."""


def check(where: str, recipe: Mapping[str, Any]) -> None:
    """Check a recipe.

    Args:
        where: Name of the recipe, for messages.
        recipe: What its file holds.

    Raises:
        DataError: If a key is unknown, missing or of another kind; the message names recipe, table and key.
    """
    _check_table(where, "recipe", recipe, {**dict.fromkeys(TEXTS, TEXT), **dict.fromkeys(TABLES)})
    score = recipe.get("score")
    if not isinstance(score, dict) or "measures" not in score:
        raise DataError(f"The recipe {where} needs a table [score] with measures; ntknas recipe show mok prints one.")
    options, special = split(score)
    _check_table(where, "[score]", options, SCORE)
    for name, table in special.items():
        _check_table(where, f"[score.{name}]", table, SCORE)
    protocol = recipe.get("protocol", {})
    if not isinstance(protocol, dict):
        raise DataError(f"The recipe {where}: protocol must be a table [protocol], got {_got(protocol)}.")
    _check_table(where, "[protocol]", protocol, dict.fromkeys(PROTOCOL, TEXT))


def split(score: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the options of a table ``[score]``, and the tables in it that are special to a benchmark or data set."""
    special = {key: value for key, value in score.items() if isinstance(value, dict) and key not in SCORE}
    return {key: value for key, value in score.items() if key not in special}, special


def _check_table(where: str, name: str, table: Mapping[str, Any], kinds: Mapping[str, Kind | None]) -> None:
    for key, value in table.items():
        if key not in kinds:
            raise DataError(
                f"The recipe {where}: {name} has no key {quoted(key)}, expected some of {', '.join(kinds)}."
                f"{did_you_mean(key, kinds)}"
            )
        kind = kinds[key]
        if kind is not None and not kind.fits(value):
            raise DataError(f"The recipe {where}, {name}: {key} must be {kind.text}, got {_got(value)}.")


def _got(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if isinstance(value, int | float):
        return quoted(value)
    if isinstance(value, list):
        return "an array"
    return "a table" if isinstance(value, dict) else "a date or time"
