"""The bytes of a stream, a block at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

CHUNK = 1 << 22
"""Bytes of a block."""
_MAX_LINE = 256


class ByteSource:
    """A stream as one block of bytes that moves along.

    Args:
        stream: The stream.
        consumed: Called with the number of bytes of every block.

    Attributes:
        data: The block at hand.
        at: Where reading goes on in it.
        start: Where the block begins in the stream.
        ended: Whether the stream has no more bytes.
    """

    def __init__(self, stream: BinaryIO, consumed: Callable[[int], None]) -> None:
        self._stream, self._consumed = stream, consumed
        self.data, self.at, self.start, self.ended = b"", 0, 0, False

    @property
    def at_end(self) -> bool:
        """Whether nothing is left to read."""
        if self.at >= len(self.data) and not self.ended:
            self.fill()
        return self.at >= len(self.data)

    def fill(self, size: int = 0) -> None:
        """Append a block, of at least that size if the stream has it, and forget what was read."""
        block = self._stream.read(max(size, CHUNK))
        self.ended = not block  # a short block is not yet the end
        self.data = self.data[self.at :] + block
        self.start += self.at
        self.at = 0
        self._consumed(len(block))

    def take(self, count: int) -> bytes:
        """Return the next bytes.

        Args:
            count: How many.

        Returns:
            So many bytes.

        Raises:
            IndexError: If the stream ends before.
        """
        while len(self.data) - self.at < count:
            if self.ended:
                raise IndexError("the file ends here")
            self.fill(count)
        first = self.at
        self.at += count
        return self.data[first : self.at]

    def take_unsigned(self, count: int) -> int:
        """Return a number of so many bytes without a sign."""
        return int.from_bytes(self.take(count), "little")

    def take_signed(self, count: int) -> int:
        """Return a number of so many bytes with a sign."""
        return int.from_bytes(self.take(count), "little", signed=True)

    def take_line(self) -> str:
        """Return the next line, without its end.

        Returns:
            ASCII text.

        Raises:
            ValueError: If there is no end near, or the text is not ASCII.
        """
        # No fill before: the machine keeps far more bytes than a line in front of every instruction.
        newline = self.data.find(b"\n", self.at, self.at + _MAX_LINE)
        if newline < 0:
            raise ValueError("a name without an end")
        return self.take(newline + 1 - self.at)[:-1].decode("ascii")
