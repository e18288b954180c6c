"""Single changes of one choice at a time, from some way of measuring: what a sensitivity card is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ntknas.core.errors import check_known

Options = Mapping[str, object]
"""Options of ``ntknas score`` by name, with underscores."""
Changes = Mapping[str, str | int]


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
    changes: Changes


def _others(option: str, values: tuple[str, ...]) -> Callable[[Options], list[Changes]]:
    return lambda base: [{option: value} for value in values if value != base[option]]


def _numbers(option: str, *changed: Callable[[int], int]) -> Callable[[Options], list[Changes]]:
    return lambda base: [{option: change(int(str(base[option])))} for change in changed]


CHOICES: dict[str, Callable[[Options], list[Changes]]] = {
    "batch-norm": _others("batch_norm", ("coupled", "frozen", "eval", "per-sample")),
    "probe-size": _numbers("probe_size", lambda size: size // 2, lambda size: 2 * size),
    "probe": _others("probe", ("digits", "noise")),
    "probe-seed": _numbers("probe_seed", lambda seed: seed + 1),
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

    Returns:
        The changes, in the order of the choices.

    Raises:
        ChoiceError: If one is unknown.
    """
    return [
        Variation(choice, f"{choice} {', '.join(map(str, changes.values()))}", changes)
        for choice in choices
        for changes in CHOICES[check_known("choice to vary", choice, CHOICES)](base)
    ]
