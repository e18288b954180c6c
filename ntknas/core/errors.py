"""Errors that a user can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NtknasError(Exception):
    """A fault the user can fix: the message says what, what was expected, what was found and what to do.

    The command line prints the message alone and leaves with exit code 1.
    """


class ChoiceError(NtknasError, ValueError):
    """An option has a value that is not among the known ones."""


class StoreError(NtknasError):
    """A score store or its journal cannot be read or written as it stands."""


class DataError(NtknasError):
    """Images, tables or other input files are missing or not what they should be."""


class KernelError(NtknasError, ValueError):
    """A kernel cannot be computed as asked for this module."""


def unknown(kind: str, got: object, known: Iterable[object]) -> ChoiceError:
    """Build the error for a name that does not exist, with the nearest known name as a hint.

    Args:
        kind: What the name stands for, such as ``"measure"``.
        got: The name that was given.
        known: All names that exist.

    Returns:
        The error, to be raised by the caller.
    """
    names = [str(name) for name in known]
    return ChoiceError(f"Unknown {kind} {got!r}: expected one of {', '.join(names)}.{did_you_mean(got, names)}")


def did_you_mean(got: object, known: Iterable[object]) -> str:
    """Return the question after the nearest known name, whatever its case; nothing if none is near.

    Example:
        >>> did_you_mean("NB2O1", ["nb101", "nb201"])
        " Did you mean 'nb201'?"
    """
    names = {str(name).casefold(): str(name) for name in known}
    near = difflib.get_close_matches(str(got).casefold(), names, n=1)
    return f" Did you mean {names[near[0]]!r}?" if near else ""


def check_known(kind: str, got: str, known: Iterable[str]) -> str:
    """Return ``got`` if it is among ``known``.

    Raises:
        ChoiceError: If it is not.
    """
    names = list(known)
    if got not in names:
        raise unknown(kind, got, names)
    return got
