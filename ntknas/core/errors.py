"""Errors that a user can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ntknas.core.quoting import quoted


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


def unknown(kind: str, name: object, names: Iterable[object]) -> ChoiceError:
    """Build the error for a name that does not exist, with the nearest known name as a hint.

    Args:
        kind: What the name stands for, such as ``"measure"``.
        name: The name that was given.
        names: All names that exist.

    Returns:
        The error, to be raised by the caller.

    Example:
        >>> print(unknown("colour", "rad", ["red"]), unknown("colour", [0.5] * 1000, ["red"]))
        Unknown colour 'rad': expected one of red. Did you mean 'red'? Unknown colour a list: expected one of red.
    """
    texts = list(map(str, names))
    return ChoiceError(f"Unknown {kind} {quoted(name)}: expected one of {', '.join(texts)}.{did_you_mean(name, texts)}")


def did_you_mean(name: object, names: Iterable[object]) -> str:
    """Ask for the nearest name, whatever its case.

    Args:
        name: The name that was given.
        names: All names that exist.

    Returns:
        The question after a space; nothing if no name is near.

    Example:
        >>> did_you_mean("NB2O1", ["nb101", "nb201"])
        " Did you mean 'nb201'?"
    """
    texts = {text.casefold(): text for text in map(str, names)}
    near = difflib.get_close_matches(str(name).casefold(), texts, n=1)
    return f" Did you mean {texts[near[0]]!r}?" if near else ""


def check_known(kind: str, name: str, names: Iterable[str]) -> str:
    """Check that a name exists.

    Args:
        kind: What the name stands for.
        name: The name.
        names: All names that exist.

    Returns:
        The name.

    Raises:
        ChoiceError: If it does not exist.
    """
    known_names = list(names)
    if name not in known_names:
        error = unknown(kind, name, known_names)
        raise error
    return name
