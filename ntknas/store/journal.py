"""The journal: an append-only file of JSON lines, each behind its own checksum.

A line is eight hexadecimal digits of CRC-32, a space, JSON without line breaks, a line feed. It reaches the operating
system in one write before a score is reported as done, so a killed process loses nothing; the disk is asked to keep it
at least every ``SYNC_SECONDS``, so a power cut loses at most that much.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ntknas.core.errors import StoreError

FORMAT = "ntknas-journal"
VERSION = 1
SYNC_SECONDS = 2.0


@dataclass
class JournalContent:
    """What a journal says.

    Attributes:
        entries: The entries of its intact lines, in order, without the header.
        good_bytes: Length of the file up to the end of its last intact line.
        torn: Whether an unfinished line follows, the trace of a killed process.
        damaged: Numbers of lines in the middle whose checksum is wrong.
    """

    entries: list[dict[str, Any]] = field(default_factory=list)
    good_bytes: int = 0
    torn: bool = False
    damaged: list[int] = field(default_factory=list)


def encode(entry: Mapping[str, Any]) -> bytes:
    """Write an entry as a line."""
    text = json.dumps(entry, allow_nan=False, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _decode(line: bytes) -> dict[str, Any] | None:
    checksum, _, text = line.partition(b" ")
    try:
        return json.loads(text) if int(checksum, 16) == zlib.crc32(text) and len(checksum) == 8 else None
    except ValueError:
        return None


def read(path: Path) -> JournalContent:
    """Read a journal; an absent one is empty.

    Raises:
        StoreError: If the file is not a journal, or of another version.
    """
    content = JournalContent()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return content
    except OSError as error:
        raise StoreError(f"Cannot read the journal {path}: {error.strerror}.") from error
    position = 0
    for number, line in enumerate(data.splitlines(keepends=True), start=1):
        position += len(line)
        entry = _decode(line.rstrip(b"\n")) if line.endswith(b"\n") else None
        if entry is not None:
            content.entries.append(entry)
            content.good_bytes = position
        elif position == len(data):
            content.torn = True
        else:
            content.damaged.append(number)
    _check_header(path, content, empty=not data)
    return content


def _check_header(path: Path, content: JournalContent, *, empty: bool) -> None:
    if empty or (content.torn and not content.entries and not content.damaged):
        return
    header = content.entries.pop(0) if content.entries else {}
    if header.get("format") != FORMAT:
        raise StoreError(
            f"{path} is not a journal of ntknas, or its first line is damaged. Move it away and start again."
        )
    if header.get("version") != VERSION:
        raise StoreError(
            f"{path} is a journal of version {header.get('version')}, expected {VERSION}: use the version of ntknas "
            "that wrote it, or another --store."
        )


class JournalWriter:
    """Appends entries to a journal; one process at a time.

    Args:
        path: The file; made if absent, its torn last line cut off if there is one.

    Attributes:
        mended: Whether a torn last line was cut off.

    Raises:
        StoreError: If another process writes it, or it cannot be written.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise StoreError(f"Cannot write the journal {path}: {error.strerror}. Choose another --store.") from error
        try:
            self._lock()
            content = read(path)
        except StoreError:
            os.close(self._file)
            raise
        self._synced = time.monotonic()
        self.mended = content.torn
        if content.torn:
            os.ftruncate(self._file, content.good_bytes)
        if not content.good_bytes:
            self.append({"type": "header", "format": FORMAT, "version": VERSION})

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(
                f"Another process is writing {self.path}: wait for it, or give this one another --store."
            ) from error
        except OSError:  # a file system without locks: the user keeps writers apart
            return

    def append(self, entry: Mapping[str, Any]) -> None:
        """Append an entry; when this returns, a killed process no longer loses it.

        Raises:
            StoreError: If the disk is full or the file cannot be written; what was there before stays.
        """
        line = encode(entry)
        before = os.fstat(self._file).st_size
        try:
            while line:  # a disk that fills up takes a part, and refuses the rest
                line = line[os.write(self._file, line) :]
            self.sync(at_least_every=SYNC_SECONDS)
        except OSError as error:
            os.ftruncate(self._file, before)
            raise StoreError(
                f"Cannot write the journal {self.path}: {error.strerror}. Every score reported as done is kept; "
                "make room and run the same command again."
            ) from error

    def sync(self, at_least_every: float = 0.0) -> None:
        """Ask the disk to keep what was written, unless that was done within the last seconds."""
        if time.monotonic() - self._synced >= at_least_every:
            os.fsync(self._file)
            self._synced = time.monotonic()

    def clear(self) -> None:
        """Empty the journal, after its content has been compacted."""
        os.ftruncate(self._file, 0)
        self.append({"type": "header", "format": FORMAT, "version": VERSION})

    def close(self) -> None:
        """Release the file."""
        os.close(self._file)
