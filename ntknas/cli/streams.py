"""Standard streams that are closed, or whose reader has gone: no reason to lose what was computed."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TextIO

_NAMES = ("stdin", "stdout", "stderr")


def prepare() -> None:
    """Open closed streams on nothing, and let no terminal without Greek letters end a run."""
    for number, name in enumerate(_NAMES):
        _open(number)
        stream = getattr(sys, name)
        if stream is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(os.dup(number), mode, encoding="utf-8", errors="replace"))
        elif isinstance(stream, io.TextIOWrapper) and name != "stdin":
            stream.reconfigure(errors="replace")


def _open(number: int) -> None:
    """Open a closed descriptor on nothing, so that no file of ours gets its number, and what is printed with it."""
    try:
        os.fstat(number)
    except OSError:
        handle = os.open(os.devnull, os.O_RDWR)
        if handle != number:
            os.dup2(handle, number)
            os.close(handle)


def drop(stream: TextIO) -> None:
    """Lead a stream that cannot be written any more to nothing, what it still holds included."""
    with suppress(OSError, ValueError):  # a stream in memory has no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def flush() -> OSError | None:
    """Write out what the streams hold; return why that failed for standard output."""
    failure = None
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            drop(stream)
            failure = error if stream is sys.stdout else failure
    return failure
