"""Files that are replaced as a whole: a half-written one never has the name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the name of a file to write beside the place; when the context ends well, it takes the place.

    The file is flushed to the disk before. When the context ends with an exception it is removed, and what was in the
    place stays.

    Args:
        path: The place; its folder exists.

    Raises:
        OSError: If the file cannot be flushed or renamed.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp()) / "answer"
        >>> with replacing(place) as beside:
        ...     _ = beside.write_text("42")
        >>> place.read_text()
        '42'
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        yield beside
        _sync(beside)
        os.replace(beside, path)
        _sync(path.parent)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
