"""What to type next, such that it works when it is typed."""

from __future__ import annotations

import shlex
from pathlib import Path

_NO_ACCURACIES = (
    "No accuracies of {space} are here: ntknas bench list says what can be imported, and correlate takes your own with "
    "--accuracies."
)


def after_scoring(space: str, store: Path, folder: Path | None = None) -> tuple[str, str]:
    """Return what to do with scores: correlate them if there is something to correlate with, else look at them.

    Args:
        space: Name of the space.
        store: The store.
        folder: Folder of the imported tables.

    Returns:
        A command, and a remark that may be empty.

    Example:
        >>> after_scoring("nb201", Path("my scores.h5"))
        ("ntknas correlate 'my scores.h5'", '')
    """
    from ntknas.benchmarks import FOLDER, all_sources, has_accuracies

    quoted = shlex.quote(str(store))
    available = [
        name
        for name, source in all_sources().items()
        if source.space == space and has_accuracies(name, folder or FOLDER)
    ]
    if not available:
        return f"ntknas store info {quoted}", _NO_ACCURACIES.format(space=space)
    return f"ntknas correlate {quoted}" + ("" if space in available else f" --bench {available[0]}"), ""
