"""The journal: an append-only file of JSON lines, each behind its own checksum.

A line is eight hexadecimal digits of CRC-32, a space, JSON without line breaks, a line feed. It reaches the operating
system in one write before a score is reported as done, so a killed process loses nothing; the disk is asked to keep it
at least every ``SYNC_SECONDS``, so a power cut loses at most that much. Every line says its number, so that one that
was taken out is missed.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ntknas.core.errors import StoreError
from ntknas.core.files import copy_aside
from ntknas.core.regular_file import WITHOUT_LINKS, check_regular, open_regular
from ntknas.store.faults import ForeignFileError, StoreVersionError
from ntknas.store.schema import parse

FORMAT = "ntknas-journal"
VERSION = 1
SYNC_SECONDS = 2.0
MAX_LINE = 1 << 26
"""Bytes that a line may have; no memory is spent on longer ones."""
KINDS = ("setting", "run", "scores", "unit")
"""Types of entries, of stores and of studies."""
_SEAM = re.compile(rb"\}.([0-9a-f]{8} \{)", re.DOTALL)
"""Where one entry ends and the next one begins, but for the line feed."""
_MAX_JUDGED = 10_000
_BLOCK = 1 << 20


@dataclass
class JournalContent:
    """What a journal says.

    Attributes:
        entries: The entries of its intact lines, in order, without the header; empty where they are streamed.
        numbers: The number of each one's line.
        torn: Whether an unfinished line follows, the trace of a killed process.
        damaged: Numbers of lines whose checksum is wrong.
        missing: Lines that were taken out, by the numbers of those that follow.
        joined: Lines that stand behind another one, since its line feed was changed.
        size: Bytes that were read.
    """

    entries: list[dict[str, object]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    torn: bool = False
    damaged: list[int] = field(default_factory=list)
    missing: int = 0
    joined: int = 0
    size: int = 0


def encode(entry: Mapping[str, object]) -> bytes:
    """Write an entry as a line."""
    text = json.dumps(entry, allow_nan=False, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _header() -> dict[str, object]:
    return {"type": "header", "format": FORMAT, "version": VERSION}


def _decode(line: bytes) -> dict[str, object] | None:
    checksum, _, text = line.partition(b" ")
    try:
        entry = parse(text) if len(checksum) == 8 and int(checksum, 16) == zlib.crc32(text) else None
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def read(path: Path) -> JournalContent:
    """Read a journal; an absent one is empty.

    Args:
        path: The file.

    Returns:
        What it says.

    Raises:
        StoreError: If the file is not a journal, of another version, or cannot be read.
    """
    content = JournalContent()
    for number, entry in stream(path, content):
        content.entries.append(entry)
        content.numbers.append(number)
    return content


def stream(path: Path, content: JournalContent) -> Iterator[tuple[int, dict[str, object]]]:
    """Read a journal line by line; an absent one is empty.

    Args:
        path: The file.
        content: Takes what is said of the file as a whole; complete once the last entry was yielded.

    Yields:
        The number of each intact line, and its entry.

    Raises:
        StoreError: If the file is not a journal, of another version, or cannot be read.
    """
    try:
        with open_regular(path, follow=False) as file:
            check_ours(path, file)
            for number, (size, line) in enumerate(_lines(file), start=1):
                content.size += size
                for entry in _judged(number, line, content):
                    if entry.get("type") != "header":
                        yield number, entry
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(
            f"Cannot read the journal {path}: {error.strerror or error}. A store's journal is a plain file beside it "
            "that you may read."
        ) from error


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the size of every line, and the line; of one that is too long, a line feed alone."""
    while line := file.readline(MAX_LINE):
        size = len(line)
        if size == MAX_LINE and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE)
                size += len(line)
            line = line[-1:]
        yield size, line


def _judged(number: int, line: bytes, content: JournalContent) -> Iterator[dict[str, object]]:
    """Yield the entry of a line, and note what is wrong with it; two if the line feed of one of them was changed."""
    is_whole = line.endswith(b"\n")
    if not is_whole and not _lost_its_end(line):
        content.torn = True
        return
    pieces = _pieces(line[:-1] if is_whole else line)
    entries = [entry for piece in pieces if (entry := _decode(piece)) is not None]
    if len(entries) != 1 or len(b"".join(pieces)) < len(line) - 1 or not is_whole:
        content.damaged.append(number)
    for entry in entries:
        own_number = entry.pop("line", None)
        if isinstance(own_number, int):
            # The largest, not the sum: every later line shows the same gap again.
            content.missing = max(content.missing, own_number - number - content.joined)
        yield entry
    content.joined += max(0, len(entries) - 1)


def _lost_its_end(line: bytes) -> bool:
    """Return whether a line is whole but for its line feed, which was changed: a killed process leaves less."""
    return _decode(line[:-1]) is not None


def _pieces(line: bytes) -> list[bytes]:
    """Return a line, or what stands on both sides of a changed line feed in it."""
    if _decode(line) is not None:
        return [line]
    if _lost_its_end(line):
        return [line[:-1]]
    seam = _SEAM.search(line)
    return [line[: seam.start() + 1], line[seam.start(1) :]] if seam else [line]


def check_ours(path: Path, file: BinaryIO) -> None:
    """Check that an open file is a journal: empty, with our header, or mostly of lines whose checksums are right.

    Args:
        path: Its path, for messages.
        file: The file.

    Raises:
        ForeignFileError: If it is somebody else's, or too little of it is left to tell.
        StoreVersionError: If it is of another version.
    """
    first = file.readline(MAX_LINE)
    entry = _decode(first[:-1]) if first.endswith(b"\n") else None
    if entry is not None and entry.get("format") == FORMAT and entry.get("version") != VERSION:
        raise StoreVersionError(
            f"{path} is a journal of version {str(entry.get('version'))[:20]}, expected {VERSION}: use the version of "
            "ntknas that wrote it, or another `store`."
        )
    has_header = entry is not None and entry.get("format") == FORMAT
    has_begun = encode(_header()).startswith(first)  # by a process that was killed, or not at all
    file.seek(0)
    if not has_header and not has_begun and not _is_mostly_right(file):
        raise ForeignFileError(
            f"{path} is not a journal of ntknas, or too much of it is damaged to tell. Move it away and start again, "
            "or choose another `store`."
        )
    file.seek(0)


def _is_mostly_right(file: BinaryIO) -> bool:
    """Return whether more than half of the first lines have their checksum, and a type that we write."""
    right = judged = 0
    while judged < _MAX_JUDGED and (line := file.readline(MAX_LINE)):
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            break
        entry = _decode(line[:-1]) if line.endswith(b"\n") else None
        right += entry is not None and entry.get("type") in KINDS
        judged += 1
    return 2 * right > judged


class JournalWriter:
    """Appends entries to a journal; one process at a time.

    Args:
        path: The file; made if absent. Its torn last line is cut off if there is one, and nothing is written to a file
            that is not known to be a journal.

    Attributes:
        mended: Whether a torn last line was cut off.

    Raises:
        StoreError: If another process writes it, it is somebody else's, or it cannot be written.
    """

    def __init__(self, path: Path):
        self.path = path
        self.mended = False
        self._synced = time.monotonic()
        try:
            check_regular(path, follow=False)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | WITHOUT_LINKS
            self._file = os.open(path, flags, 0o644)
        except OSError as error:
            reason = error.strerror or str(error)
            raise StoreError(f"Cannot write the journal {path}: {reason}. Choose another `store`.") from error
        try:
            self._lock()
            self._begin()
        except BaseException:
            os.close(self._file)
            raise

    def _lock(self) -> None:
        if not _locks(self._file):
            raise StoreError(f"Another process is writing {self.path}: wait for it, or give this one another `store`.")

    def _begin(self) -> None:
        """Count the lines, cut off what a killed process left of one, and write the header of a new file."""
        with os.fdopen(os.dup(self._file), "rb") as file:  # shares our offset; O_APPEND writes at the end all the same
            check_ours(self.path, file)
            self._lines, end_of_lines, size = _extent(file)
            file.seek(end_of_lines)
            last = file.read() if size - end_of_lines <= MAX_LINE else b""
        if last and _lost_its_end(last):
            os.write(self._file, b"\n")  # what the line feed was changed to stays: readers leave it out
            self._lines += 1
            return
        if end_of_lines < size:
            self.mended = True
            os.ftruncate(self._file, end_of_lines)
        if not end_of_lines:
            self._write(encode(_header()))

    def append(self, entry: Mapping[str, object]) -> None:
        """Append an entry; when this returns, a killed process no longer loses it.

        Args:
            entry: Plain data.

        Raises:
            StoreError: If the disk is full or the file cannot be written; what was there before stays.
            ValueError: If the entry holds a number that is none.
        """
        self._write(encode({**entry, "line": self._lines + 1}))

    def _write(self, line: bytes) -> None:
        status = os.fstat(self._file)
        if not status.st_nlink:
            raise StoreError(
                f"The journal {self.path} was removed while it was written: scores that were reported as done are "
                "gone with it. Run the same command again, and leave the files beside the store alone meanwhile."
            )
        try:
            while line:  # a disk that fills up takes a beginning, and refuses what follows
                line = line[os.write(self._file, line) :]
            self.sync(at_least_every=SYNC_SECONDS)
        except OSError as error:
            os.ftruncate(self._file, status.st_size)  # else the next entry would follow half of this one
            raise StoreError(
                f"Cannot write the journal {self.path}: {error.strerror}. Every score reported as done is kept; "
                "make room and run the same command again."
            ) from error
        self._lines += 1

    def sync(self, at_least_every: float = 0.0) -> None:
        """Ask the disk to keep what was written, unless that was done within the last seconds."""
        if time.monotonic() - self._synced >= at_least_every:
            os.fsync(self._file)
            self._synced = time.monotonic()

    def clear(self) -> None:
        """Empty the journal, after its content has been compacted."""
        os.ftruncate(self._file, 0)
        self._lines = 0
        self._write(encode(_header()))

    def close(self) -> None:
        """Release the file."""
        os.close(self._file)


def _locks(handle: int) -> bool:
    """Lock a file for one writer; return whether no other has it."""
    try:
        # Not lockf: such a lock is lost when this process closes any descriptor of the file, as each reader does.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: the user keeps writers apart
        return True
    return True


def _extent(file: BinaryIO) -> tuple[int, int, int]:
    """Return the number of lines, where the last one ends, and the size of a file."""
    lines = end_of_lines = size = 0
    while block := file.read(_BLOCK):
        lines += block.count(b"\n")
        if b"\n" in block:
            end_of_lines = size + block.rindex(b"\n") + 1
        size += len(block)
    return lines, end_of_lines, size


def is_written(path: Path) -> bool:
    """Return whether another process writes a journal.

    Args:
        path: The journal; nobody writes an absent one.

    Returns:
        Whether it is locked.

    Raises:
        StoreError: If it cannot be opened.
    """
    try:
        with open_regular(path, follow=False) as file:
            return not _locks(file.fileno())  # closing the file gives the lock back
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"Cannot read the journal {path}: {error.strerror or error}.") from error


def retire(path: Path, size: int, *, keep_copy: bool) -> Path | None:
    """Remove a journal whose content is safe elsewhere, unless a process writes it or has written more by now.

    Args:
        path: The journal.
        size: Bytes of it that are safe.
        keep_copy: Whether to copy it aside before, for what could not be taken.

    Returns:
        The copy, if one was made.

    Raises:
        OSError: If it cannot be copied; it then stays.
    """
    with suppress(FileNotFoundError), open_regular(path, follow=False) as file:
        if not _locks(file.fileno()) or os.fstat(file.fileno()).st_size != size:
            return None
        copy = copy_aside(path) if keep_copy else None
        path.unlink()
        return copy
    return None
