"""Seals files with a hash of their content, which is checked before a library opens them.

A changed byte in HDF5's own structures can send its library into an endless loop (the heap that holds strings has no
checksum), and one in a checkpoint can change a weight, so that a hash of what was read comes too late. A sealed file
starts with 512 bytes, which HDF5 leaves to its users: the format, and the SHA-256 of all that follows.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ntknas.core.regular_file import open_regular

if TYPE_CHECKING:
    import h5py

HEAD = 512  # the smallest user block that HDF5 allows
MAGIC = b"ntknas sealed HDF5 1\nsha256 "
_HDF5 = b"\x89HDF\r\n\x1a\n"


class DamagedFileError(OSError):
    """A file whose content is not the one that was written; HDF5 too says what it cannot read by an ``OSError``."""


class UnsealedFileError(OSError):
    """A plain HDF5 file: older than seals, or somebody else's."""


class SealVersionError(OSError):
    """A file with the seal of another version."""


@contextmanager
def new_image() -> Iterator[tuple[h5py.File, bytearray]]:
    """Give an HDF5 file to fill in memory, and the bytes that are its sealed image once the context has ended.

    In memory, since HDF5 does not survive a disk that fills up under it.

    Yields:
        The file, and the bytes.

    Example:
        >>> with new_image() as (file, image):
        ...     file["answer"] = 42
        >>> len(image) > HEAD
        True
    """
    import h5py

    content, image = io.BytesIO(), bytearray()
    with h5py.File(content, "w", userblock_size=HEAD) as file:
        yield file, image
    image += seal(content.getvalue())


def seal(content: bytes) -> bytes:
    """Return an HDF5 file with its first 512 bytes filled in."""
    body = content[HEAD:]
    return head_of(body) + body


def check(path: Path, magic: bytes = MAGIC) -> None:
    """Check a file before it is opened.

    Args:
        path: The file.
        magic: What it must begin with.

    Raises:
        DamagedFileError: If it is not what was written.
        UnsealedFileError: If it is plain HDF5.
        SealVersionError: If it has the seal of another version.
        OSError: If it is no regular file, or cannot be read.
    """
    with open_regular(path) as file:
        head = file.read(HEAD)
        _check_magic(head, magic)
        digest = hashlib.file_digest(file, "sha256")
    if head != _filled(magic, digest.hexdigest()):  # the whole head: a byte changed in its padding counts too
        raise DamagedFileError("its content does not match its checksum")


def read_body(path: Path, magic: bytes) -> bytes:
    """Read what follows the first 512 bytes of a file, if it is what was written.

    Args:
        path: The file.
        magic: What it must begin with.

    Returns:
        The bytes.

    Raises:
        DamagedFileError: If it is not what was written.
        OSError: As ``check`` does.
    """
    with open_regular(path) as file:
        head = file.read(HEAD)
        _check_magic(head, magic)
        body = file.read()  # hashed and returned: read once more, it could be another file's
    if head != head_of(body, magic):
        raise DamagedFileError("its content does not match its checksum")
    return body


def is_recognised(path: Path, magic: bytes = MAGIC) -> bool:
    """Tell by its first bytes, or by HDF5's after them, whether a file was once written by ``ntknas``, damaged or not.

    Args:
        path: The file.
        magic: What it must begin with.

    Returns:
        Whether it was.

    Raises:
        OSError: If it cannot be read.
    """
    with open_regular(path) as file:
        head, body = file.read(HEAD), file.read(len(_HDF5))
    kind = _kind(magic)
    return bool(head) and (head.startswith(kind) or kind.startswith(head) or body == _HDF5)


def _check_magic(head: bytes, magic: bytes) -> None:
    if head.startswith(magic):
        return
    if head.startswith(_HDF5):
        raise UnsealedFileError("it is plain HDF5, without the seal of ntknas")
    kind, line = _kind(magic), head.partition(b"\n")[0]
    version = line[len(kind) :]
    if line.startswith(kind) and version.isdigit() and version != magic.partition(b"\n")[0][len(kind) :]:
        raise SealVersionError(f"it has a seal of version {version.decode()}")
    raise DamagedFileError("it is neither an HDF5 file nor one that ntknas wrote")


def _kind(magic: bytes) -> bytes:
    """Return what a file begins with in every version."""
    return magic.partition(b"\n")[0].rstrip(b"0123456789")


def head_of(body: bytes, magic: bytes = MAGIC) -> bytes:
    """Return the first 512 bytes of a file: what it is, and the SHA-256 of the rest."""
    return _filled(magic, hashlib.sha256(body).hexdigest())


def _filled(magic: bytes, digest: str) -> bytes:
    return (magic + digest.encode() + b"\n").ljust(HEAD, b" ")
