"""What a study says of its claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from ntknas.core.shown import Shown


class Outcome(Enum):
    """Whether a claim holds."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"


@dataclass(frozen=True, repr=False)
class Verdict(Shown):
    """What was found of a claim.

    Attributes:
        outcome: Whether it holds.
        sentences: What was found, in words and numbers.
        figures: The numbers that the outcome rests on, by name.
    """

    outcome: Outcome
    sentences: tuple[str, ...]
    figures: Mapping[str, float]

    def _line(self) -> str:
        return f"{self.outcome.value}: {' '.join(self.sentences)}"


def overall(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the outcome of a claim about several things: it fails if it does of one, and holds if it does of all.

    Example:
        >>> overall([Outcome.HOLDS, Outcome.UNDECIDED]).value
        'undecided'
    """
    kinds = set(outcomes)
    if Outcome.FAILS in kinds:
        return Outcome.FAILS
    return Outcome.HOLDS if kinds == {Outcome.HOLDS} else Outcome.UNDECIDED
