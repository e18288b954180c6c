"""Bounds the memory of a pickle's objects by the bytes that were read of it: one byte can ask for 216."""

from __future__ import annotations

from ntknas.core.errors import DataError

DICTIONARY, LIST, SET, TUPLE, ITEM, NUMBERED, TEXT = 64, 56, 216, 56, 8, 100, 160
"""Bytes of an empty container, an entry of one, an object's place in the memo, a text beside its letters."""

_BASE = 1 << 26
_FIRST_BYTES = 1 << 25
_PER_FIRST_BYTE = 24  # small files may be all containers
_PER_FURTHER_BYTE = 1  # large ones are mostly numbers, and what is built of them is let go


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
        first = min(self._read, _FIRST_BYTES)
        self.allowed = _BASE + _PER_FIRST_BYTE * first + _PER_FURTHER_BYTE * (self._read - first)

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
