"""Small pickles that would fill the memory or take forever, by what is counted and not by the clock."""

from __future__ import annotations

import io
import pickle
import struct

import pytest

from ntknas.core.errors import DataError
from ntknas.pickles import machine as pickle_machine
from ntknas.pickles import memory as pickle_memory
from ntknas.pickles import source as pickle_source
from ntknas.pickles.machine import PickleMachine
from ntknas.pickles.rebuilders import REBUILDERS

MODULUS = 2**61 - 1
"""Python's hash of a whole number is its remainder by this."""


def _machine(content: bytes) -> PickleMachine:
    return PickleMachine(io.BytesIO(b"\x80\x04" + content), REBUILDERS)


def _long(value: int) -> bytes:
    content = value.to_bytes(16, "little", signed=True)
    return b"\x8a\x10" + content


def _set_of(count: int) -> bytes:
    """A list of numbers in the memo, from which sets are made again and again."""
    items = b"".join(b"J" + struct.pack("<i", number) for number in range(count))
    return b"cbuiltins\nset\n\x94](" + items + b"e\x94" + b"h\x00h\x01\x85R" * 20_000


MEMORY_BOMBS = {
    "empty sets": b"](" + (b"\x8f" * 30_000 + b"e(") * 4,
    "empty sets in lists": b"](" * 60 + b"\x8f" * 60_000,
    "empty lists": (b"](" + b"]" * 30_000 + b"e") * 8,
    "empty dictionaries": (b"](" + b"}" * 30_000 + b"e") * 8,
    "one object numbered without end": b"]" + b"\x94" * 300_000,
    "sets made of one list": _set_of(10_000),
    "bytes made of one text": b"c_codecs\nencode\n\x94X"
    + struct.pack("<I", 1 << 16)
    + b"x" * (1 << 16)
    + b"\x94\x8c\x06latin1\x94"
    + b"h\x00h\x01h\x02\x86R" * 2_000,
    "tuples": b"](" + b"N\x85\x94" * 60_000,
}


@pytest.mark.parametrize("name", list(MEMORY_BOMBS))
def test_memory_is_in_proportion_to_the_file(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_memory, "_BASE", 1 << 20)
    monkeypatch.setattr(pickle_source, "CHUNK", 1 << 12)
    monkeypatch.setattr(pickle_machine, "_MARGIN", 1 << 10)
    content = MEMORY_BOMBS[name]
    machine = _machine(content + b".")
    with pytest.raises(DataError, match="more memory than a file of its size can need"):
        machine.load()
    assert machine.memory.held + machine.memory.kept < (1 << 20) + 24 * len(content) + (1 << 20)


HASHES = {
    "whole numbers": [_long(number * MODULUS) for number in range(1, 200)],
    "negative ones": [_long(-number * MODULUS) for number in range(1, 200)],
    "tuples of them": [_long(number * MODULUS) + b"\x85" for number in range(1, 200)],
    "tuples of two numbers": [b"J" + struct.pack("<i", number) + b"K\x01\x86" for number in range(200)],
    "tuples of many": [b"(" + b"\x8c\x01a" * 5 + b"t"] * 3,
}


@pytest.mark.parametrize("name", list(HASHES))
def test_no_keys_whose_hashes_a_file_can_choose(name: str) -> None:
    keys = HASHES[name]
    with pytest.raises(DataError, match="a key that is no name or number"):
        _machine(b"}(" + b"".join(key + b"N" for key in keys) + b"u.").load()


def test_no_items_of_sets_whose_hashes_a_file_can_choose() -> None:
    many = b"".join(HASHES["whole numbers"])
    with pytest.raises(DataError, match="no set of names or numbers"):
        _machine(b"\x8f(" + many + b"\x90.").load()
    with pytest.raises(DataError, match="a set of something else than names and numbers"):
        _machine(b"cbuiltins\nset\n](" + many + b"e\x85R.").load()


def test_honest_keys_are_read() -> None:
    honest = {("cifar10", 777): 1, ("cifar10-valid", 888): {2**59, -5}, 2**31: 0.5, None: b"x", True: "y", 1.5: ()}
    assert _machine(pickle.dumps(honest, 4)[2:]).load() == honest


def test_a_key_that_comes_twice_is_refused() -> None:
    for pairs in (b"(\x8c\x01aK\x01\x8c\x01aK\x02u", b"\x8c\x01aK\x01s\x8c\x01aK\x02s"):
        with pytest.raises(DataError, match="a key twice"):
            _machine(b"}" + pairs + b".").load()


def _run_of_new_keys(count: int, first: int) -> bytes:
    """Pairs of new texts, numbered from ``first`` on, and numbers."""
    pairs = (
        b"X\x08\0\0\0" + f"{number:08d}".encode() + b"r" + struct.pack("<I", first + number) + b"G" + bytes(8)
        for number in range(count)
    )
    return b"".join(pairs)


RUNS = {
    "new keys, the last out of order": b"}("
    + _run_of_new_keys(3000, 0)
    + _run_of_new_keys(1, 7)[:-9]
    + b"G"
    + bytes(8),
    "known keys, one of them no text": b"]\x94}\x94("
    + b"".join(b"X\x01\0\0\0" + bytes([65 + place]) + b"\x94G" + bytes(8) for place in range(9))
    + (b"h\x02G" + bytes(8)) * 3000
    + b"h\x00G"
    + bytes(8),
}


@pytest.mark.parametrize("name", list(RUNS))
def test_a_run_that_is_none_after_all_is_looked_at_once(name: str) -> None:
    content = RUNS[name]
    machine = _machine(content + b"u.")
    with pytest.raises(DataError):
        machine.load()
    assert 0 < machine.runs.scanned <= 2 * len(content)


def test_runs_after_one_that_was_none_are_read_as_runs() -> None:
    """Across the ends of blocks too, where places in the data change."""
    bad = b"]\x94}(" + (b"h\x00G" + bytes(8)) * 1
    good = b"".join(b"K" + bytes([number]) + b"G" + bytes(8) for number in range(200))
    with pytest.raises(DataError, match="a key that is no name"):
        _machine(bad + good + b"u.").load()
    machine = _machine(b"](}(" + good + b"ue.")
    assert machine.load() == [dict.fromkeys(range(200), 0.0)]
    assert machine.runs.scanned == len(good)
