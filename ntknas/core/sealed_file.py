"""HDF5 files that are checked before the library opens them.

A changed byte in HDF5's own structures can send its library into an endless loop (the heap that holds strings has no
checksum), so that a hash of what was read comes too late. A sealed file starts with 512 bytes, which HDF5 leaves to its
users: the format, and the SHA-256 of all that follows.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import h5py

HEAD = 512
_MAGIC = b"ntknas sealed HDF5 1\nsha256 "
_HDF5 = b"\x89HDF\r\n\x1a\n"


class DamagedFileError(OSError):
    """A file whose content is not the one that was written; HDF5 too says what it cannot read by an ``OSError``."""


@contextmanager
def new_image() -> Iterator[tuple[h5py.File, bytearray]]:
    """Give an HDF5 file to fill in memory, and the bytes that are its sealed image once the context has ended.

    In memory, since HDF5 does not survive a disk that fills up under it.

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


def check(path: Path) -> None:
    """Check a file before it is opened; a file that HDF5 itself begins is older than seals, or somebody else's.

    Raises:
        DamagedFileError: If it is not what was written.
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        if head.startswith(_HDF5):
            return
        if not head.startswith(_MAGIC):
            raise DamagedFileError("it is neither an HDF5 file nor one that ntknas wrote")
        digest = hashlib.file_digest(file, "sha256")
    if head != _filled(_MAGIC, digest.hexdigest()):
        raise DamagedFileError("its content does not match its checksum")


def head_of(body: bytes, magic: bytes = _MAGIC) -> bytes:
    """Return the first 512 bytes of a file: what it is, and the SHA-256 of the rest."""
    return _filled(magic, hashlib.sha256(body).hexdigest())


def _filled(magic: bytes, digest: str) -> bytes:
    return (magic + digest.encode() + b"\n").ljust(HEAD, b" ")
