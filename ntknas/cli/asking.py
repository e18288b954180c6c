"""How long a command takes, said before it begins; on a terminal, whether it is to begin at all."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress

import click

from ntknas.cli import kinds
from ntknas.cli.meter import duration
from ntknas.cli.output import note

LONG = 600.0
"""Seconds from which on a command says how long it takes, and asks."""
FULL, SMALL, NO = "f", "s", "n"
_SIGNALS_EVERY = 0.5  # seconds

yes_option = click.option(
    "--yes",
    cls=kinds.TrustedOption,
    is_flag=True,
    help="Ask nothing and take the full size, however long it takes.",
)


def begin_or_leave(seconds: float, smaller: str) -> None:
    """Say how long something takes if that is long, and leave if someone at the terminal does not want it.

    Off a terminal it is said, and the command goes on: nothing there can answer.

    Args:
        seconds: How long it takes, about.
        smaller: What makes it shorter, as it is typed.

    Raises:
        Exit: If the answer is no.
    """
    if seconds < LONG:
        return
    note(f"This takes some {duration(seconds)} here. Shorter: {smaller}. (--dry-run says more, --yes asks nothing.)")
    if someone_is_there() and asked("Begin? [y/N]", {"y": FULL, "yes": FULL}) == NO:
        leave()


def leave() -> None:
    """End the command, since the answer was no.

    Raises:
        Exit: Always.
    """
    note("Nothing was computed.")
    raise click.exceptions.Exit(1)


def asked(question: str, answers: dict[str, str]) -> str:
    """Ask on the terminal until the answer is one of those that there are; an empty one, and an end of input, is no.

    Args:
        question: The question.
        answers: What each text stands for, in small letters.

    Returns:
        What the answer stands for.
    """
    while True:
        sys.stderr.write(f"{question} ")
        sys.stderr.flush()
        # A signal that comes just before a read is handled after it: none may wait for a line that never comes.
        while not select.select([sys.stdin], [], [], _SIGNALS_EVERY)[0]:
            pass
        line = sys.stdin.readline()
        text = line.strip().casefold()
        if text in answers:
            return answers[text]
        if not line or text in ("", "n", "no"):
            return NO


def someone_is_there() -> bool:
    """Return whether a question can be answered: on a terminal, in its foreground, where reading does not stop us."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    with suppress(OSError):  # a terminal that is not ours
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    return False
