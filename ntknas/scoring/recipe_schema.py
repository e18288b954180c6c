"""What a recipe may say, and what kind of value each of its keys has."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from ntknas.core.choices import Choices
from ntknas.core.errors import DataError, did_you_mean
from ntknas.core.options import MAX_COUNT, option_fields
from ntknas.core.quoting import quoted
from ntknas.data.probe_options import ProbeOptions
from ntknas.scoring.recipe import NetworkOptions
from ntknas.training import TrainingOptions


def _is_whole(value: object) -> TypeGuard[int]:
    return type(value) is int  # True is an int too


def _is_number(value: object) -> TypeGuard[float]:
    return type(value) in (int, float)


@dataclass(frozen=True)
class Kind:
    """A kind of values.

    Attributes:
        text: What is expected.
        fits: Whether a value is one.
    """

    text: str
    fits: Callable[[object], bool]


Value = str | bool | int | float
"""What an option of a recipe may be."""
TEXT = Kind("a text", lambda value: type(value) is str)
FLAG = Kind("true or false", lambda value: type(value) is bool)
COUNT = Kind(f"a whole number from 1 to {MAX_COUNT}", lambda value: _is_whole(value) and 1 <= value <= MAX_COUNT)
NUMBER = Kind("a finite number", lambda value: _is_number(value) and abs(value) <= sys.float_info.max)

TEXTS = ("title", "source", "text")
TABLES = ("score", "protocol")
PROTOCOL = ("cells", "target")
_DECIDED = (Choices, NetworkOptions, ProbeOptions, TrainingOptions)
_OF_THE_RUN = ("probe_seed", "image_data", "download", "mixed_precision")
_KINDS: Mapping[type, Kind] = {str: TEXT, bool: FLAG, int: COUNT, float: NUMBER}
SCORE: Mapping[str, Kind] = {
    "measures": TEXT,
    "seeds": COUNT,
    "epochs": TEXT,
    **{
        field.name.replace("_", "-"): _KINDS[field.kind]
        for owner in _DECIDED
        for field in option_fields(owner)
        if field.name not in _OF_THE_RUN
    },
}
"""Options of ``ntknas score`` that a recipe may decide: what is measured, not where, how fast and from which seed."""


@dataclass(frozen=True)
class Tables:
    """What a recipe's file holds, checked.

    Attributes:
        texts: Title, source and text, as far as they are there.
        options: Options of ``ntknas score`` by name.
        special: Further options for a benchmark or a data set, by its name.
        protocol: How the recipe's authors evaluate it.
    """

    texts: Mapping[str, str]
    options: Mapping[str, Value]
    special: Mapping[str, Mapping[str, Value]]
    protocol: Mapping[str, str]


def check(source: str, recipe: Mapping[str, object]) -> Tables:
    """Check a recipe.

    Args:
        source: Name of the recipe, for messages.
        recipe: What its file holds.

    Returns:
        The same, in parts.

    Raises:
        DataError: If a key is unknown, missing or of another kind; the message names recipe, table and key.
    """
    _check_keys(source, "recipe", recipe, (*TEXTS, *TABLES))
    texts = {key: value for key, value in recipe.items() if key in TEXTS}
    score, protocol = recipe.get("score"), recipe.get("protocol", {})
    checked_texts = _checked(source, "recipe", texts, dict.fromkeys(TEXTS, TEXT))
    if not isinstance(score, dict) or "measures" not in score:
        raise DataError(f"The recipe {source} needs a table [score] with measures; ntknas recipe show mok prints one.")
    tables = {key: value for key, value in score.items() if isinstance(value, dict) and key not in SCORE}
    options = _checked(source, "[score]", {key: value for key, value in score.items() if key not in tables}, SCORE)
    special = {name: _checked(source, f"[score.{name}]", table, SCORE) for name, table in tables.items()}
    if not isinstance(protocol, dict):
        raise DataError(f"The recipe {source}: protocol must be a table [protocol], got {_got(protocol)}.")
    evaluated = _checked(source, "[protocol]", protocol, dict.fromkeys(PROTOCOL, TEXT))
    return Tables(_as_texts(checked_texts), options, special, _as_texts(evaluated))


def _as_texts(values: Mapping[str, Value]) -> dict[str, str]:
    return {key: str(value) for key, value in values.items()}


def _check_keys(source: str, name: str, table: Mapping[str, object], keys: Collection[str]) -> None:
    for key in table:
        if key not in keys:
            raise DataError(
                f"The recipe {source}: {name} has no key {quoted(key)}, expected some of {', '.join(keys)}."
                f"{did_you_mean(key, keys)}"
            )


def _checked(source: str, name: str, table: Mapping[str, object], kinds: Mapping[str, Kind]) -> dict[str, Value]:
    """Return a table whose keys are known and whose values are of their kinds."""
    _check_keys(source, name, table, kinds)
    values: dict[str, Value] = {}
    for key, value in table.items():
        if not kinds[key].fits(value) or not isinstance(value, str | int | float):
            raise DataError(f"The recipe {source}, {name}: {key} must be {kinds[key].text}, got {_got(value)}.")
        values[key] = value
    return values


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
