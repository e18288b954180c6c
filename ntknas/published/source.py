"""Where scores come from: a store, or ``published:`` and a release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ntknas.core.display import printable
from ntknas.core.errors import ChoiceError

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.published.release import Release

PREFIX = "published:"
"""What a release is told by, where a store may be named too."""


def is_published(text: str | Path) -> bool:
    """Return whether a text names a release rather than a store; ``./published:x`` is a file.

    Example:
        >>> is_published("published:nb201"), is_published("scores.h5")
        (True, False)
    """
    return str(text).startswith(PREFIX)


def open_published(text: str | Path) -> Release:
    """Open the release that a text names.

    Args:
        text: ``published:`` and the name of a release, or a folder that holds one.

    Returns:
        The release.

    Raises:
        ChoiceError: If the text names none.
        DataError: If there is none yet, or a file was changed.
    """
    from ntknas.published.release import Release

    name = str(text).removeprefix(PREFIX)
    if not is_published(text) or not name:
        raise ChoiceError(f"Expected {PREFIX} and a release or a folder, such as {PREFIX}nb201, got {printable(text)}.")
    return Release.open(name)


def read_scores(text: str | Path) -> pd.DataFrame:
    """Read the scores of a source.

    Args:
        text: The path of a store, or ``published:`` and the name of a release or a folder that holds one.

    Returns:
        As ``ntknas.load_store``; of a release, the scores of all its ways and seeds.

    Raises:
        ChoiceError: If there is no such release.
        DataError: If there are no published scores yet, or a file was changed.
        StoreError: If there is no store, or it is damaged or of another version.
    """
    if is_published(text):
        return open_published(text).frame()
    from ntknas.store import load_store

    return load_store(str(text))
