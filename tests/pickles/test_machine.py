"""The streaming reader against Python's own, and against pickles that mean harm."""

import collections
import io
import pickle
import random
import struct

import numpy as np
import pytest

from ntknas.core.errors import DataError
from ntknas.pickles.machine import PickleMachine
from ntknas.pickles.memo import GONE
from ntknas.pickles.rebuilders import REBUILDERS


def read(content, **options):
    return PickleMachine(io.BytesIO(content), REBUILDERS, **options).load()


def _texts(count, start=0):
    return [f"{name}@{epoch}" for name in ("x-valid", "ori-test") for epoch in range(start, start + count)]


def _plain(source):
    """A random object of the kinds that official files hold."""
    kind = source.randrange(11)
    if kind == 0:
        return {epoch: source.uniform(0, 100) for epoch in range(source.randrange(300))}
    if kind == 1:
        return {text: source.uniform(0, 100) for text in _texts(source.randrange(150))}
    if kind == 2:
        return collections.OrderedDict((epoch, source.random()) for epoch in range(source.randrange(30)))
    if kind == 3:
        return [source.choice([None, True, False, -5, 70_000, 2**40, -(2**70), 1.5, "é", ""]) for _ in range(9)]
    if kind == 4:
        scalars = [np.float64(1.25), np.float32(0.5), np.int64(-3), np.int32(7), np.bool_(True), np.uint8(255)]
        return source.choice(scalars)
    if kind == 5:
        return ("cifar10", source.randrange(1000))
    if kind == 6:
        return {"cifar10", source.randrange(5)}
    if kind == 7:
        return [0, 1.0] * source.randrange(20)
    return {f"key {place}": _plain(source) for place in range(source.randrange(4))}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("lanes", [True, False])
def test_it_reads_what_python_reads(protocol, lanes):
    source = random.Random(protocol)
    for _ in range(40):
        shared = _plain(source)
        content = pickle.dumps([_plain(source), shared, {"again": shared}, _texts(70), _texts(70)], protocol)
        assert read(content, lanes=lanes) == pickle.loads(content)


@pytest.mark.parametrize("shift", range(0, 40, 3))
def test_runs_that_cross_the_end_of_a_block(shift):
    """Blocks are read whole, so a run is cut at every possible place as the filler grows."""
    item = {text: float(place) for place, text in enumerate(_texts(3000))} | {0: 1.0}
    content = pickle.dumps(["z" * shift, {epoch: epoch / 7 for epoch in range(250)}, item, item.copy()], 2)
    assert PickleMachine(_InPieces(content, 1 << 12), REBUILDERS).load() == pickle.loads(content)


class _InPieces:
    def __init__(self, content, size):
        self.stream, self.size = io.BytesIO(content), size

    def read(self, count):
        return self.stream.read(min(count, self.size))


def test_finished_dictionaries_are_replaced_and_let_go():
    content = pickle.dumps({"a": {"big": list(range(2000)), "n": 1}, "b": {"big": [], "n": 2}}, 2)
    machine = PickleMachine(io.BytesIO(content), REBUILDERS, lambda d: d.get("n", d))
    assert machine.load() == {"a": 1, "b": 2}
    assert all(not isinstance(known, list) for known in machine.memo.objects.values())


def test_what_was_let_go_cannot_be_used_unnoticed():
    shared = [1, 2, 3]
    content = pickle.dumps([{"n": 1, "list": shared}, shared, "text"], 2)
    result = PickleMachine(io.BytesIO(content), REBUILDERS, lambda d: "small").load()
    assert result[0] == "small"
    assert result[1] is GONE
    assert "several entries share" in repr(GONE)


def test_shared_numbers_are_kept():
    shared = np.float64(0.25)
    content = pickle.dumps([{"n": shared}, {"n": shared}, shared], 2)
    result = PickleMachine(io.BytesIO(content), REBUILDERS, lambda d: ("seen", d["n"])).load()
    assert result == [("seen", 0.25), ("seen", 0.25), 0.25]


def test_several_pickles_in_one_stream():
    machine = PickleMachine(io.BytesIO(pickle.dumps(1, 2) + pickle.dumps({"a": 2}, 2)), REBUILDERS)
    assert [machine.load(), machine.at_end, machine.load(), machine.at_end] == [1, False, {"a": 2}, True]


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_a_pickle_that_is_cut_off(cut):
    content = pickle.dumps({"a": dict.fromkeys(range(20), 1.5), "b": [np.float64(2.0)] * 3}, 2)
    assert cut < len(content)
    with pytest.raises(DataError, match="damaged or cut off"):
        read(content[:cut])


def test_a_pickle_with_changed_bytes_reads_as_data_or_is_refused():
    content = pickle.dumps({"a": dict.fromkeys(range(20), 1.5), "b": [np.float64(2.0)], "c": ("x", 1)}, 2)
    source = random.Random(0)
    refused = 0
    for _ in range(1500):
        changed = bytearray(content)
        changed[source.randrange(len(changed))] = source.randrange(256)
        try:
            read(bytes(changed))
        except DataError:
            refused += 1
    assert refused > 300


def _absurd(opcode, count):
    return b"\x80\x02" + opcode + struct.pack("<I", count) + b"x."


@pytest.mark.parametrize(
    "content",
    [_absurd(b"X", 2**31), _absurd(b"B", 2**31), _absurd(b"\x8b", 2**31 - 1), b"\x80\x04\x8d" + b"\xff" * 8 + b"."],
)
def test_absurd_sizes(content):
    with pytest.raises(DataError, match="damaged"):
        read(content)


def test_numbers_out_of_order_are_refused():
    with pytest.raises(DataError, match="out of order"):
        read(b"\x80\x02}r\xff\xff\xff\x7f.")


def test_keys_of_nested_tuples_are_refused():
    """Python would hash them by recursion until the stack ends."""
    deep = b")" + b"\x85" * 100_000
    with pytest.raises(DataError, match="nested"):
        read(b"\x80\x02}" + deep + b"K\x01s.")
