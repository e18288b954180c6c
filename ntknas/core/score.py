"""A score: a number, or the typed reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ntknas.core.shown import Shown, in_digits


class Status(StrEnum):
    """Why a (cell, seed, measure) has a value, or why it has none."""

    OK = "ok"
    DISCONNECTED = "disconnected"
    SINGULAR = "singular"
    UNDEFINED = "undefined"
    NON_FINITE = "non-finite"
    DIVERGED = "diverged"
    OOM = "oom"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    ERROR = "error"

    @property
    def is_failure(self) -> bool:
        """Whether the computation itself failed; a singular kernel or a disconnected cell is a result, not a fault."""
        return self in FAILURES


FAILURES = frozenset({Status.OOM, Status.TIMEOUT, Status.CRASHED, Status.ERROR})


class NoValueError(Exception):
    """Raised by a measure that has no value on a kernel; carries the status to record."""

    def __init__(self, status: Status, reason: str):
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, repr=False)
class Score(Shown):
    """The value of a measure on one kernel, or a status and the reason why there is no value.

    Attributes:
        measure: Identifier of the measure.
        value: The number in the measure's own direction, or ``None``.
        status: ``Status.OK`` exactly if there is a value.
        reason: One sentence on a missing value, else empty.
    """

    measure: str
    value: float | None
    status: Status = Status.OK
    reason: str = ""

    def __post_init__(self) -> None:
        """Check that value and status tell the same story.

        Raises:
            ValueError: If a value stands beside a failure status, or is missing beside ``ok``.
        """
        if (self.value is None) == (self.status is Status.OK):
            raise ValueError(f"A score has a value exactly if its status is ok: got {self.value} with {self.status}.")

    def _line(self) -> str:
        said = in_digits(self.value, 6) if self.value is not None else f"{self.status}: {self.reason}".rstrip(": ")
        return f"{self.measure}: {said}"
