"""Files that are read are regular ones, of a size that such a file can have."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ntknas.core.regular_file import SpecialFileError, open_regular, read_regular, read_text


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize(
    ("make", "kind"),
    [(os.mkfifo, "a named pipe"), (Path.mkdir, "a folder"), (_socket, "a socket")],
)
def test_what_is_no_regular_file_is_not_waited_for(
    make: Callable[[Path], object], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    path = Path("it")
    make(path)
    with pytest.raises(SpecialFileError, match=f"it is {kind}, expected a regular file"):
        open_regular(path)


def test_a_device_is_named_as_one() -> None:
    with pytest.raises(SpecialFileError, match="it is a device"):
        read_regular(Path("/dev/zero"), 10)


def test_links_are_followed_and_bytes_come_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\x00\r\n")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_regular(tmp_path / "link", 3) == b"\x00\r\n"


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(11))
    with pytest.raises(SpecialFileError, match="more than 10 bytes"):
        read_regular(tmp_path / "file", 10)


def test_a_text_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes("\ufefföäü".encode())
    assert read_text(tmp_path / "file", 100) == "öäü"
