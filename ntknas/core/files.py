"""Replaces files as a whole, and keeps damaged ones aside under a new name."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from ntknas.core.regular_file import WITHOUT_LINKS, check_regular, open_regular


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the name of a file to write beside a place; when the context ends well, the file takes the place.

    The file is new, empty, and has a name that nobody can foresee. It is flushed to the disk before it takes the place,
    with the permissions of what was there. When the context ends with an exception it is removed, and what was in the
    place stays.

    Args:
        path: The place; its folder exists.

    Yields:
        The name to write to.

    Raises:
        SpecialFileError: If the place holds a folder, a pipe or a device.
        OSError: If the file cannot be made, flushed or renamed.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp()) / "answer"
        >>> with replacing(place) as beside:
        ...     _ = beside.write_text("42")
        >>> place.read_text()
        '42'
    """
    if not path.is_symlink():  # a link is replaced itself, not what it leads to
        check_regular(path)
    handle, beside = _new_beside(path)
    try:
        yield beside
        os.fsync(handle)  # what was written by name is this file, unless it was renamed onto it
        os.replace(beside, path)
        _sync_folder(path.parent)  # a rename is on the disk once its folder is
    finally:
        os.close(handle)
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _new_beside(path: Path) -> tuple[int, Path]:
    """Make a file beside a place, locked while it is open, so that one left by a killed process can be told."""
    while True:
        beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
        with suppress(FileExistsError):
            handle = new_file(beside)
            with suppress(OSError):  # a file system without locks
                fcntl.flock(handle, fcntl.LOCK_EX)
            with suppress(OSError):
                _take_permissions(handle, path)
            if beside.exists():  # another process may have removed it as stale before it was locked
                return handle, beside
            os.close(handle)


def _take_permissions(handle: int, path: Path) -> None:
    status = path.lstat()
    if stat.S_ISREG(status.st_mode):
        os.fchmod(handle, stat.S_IMODE(status.st_mode))


def new_file(path: Path) -> int:
    """Make a file that is not there yet.

    Args:
        path: Its name.

    Returns:
        The descriptor of the file, opened to write.

    Raises:
        FileExistsError: If anything has that name, a link that leads nowhere included.
        OSError: If it cannot be made.
    """
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | WITHOUT_LINKS, 0o666)


def remove_stale(path: Path) -> list[Path]:
    """Remove and return what killed processes left of ``replacing`` a file; living ones lock theirs, which stay."""
    # Numbers of processes are in names of earlier versions.
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(\d+|[0-9a-f]{{16}})\.new")
    removed = []
    for beside in path.parent.iterdir():
        if pattern.fullmatch(beside.name) and _is_abandoned(beside):
            with suppress(OSError):
                beside.unlink()
                removed.append(beside)
    return removed


def _is_abandoned(beside: Path) -> bool:
    try:
        with open_regular(beside, follow=False) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # also where nothing can be locked: nobody knows, and it stays
        return False
    return True


def copy_aside(path: Path) -> Path:
    """Copy a file to a new name beside it: ``….damaged``, ``….damaged-2`` and so on.

    Args:
        path: The file.

    Returns:
        The new name.

    Raises:
        OSError: If it cannot be read, or the copy not written as a whole; then there is no copy.
    """
    with open_regular(path, follow=False) as file:
        handle, copy = _new_damaged(path)
        try:
            with os.fdopen(handle, "wb") as target:
                shutil.copyfileobj(file, target)
                target.flush()
                os.fsync(target.fileno())
        except BaseException:
            copy.unlink(missing_ok=True)
            raise
    _sync_folder(path.parent)
    return copy


def move_aside(path: Path) -> Path:
    """Give a file a new name beside it, as ``copy_aside`` does.

    Args:
        path: The file.

    Returns:
        The new name.

    Raises:
        OSError: If that fails; the file then stays.
    """
    name = _link_aside(path)
    path.unlink()
    _sync_folder(path.parent)
    return name


def _link_aside(path: Path) -> Path:
    names = _names_aside(path)
    while True:
        name = next(names)
        try:
            os.link(path, name, follow_symlinks=False)  # a rename would replace what has the name
        except FileExistsError:
            continue
        except OSError:  # a file system without hard links
            return copy_aside(path)
        return name


def _names_aside(path: Path) -> Iterator[Path]:
    yield path.with_name(f"{path.name}.damaged")
    yield from (path.with_name(f"{path.name}.damaged-{number}") for number in count(2))


def _new_damaged(path: Path) -> tuple[int, Path]:
    names = _names_aside(path)
    while True:
        name = next(names)
        with suppress(FileExistsError):
            return new_file(name), name


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
