"""What the objects of a pickle may take, by the bytes that were read of it: one byte can ask for 216."""

from __future__ import annotations

from ntknas.core.errors import DataError

DICTIONARY, LIST, SET, TUPLE, ITEM, NUMBERED, TEXT = 64, 56, 216, 56, 8, 100, 160
"""Bytes of an empty container, an entry of one, an object's place in the memo, a text beside its letters."""

_BASE = 1 << 26
_SMALL_FILE = 1 << 25
_TIMES_OF_SMALL_FILES = 24
_TIMES_OF_LARGE_FILES = 1


class PickleMemory:
    """Counts the bytes that objects take and compares them with what a file of this size can need.

    Attributes:
        held: Bytes of objects that are let go with the dictionary they were built for.
        kept: Bytes of what is remembered to the end, such as texts.
        allowed: Bytes that both may come to.
    """

    def __init__(self) -> None:
        self.held = 0
        self.kept = 0
        self.allowed = _BASE
        self._read = 0

    def read(self, count: int) -> None:
        """Take note of bytes that were read."""
        self._read += count
        small = min(self._read, _SMALL_FILE)
        self.allowed = _BASE + _TIMES_OF_SMALL_FILES * small + _TIMES_OF_LARGE_FILES * (self._read - small)

    def hold(self, size: int) -> None:
        """Count an object.

        Raises:
            DataError: If it is too much.
        """
        self.held += size
        self._check()

    def keep(self, size: int) -> None:
        """Count something that is remembered.

        Raises:
            DataError: If it is too much.
        """
        self.kept += size
        self._check()

    def _check(self) -> None:
        if self.held + self.kept > self.allowed:
            raise DataError("it is damaged: it asks for more memory than a file of its size can need")
