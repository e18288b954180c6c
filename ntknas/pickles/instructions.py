"""The instructions of pickles: what each does to the machine that executes it."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from ntknas.core.errors import DataError
from ntknas.pickles import memory as memory_of
from ntknas.pickles.keys import is_small

if TYPE_CHECKING:
    from ntknas.pickles.machine import PickleMachine

_MAX_TEXT = 1 << 26  # the pixels of a batch are one text where Python 3 wrote them in an old protocol
_MAX_BYTES = 1 << 28  # the images of a batch are one string of bytes
_MAX_OLD_TEXT = 256
_MAX_NUMBER = 1024  # bytes

Handler = Callable[["PickleMachine"], None]


def _push(value_of: Callable[[PickleMachine], object]) -> Handler:
    return lambda machine: machine.stack.append(value_of(machine))


def _push_empty(make: Callable[[], object], size: int) -> Handler:
    def push(machine: PickleMachine) -> None:
        machine.memory.hold(size)
        machine.stack.append(make())

    return push


def _skip(count: int) -> Handler:
    def skip(machine: PickleMachine) -> None:
        machine.source.take(count)

    return skip


def _small_integer(machine: PickleMachine) -> None:
    machine.stack.extend(machine.runs.of_small_integers() or [machine.source.take(1)[0]])


def _integer(size_bytes: int) -> Handler:
    def push(machine: PickleMachine) -> None:
        count = machine.source.take_unsigned(size_bytes)
        if count > _MAX_NUMBER:
            raise OverflowError(f"a number of {count} bytes")
        machine.stack.append(machine.source.take_signed(count))

    return push


def _read_float(machine: PickleMachine) -> float:
    (value,) = struct.unpack(">d", machine.source.take(8))
    return float(value)


def _read_text(machine: PickleMachine, length: int) -> str:
    if length > _MAX_TEXT:
        raise OverflowError(f"a text of {length} bytes")
    return machine.memo.intern(machine.source.take(length))


def _text(machine: PickleMachine) -> None:
    machine.stack.extend(machine.runs.of_new_texts() or [_read_text(machine, machine.source.take_unsigned(4))])


def _other_text(size_bytes: int) -> Handler:
    return _push(lambda machine: _read_text(machine, machine.source.take_unsigned(size_bytes)))


def _bytes(size_bytes: int) -> Handler:
    def push(machine: PickleMachine) -> None:
        length = machine.source.take_unsigned(size_bytes)
        if length > _MAX_BYTES:
            raise OverflowError(f"{length} bytes")
        machine.stack.append(machine.source.take(length))

    return push


def _python2_string(size_bytes: int) -> Handler:
    """Read a string of Python 2: text if it is short, as keys are, else bytes, as pixels are."""

    def push(machine: PickleMachine) -> None:
        length = machine.source.take_unsigned(size_bytes)
        content = machine.source.take(length) if length <= _MAX_BYTES else b""
        machine.stack.append(content.decode("latin1") if length <= _MAX_OLD_TEXT else content)

    return push


def _get(size_bytes: int) -> Handler:
    def get(machine: PickleMachine) -> None:
        pairs = machine.runs.of_known_texts()
        machine.stack.extend(pairs or [machine.memo.get(machine.source.take_unsigned(size_bytes))])

    return get


def _put(size_bytes: int) -> Handler:
    return lambda machine: machine.memo.put(machine.source.take_unsigned(size_bytes), machine.stack[-1])


def _memoize(machine: PickleMachine) -> None:
    machine.memo.put(len(machine.memo), machine.stack[-1])


def _set_items(machine: PickleMachine) -> None:
    machine.set_items(*machine.pop_mark())


def _set_item(machine: PickleMachine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    machine.set_items([key, value], None)


def _append_all(machine: PickleMachine) -> None:
    items, _ = machine.pop_mark()
    _list_on_top(machine).extend(items)


def _append(machine: PickleMachine) -> None:
    value = machine.stack.pop()
    _list_on_top(machine).append(value)


def _list_on_top(machine: PickleMachine) -> list[object]:
    target = machine.stack[-1]
    if type(target) is not list:
        raise TypeError("items for what is no list")
    return target


def _add_all(machine: PickleMachine) -> None:
    items, _ = machine.pop_mark()
    target = machine.stack[-1]
    if type(target) is not set or not all(type(item) is str or is_small(item) for item in items):
        raise TypeError("items for what is no set of names or numbers")
    target.update(items)


def _push_tuple(machine: PickleMachine, items: tuple[object, ...]) -> None:
    """Push a tuple, but not tuples in tuples in tuples: Python walks them by recursion, to the end of its stack."""
    if any(type(inner) is tuple for item in items if type(item) is tuple for inner in item):
        raise TypeError("tuples nested too deeply")
    machine.memory.hold(memory_of.TUPLE + memory_of.ITEM * len(items))
    machine.stack.append(items)


def _tuple_of_all(machine: PickleMachine) -> None:
    items, _ = machine.pop_mark()
    _push_tuple(machine, tuple(items))


def _tuple(count: int) -> Handler:
    def make(machine: PickleMachine) -> None:
        items = tuple(machine.stack[-count:])
        if len(items) != count:  # a slice of a stack that is too short raises nothing
            raise IndexError("too few items for a tuple")
        del machine.stack[-count:]
        _push_tuple(machine, items)

    return make


def _global(machine: PickleMachine) -> None:
    module, name = machine.source.take_line(), machine.source.take_line()
    machine.push_rebuilder(module, name)


def _stack_global(machine: PickleMachine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    if type(name) is not str or type(module) is not str:
        raise TypeError("a name that is no text")
    machine.push_rebuilder(module, name)


def _unknown(opcode: bytes) -> Handler:
    def refuse(machine: PickleMachine) -> None:
        raise DataError(f"it holds an instruction {opcode!r} that has no place in such a file")

    return refuse


# Without INST, OBJ, EXT and PERSID on purpose: they make or fetch what a file names.
_KNOWN: dict[bytes, Handler] = {
    pickle.PROTO: _skip(1),
    pickle.FRAME: _skip(8),
    pickle.MARK: lambda machine: machine.open_mark(),
    pickle.NONE: _push(lambda machine: None),
    pickle.NEWTRUE: _push(lambda machine: True),
    pickle.NEWFALSE: _push(lambda machine: False),
    pickle.BININT1: _small_integer,
    pickle.BININT2: _push(lambda machine: machine.source.take_unsigned(2)),
    pickle.BININT: _push(lambda machine: machine.source.take_signed(4)),
    pickle.LONG1: _integer(1),
    pickle.LONG4: _integer(4),
    pickle.BINFLOAT: _push(_read_float),
    pickle.BINUNICODE: _text,
    pickle.SHORT_BINUNICODE: _other_text(1),
    pickle.BINUNICODE8: _other_text(8),
    pickle.BINBYTES: _bytes(4),
    pickle.SHORT_BINBYTES: _bytes(1),
    pickle.BINBYTES8: _bytes(8),
    pickle.SHORT_BINSTRING: _python2_string(1),
    pickle.BINSTRING: _python2_string(4),
    pickle.EMPTY_DICT: _push_empty(dict, memory_of.DICTIONARY),
    pickle.EMPTY_LIST: _push_empty(list, memory_of.LIST),
    pickle.EMPTY_TUPLE: _push(lambda machine: ()),
    pickle.EMPTY_SET: _push_empty(set, memory_of.SET),
    pickle.TUPLE: _tuple_of_all,
    pickle.TUPLE1: _tuple(1),
    pickle.TUPLE2: _tuple(2),
    pickle.TUPLE3: _tuple(3),
    pickle.SETITEM: _set_item,
    pickle.SETITEMS: _set_items,
    pickle.APPEND: _append,
    pickle.APPENDS: _append_all,
    pickle.ADDITEMS: _add_all,
    pickle.BINPUT: _put(1),
    pickle.LONG_BINPUT: _put(4),
    pickle.MEMOIZE: _memoize,
    pickle.BINGET: _get(1),
    pickle.LONG_BINGET: _get(4),
    pickle.GLOBAL: _global,
    pickle.STACK_GLOBAL: _stack_global,
    pickle.REDUCE: lambda machine: machine.call(),
    pickle.NEWOBJ: lambda machine: machine.make(),
    pickle.BUILD: lambda machine: machine.build(),
}


def _refuse_more(machine: PickleMachine) -> None:
    raise OverflowError("too many objects at once")


STOP = ord(pickle.STOP)
TOO_MANY = 256
"""Stands in the place of an opcode where the stack is full."""
HANDLERS: list[Handler] = [
    *(_KNOWN.get(bytes([opcode]), _unknown(bytes([opcode]))) for opcode in range(256)),
    _refuse_more,
]
