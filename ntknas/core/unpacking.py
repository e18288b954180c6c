"""Reads compressed files as streams with an end: a few bytes can unpack to more than memory holds."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from ntknas.core.errors import DataError
from ntknas.core.regular_file import open_regular

UNPACKING_ERRORS = (
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)
"""What reading a damaged compressed file raises."""


class Limited(io.RawIOBase):
    """A stream that may give so many bytes and no more.

    Args:
        stream: Where they come from.
        max_bytes: How many there may be.

    Attributes:
        count: How many were read.
    """

    def __init__(self, stream: BinaryIO, max_bytes: int):
        super().__init__()
        self._stream, self._max_bytes, self.count = stream, max_bytes, 0

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill a buffer; one byte beyond the limit is asked for, to tell a file that ends there from a longer one.

        Args:
            buffer: The buffer.

        Returns:
            How many bytes were put into it.

        Raises:
            DataError: If there are more bytes than there may be.
        """
        view = memoryview(buffer)  # type: ignore[arg-type]
        content = self._stream.read(min(len(view), self._max_bytes + 1 - self.count))
        self.count += len(content)
        if self.count > self._max_bytes:
            raise DataError(f"it holds more than {self._max_bytes:,} bytes unpacked, and such a file has fewer")
        view[: len(content)] = content
        return len(content)


@contextmanager
def open_unpacked(path: Path, max_bytes: int) -> Iterator[BinaryIO]:
    """Open a file; what gzip, bzip2, xz or zip (of one file) has packed is unpacked on the way.

    Args:
        path: The file.
        max_bytes: Bytes that it may have, unpacked; it may not have more packed either.

    Yields:
        Its content.

    Raises:
        DataError: If it is an archive of several files, or, while it is read, if it is larger.
        OSError: If it is no regular file or cannot be read; damaged ones raise one of ``UNPACKING_ERRORS``.
    """
    with open_regular(path) as file:
        start = file.peek(8)
        magic = next((magic for magic in _UNPACKERS if start.startswith(magic)), b"")
        _check_name(path, magic)
        # A zip archive is read from its end, for which a limited stream cannot seek.
        packed = file if magic in (b"", _ZIP) else cast(BinaryIO, Limited(file, max_bytes))
        with _UNPACKERS[magic](packed) if magic else packed as stream:
            yield io.BufferedReader(Limited(stream, max_bytes))


def _check_name(path: Path, magic: bytes) -> None:
    if ".tar" in path.suffixes[-2:] or path.suffix == ".tgz":
        raise DataError("it is an archive, which can be read once it is unpacked (tar xf)")
    if path.suffix in _SUFFIXES and _SUFFIXES[path.suffix] != magic:
        raise DataError(f"it does not begin as a {path.suffix} file that can be read")


def _open_zip(file: BinaryIO) -> BinaryIO:
    archive = zipfile.ZipFile(file)
    names = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(names) != 1:
        raise DataError(f"it is a zip archive of {len(names)} files, expected one")
    return cast(BinaryIO, archive.open(names[0]))


_ZIP = b"PK\x03\x04"
_UNPACKERS: dict[bytes, Callable[[BinaryIO], BinaryIO]] = {
    b"\x1f\x8b": lambda packed: cast(BinaryIO, gzip.GzipFile(fileobj=packed)),
    b"BZh": lambda packed: cast(BinaryIO, bz2.BZ2File(packed)),
    b"\xfd7zXZ\x00": lambda packed: cast(BinaryIO, lzma.LZMAFile(packed)),  # noqa: SIM115  (whoever opens it closes it)
    _ZIP: _open_zip,
}
"""What unpacks a file, by its first bytes."""
_SUFFIXES = dict(zip((".gz", ".bz2", ".xz", ".zip"), _UNPACKERS, strict=True))  # in the order of _UNPACKERS
PACKED_SUFFIXES = tuple(_SUFFIXES)
