"""Runs of (key, float) pairs, which large files consist of, read in one step each."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ntknas.pickles.memo import Memo
from ntknas.pickles.source import ByteSource

_MIN_PAIRS = 4  # shorter runs are quicker read by their instructions

# K is BININT1, G BINFLOAT, j LONG_BINGET, h BINGET, X BINUNICODE and r LONG_BINPUT.
_INT_KEYS = re.compile(rb"(?:K.G.{8}){%d,}" % _MIN_PAIRS, re.DOTALL)
_INT_PAIR = np.dtype([("op", "u1"), ("key", "u1"), ("float", "u1"), ("value", ">f8")])
_OLD_KEYS = re.compile(rb"(?:(?:j.{4}|h.)G.{8}){%d,}" % _MIN_PAIRS, re.DOTALL)
_OLD_PAIR = re.compile(rb"(?:j(.{4})|h(.))G(.{8})", re.DOTALL)
# Of 8 to 12 bytes: from x-test@0 to ori-test@199, the keys of evaluations.
_NEW_KEYS = re.compile(
    rb"(?:X(?:\x08\0\0\0.{8}|\x09\0\0\0.{9}|\x0a\0\0\0.{10}|\x0b\0\0\0.{11}|\x0c\0\0\0.{12})r.{4}G.{8}){%d,}"
    % _MIN_PAIRS,
    re.DOTALL,
)
_NEW_PAIR = re.compile(
    rb"X(?:\x08\0\0\0(.{8})|\x09\0\0\0(.{9})|\x0a\0\0\0(.{10})|\x0b\0\0\0(.{11})|\x0c\0\0\0(.{12}))r(.{4})G(.{8})",
    re.DOTALL,
)


class Runs:
    """Looks for runs where an instruction may begin one.

    A method returns the pairs as keys and values in turn and moves the source behind them; it returns None and moves
    nothing where there is no run.

    Args:
        source: The bytes.
        memo: The numbered objects.

    Attributes:
        scanned: Bytes that were looked at for runs.
    """

    def __init__(self, source: ByteSource, memo: Memo) -> None:
        self._source, self._memo = source, memo
        self._singly_until = 0  # place in the stream up to which no run is looked for
        self.scanned = 0

    def of_small_integers(self) -> list[object] | None:
        """Read integers of one byte with floats."""
        run = self._match(_INT_KEYS)
        if run is None:
            return None
        count = (run.end() - run.start()) // _INT_PAIR.itemsize
        pairs = np.frombuffer(self._source.data, _INT_PAIR, count, run.start())
        return self._take(run, pairs["key"].tolist(), pairs["value"].tolist())

    def of_known_texts(self) -> list[object] | None:
        """Read texts that were numbered before with floats."""
        run = self._match(_OLD_KEYS)
        if run is None:
            return None
        pairs = _OLD_PAIR.findall(self._source.data, run.start(), run.end())
        entries = [self._memo.entries[int.from_bytes(long or short, "little")] for long, short, _ in pairs]
        if min(entries) < 0:  # a key that is no text
            self._leave(run)
            return None
        texts = self._memo.texts
        return self._take(run, [texts[entry] for entry in entries], _floats([value for _, _, value in pairs]))

    def of_new_texts(self) -> list[object] | None:
        """Read texts that are numbered here with floats."""
        run = self._match(_NEW_KEYS)
        if run is None:
            return None
        pairs = _NEW_PAIR.findall(self._source.data, run.start(), run.end())
        numbers = np.frombuffer(b"".join([pair[5] for pair in pairs]), "<u4")
        # Taken singly, what is numbered out of order is refused by the memo.
        if not np.array_equal(numbers, np.arange(len(self._memo), len(self._memo) + len(pairs))):
            self._leave(run)
            return None
        entries = [self._memo.numbers[a or b or c or d or e] for a, b, c, d, e, _, _ in pairs]
        self._memo.entries.extend(entries)
        texts = self._memo.texts
        return self._take(run, [texts[entry] for entry in entries], _floats([pair[6] for pair in pairs]))

    def _match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Return the run that starts with this instruction, if there is one and none failed here before."""
        first = self._source.at - 1
        if self._source.start + first < self._singly_until:
            return None
        run = pattern.match(self._source.data, first)
        self.scanned += 1 if run is None else run.end() - first
        return run

    def _leave(self, run: re.Match[bytes]) -> None:
        """Leave a run to its single instructions: to look for a run at each of them would take its length squared."""
        self._singly_until = self._source.start + run.end()

    def _take(self, run: re.Match[bytes], keys: Sequence[object], values: Sequence[float]) -> list[object]:
        self._source.at = run.end()
        items: list[object] = [None] * (2 * len(keys))
        items[::2], items[1::2] = keys, values
        return items


class NoRuns(Runs):
    """Finds none, so that every instruction is taken singly."""

    def _match(self, pattern: re.Pattern[bytes]) -> None:
        return None


def _floats(content: list[bytes]) -> list[float]:
    values: list[float] = np.frombuffer(b"".join(content), ">f8").tolist()
    return values
