"""Single changes of one choice at a time, from some way of measuring: what a sensitivity card is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ntknas.core.errors import check_known

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Variation:
    """One change.

    Attributes:
        choice: Name of the choice that is changed, a key of ``CHOICES``.
        text: What it is changed to, for tables.
        changes: Options of ``ntknas score`` that change, with underscores; ``seed`` is the seed of the weights.
    """

    choice: str
    text: str
    changes: Mapping[str, Any]


def _others(option: str, values: tuple[Any, ...]) -> Callable[[Options], list[dict[str, Any]]]:
    return lambda base: [{option: value} for value in values if value != base[option]]


CHOICES: dict[str, Callable[[Options], list[dict[str, Any]]]] = {
    "batch-norm": _others("batch_norm", ("coupled", "frozen", "eval", "per-sample")),
    "probe-size": lambda base: [{"probe_size": base["probe_size"] // 2}, {"probe_size": 2 * base["probe_size"]}],
    "probe": _others("probe", ("digits", "noise")),
    "probe-seed": lambda base: [{"probe_seed": base["probe_seed"] + 1}],
    "init": _others("init", ("default", "kaiming-fan-out", "xavier")),
    "parameters": _others("parameters", ("all", "weights", "weights-no-head")),
    "precision": _others("precision", ("float32", "float64")),
    "seed": lambda base: [{"seed": 1}],
}
"""What can be varied: functions from the base options to the changes."""


def variations(base: Options, choices: tuple[str, ...]) -> list[Variation]:
    """Return every single change of some choices.

    Args:
        base: The options that are changed.
        choices: Keys of ``CHOICES``.

    Raises:
        ChoiceError: If one is unknown.
    """
    found = []
    for choice in choices:
        for changes in CHOICES[check_known("choice to vary", choice, CHOICES)](base):
            text = ", ".join(str(value) for value in changes.values())
            found.append(Variation(choice, f"{choice} {text}", changes))
    return found
