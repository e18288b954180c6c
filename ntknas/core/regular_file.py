"""Opens input files that are regular ones: a pipe or a device never ends, and may not even open."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)  # for a pipe that takes the place after it was looked at
WITHOUT_LINKS: int = getattr(os, "O_NOFOLLOW", 0)


class SpecialFileError(OSError):
    """Something that is no regular file, or a file that is larger than its like can be; ``strerror`` says what."""


def check_regular(path: Path, *, follow: bool = True) -> None:
    """Check that a place holds a regular file, or nothing, without opening it.

    Args:
        path: The place.
        follow: Whether a symbolic link may lead there.

    Raises:
        SpecialFileError: If it holds something else.
        OSError: If it cannot be looked at.
    """
    with suppress(FileNotFoundError):
        _check(path, os.stat(path, follow_symlinks=follow).st_mode)


def open_regular(path: Path, *, follow: bool = True) -> BufferedReader:
    """Open a file for reading, if it is a regular one.

    Args:
        path: The file.
        follow: Whether a symbolic link may lead there.

    Returns:
        The file.

    Raises:
        SpecialFileError: If it is a folder, a pipe, a socket or a device; none of them is waited for.
        OSError: If it cannot be opened.

    Example:
        >>> open_regular(Path("/dev/null"))
        Traceback (most recent call last):
        ...
        ntknas.core.regular_file.SpecialFileError: [Errno 22] it is a device, expected a regular file: '/dev/null'
    """
    _check(path, os.stat(path, follow_symlinks=follow).st_mode)
    flags = os.O_RDONLY | _WITHOUT_WAITING | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags if follow else flags | WITHOUT_LINKS)
    try:
        _check(path, os.fstat(handle).st_mode)  # another file may have taken its place in between
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: Path, max_bytes: int) -> bytes:
    """Return the content of a regular file.

    Args:
        path: The file.
        max_bytes: Bytes that such a file has at most.

    Returns:
        Its bytes.

    Raises:
        SpecialFileError: If it is no regular file, or larger.
        OSError: If it cannot be read.
    """
    with open_regular(path) as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise SpecialFileError(
            errno.EFBIG, f"it holds more than {_size(max_bytes)}, and such a file has less", str(path)
        )
    return content


def read_text(path: Path, max_bytes: int) -> str:
    """Return a regular file's text, UTF-8 with or without a byte-order mark; see ``read_regular``.

    Args:
        path: The file.
        max_bytes: Bytes that such a file has at most.

    Returns:
        Its text.

    Raises:
        UnicodeDecodeError: If it is no such text.
    """
    return read_regular(path, max_bytes).decode("utf-8-sig")


def _check(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise SpecialFileError(errno.EINVAL, f"it is {kind}, expected a regular file", str(path))


def _size(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB" if count >= 2**20 else f"{count:,} bytes"
