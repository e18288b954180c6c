"""Packed files are unpacked only as far as such a file can go: counted in bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ntknas.core.errors import DataError
from ntknas.core.unpacking import UNPACKING_ERRORS, Limited, open_unpacked


def _zipped(content: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", content)
    return whole.getvalue()


PACKERS: list[Callable[[bytes], bytes]] = [bytes, gzip.compress, bz2.compress, lzma.compress, _zipped]


@pytest.mark.parametrize("pack", PACKERS)
def test_whatever_packed_it_the_content_is_the_same(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    content = bytes(range(256)) * 40
    (tmp_path / "file").write_bytes(pack(content))
    with open_unpacked(tmp_path / "file", 11_000) as stream:
        assert stream.read() == content


@pytest.mark.parametrize("pack", PACKERS)
def test_what_unpacks_to_more_is_refused_after_the_limit(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(pack(bytes(1 << 20)))
    with open_unpacked(tmp_path / "file", 5_000) as stream, pytest.raises(DataError, match="more than 5,000 bytes"):
        stream.read()


def test_no_more_is_asked_of_a_stream_than_one_byte_beyond_the_limit() -> None:
    asked: list[int] = []

    class Endless(io.RawIOBase):
        def read(self, count: int = -1) -> bytes:
            asked.append(count)
            return bytes(count)

    with pytest.raises(DataError, match="more than 100 bytes"):
        io.BufferedReader(Limited(Endless(), 100), 30).read()  # type: ignore[arg-type]
    assert sum(asked) == 101


@pytest.mark.parametrize("pack", PACKERS[1:])
def test_damaged_ones_raise_what_is_listed(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    packed = pack(bytes(range(256)) * 4)
    for place in range(0, len(packed), 7):
        damaged = bytes([*packed[:place], packed[place] ^ 255, *packed[place + 1 :]])
        (tmp_path / "file").write_bytes(damaged)
        try:
            with open_unpacked(tmp_path / "file", 10_000) as stream:
                stream.read()
        except (*UNPACKING_ERRORS, DataError):
            pass


def test_an_archive_of_several_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "file", "w") as archive:
        archive.writestr("a", b"")
        archive.writestr("b", b"")
    with pytest.raises(DataError, match="zip archive of 2 files, expected one"), open_unpacked(tmp_path / "file", 10):
        pass
