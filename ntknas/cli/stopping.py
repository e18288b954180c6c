"""Signals that ask the command to stop: it ends in order, and says what is kept."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_KEPT = "What was reported as done is stored; the same command goes on from there."
_PATIENCE = b"Stopping; what is done is being stored. Once more ends at once.\n"


# No Exception, so that what catches the errors of measures and plugins lets it through.
class StoppedError(KeyboardInterrupt):
    """A signal asked the command to stop.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int):
        super().__init__(f"signal {number}")
        self.number = number


class _Stop:
    """The handler: the first signal stops the command, the second asks for patience, a further one ends at once."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count == 2:
            with suppress(OSError):
                os.write(2, _PATIENCE)  # print may be what the signal broke into
            return
        raise StoppedError(number)


def listen() -> None:
    """Stop the command in order at any of ``SIGNALS``, but for those that are to be ignored, as under nohup."""
    stop = _Stop()
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)


def end_quietly() -> None:
    """Let signals end the process in silence, now that there is nothing left to do."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def storing() -> Iterator[None]:
    """Have it said that what is done is stored, when an error or a signal ends what is done meanwhile."""
    try:
        yield
    except BaseException as error:
        if _KEPT not in kept(error):
            error.add_note(_KEPT)
        raise


def kept(error: BaseException | None) -> str:
    """Return what ``storing`` said of an error, or of the one that led to it."""
    notes = []
    while error is not None:
        notes += [note for note in getattr(error, "__notes__", []) if note == _KEPT]
        error = error.__cause__
    return notes[0] if notes else ""
