"""A reader of pickles that are too large for memory: it runs nothing, and lets go of what it was told is finished.

Python's own unpickler builds the whole object, some 20 GB for the 4.7 GB of NAS-Bench-201. This one executes the same
instructions, but

* hands every finished dictionary to a function, which may put something small in its place; whatever was built for that
  dictionary is let go;
* knows no instruction that imports or calls anything but the rebuilders it is given;
* reads runs of (key, float) pairs, which such files consist of, in one step each (``lanes``);
* holds no more than a file of its size can need (``PickleMemory``), and takes no keys whose hashes can be made alike.

What a later part of the pickle refers to, although it was let go, becomes ``GONE``: to use it is an error.
"""

from __future__ import annotations

import re
import struct
from array import array
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ntknas.core.errors import DataError
from ntknas.pickles import memory as memory_of
from ntknas.pickles.memory import PickleMemory
from ntknas.pickles.rebuilders import BUILT, ByteArray

_CHUNK = 1 << 22
_MARGIN = 1 << 16
_LONGEST_TEXT = 1 << 26  # the pixels of a batch are one text where Python 3 wrote them in an old protocol
_LONGEST_OLD_TEXT = 256
_LARGEST_KEY = 60  # bits: below Python's modulus of hashes, so that no two numbers have one
_LONGEST_KEY = 4  # parts of a tuple
_LONGEST_BYTES = 1 << 28  # the images of a batch are one string of bytes
_HIGHEST_STACK = 1 << 16  # picklers put a thousand items at a time into a container
_DEEPEST = 64
_FEWEST = 4  # shorter runs are not worth a lane

_INT_KEYS = re.compile(rb"(?:K.G.{8}){%d,}" % _FEWEST, re.DOTALL)
_OLD_KEYS = re.compile(rb"(?:(?:j.{4}|h.)G.{8}){%d,}" % _FEWEST, re.DOTALL)
_OLD_KEY = re.compile(rb"(?:j(.{4})|h(.))G(.{8})", re.DOTALL)
_NEW_KEYS = re.compile(
    rb"(?:X(?:\x08\0\0\0.{8}|\x09\0\0\0.{9}|\x0a\0\0\0.{10}|\x0b\0\0\0.{11}|\x0c\0\0\0.{12})r.{4}G.{8}){%d,}" % _FEWEST,
    re.DOTALL,
)
_NEW_KEY = re.compile(
    rb"X(?:\x08\0\0\0(.{8})|\x09\0\0\0(.{9})|\x0a\0\0\0(.{10})|\x0b\0\0\0(.{11})|\x0c\0\0\0(.{12}))r(.{4})G(.{8})",
    re.DOTALL,
)
_INT_ITEM = np.dtype([("op", "u1"), ("key", "u1"), ("float", "u1"), ("value", ">f8")])

Rebuilders = Mapping[tuple[str, str], Callable[..., Any]]


class _Gone:
    """Stands for an object that was let go."""

    def __repr__(self) -> str:
        return "an object that several entries share"


GONE = _Gone()


class _Mark(NamedTuple):
    """The state at an open bracket: the stack around it, the objects known so far and the bytes that they take."""

    stack: list[Any]
    objects: int
    held: int


class _TextNumbers(dict[bytes, int]):
    """Numbers of texts, each kept once."""

    def __init__(self, memory: PickleMemory) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._memory = memory

    def __missing__(self, content: bytes) -> int:
        self._memory.keep(memory_of.TEXT + 2 * len(content))
        self.texts.append(content.decode("utf-8", "surrogatepass"))
        self[content] = number = len(self.texts) - 1
        return number


class PickleMachine:
    """Reads pickles from a stream, one after the other.

    Args:
        stream: The stream.
        rebuilders: What the names that a pickle may ask for stand for.
        finished: Called with every dictionary after items were put into it; returns it, or what stands in its place.
        lanes: Whether runs of pairs are read in one step; without, every instruction is taken singly.
        consumed: Called with the number of bytes read now and then.

    Attributes:
        memory: What the objects take.
        scanned: Bytes that were looked at for runs.
    """

    def __init__(
        self,
        stream: BinaryIO,
        rebuilders: Rebuilders,
        finished: Callable[[dict[Any, Any]], Any] = lambda items: items,
        *,
        lanes: bool = True,
        consumed: Callable[[int], None] = lambda count: None,
    ):
        self._stream, self._rebuilders, self._finished = stream, rebuilders, finished
        self._lanes, self._consumed = lanes, consumed
        self._data, self._at, self._ended = b"", 0, False
        self._singly_until = 0  # place in the data up to which no run is looked for
        self.memory, self.scanned = PickleMemory(), 0
        self._reset()

    def _reset(self) -> None:
        self._stack: list[Any] = []
        self._marks: list[_Mark] = []
        self._numbers = _TextNumbers(self.memory)
        self._memo = array("i")  # number of a text, or minus one minus the number of an object
        self._objects: dict[int, Any] = {}
        self._object_count = 0

    def load(self) -> Any:
        """Return the object of the next pickle.

        Raises:
            DataError: If it is damaged, ends early or asks for anything that does not belong in such a file.
        """
        self._reset()
        try:
            while True:
                if len(self._data) - self._at < _MARGIN and not self._ended:
                    self._fill()
                opcode = self._data[self._at]
                self._at += 1
                if opcode == _STOP:
                    return self._stack.pop()
                _HANDLERS[opcode if len(self._stack) < _HIGHEST_STACK else _TOO_MANY](self)
        except _UnknownInstructionError as error:
            raise DataError(f"it holds an instruction {error.args[0]!r} that has no place in such a file") from error
        except (
            IndexError,
            TypeError,
            ValueError,
            KeyError,
            OverflowError,
            AttributeError,
            RecursionError,
            struct.error,
        ) as error:
            raise DataError(f"it is damaged or cut off ({type(error).__name__}: {error})") from error
        except MemoryError as error:
            raise DataError("it is damaged: it asks for impossible sizes") from error
        finally:
            self._stack, self._marks = [], []

    @property
    def at_end(self) -> bool:
        """Whether nothing is left in the stream."""
        if self._at >= len(self._data) and not self._ended:
            self._fill()
        return self._at >= len(self._data)

    def _fill(self, least: int = _CHUNK) -> None:
        block = self._stream.read(max(least, _CHUNK))
        self._ended = not block
        self._data = self._data[self._at :] + block
        self._singly_until -= self._at
        self._at = 0
        self.memory.read(len(block))
        self._consumed(len(block))

    def _take(self, count: int) -> bytes:
        while len(self._data) - self._at < count:
            if self._ended:
                raise IndexError("the file ends here")
            self._fill(count)
        start = self._at
        self._at += count
        return self._data[start : self._at]

    def _take_line(self) -> str:
        end = self._data.find(b"\n", self._at, self._at + 256)
        if end < 0:
            raise ValueError("a name without an end")
        return self._take(end + 1 - self._at)[:-1].decode("ascii")

    def _text(self, length: int) -> None:
        if length > _LONGEST_TEXT:
            raise OverflowError(f"a text of {length} bytes")
        self._stack.append(self._numbers.texts[self._numbers[self._take(length)]])

    def _bytes(self, length: int) -> None:
        if length > _LONGEST_BYTES:
            raise OverflowError(f"{length} bytes")
        self._stack.append(self._take(length))

    def _old_bytes(self, length: int) -> None:
        """A string of Python 2: text if it is short, as keys are, else bytes, as pixels are."""
        content = self._take(length) if length <= _LONGEST_BYTES else b""
        self._stack.append(content.decode("latin1") if length <= _LONGEST_OLD_TEXT else content)

    def _pop_mark(self) -> list[Any]:
        items = self._stack
        self._stack = self._marks.pop().stack
        return items

    def _put(self, place: int) -> None:
        if place != len(self._memo):
            raise ValueError(f"object {place} is numbered out of order")
        top = self._stack[-1]
        if type(top) is str:
            self.memory.keep(memory_of.ITEM)
            self._memo.append(self._numbers[top.encode("utf-8", "surrogatepass")])
            return
        if type(top) in (dict, list, set, tuple):
            self.memory.hold(memory_of.NUMBERED)
        else:
            self.memory.keep(memory_of.NUMBERED)
        self._objects[self._object_count] = top
        self._object_count += 1
        self._memo.append(-self._object_count)

    def _get(self, place: int) -> None:
        number = self._memo[place]
        self._stack.append(self._numbers.texts[number] if number >= 0 else self._objects.get(-number - 1, GONE))

    def _set_items(self, items: list[Any], mark: _Mark | None) -> None:
        target = self._stack[-1]
        if type(target) is not dict:
            raise TypeError("items for what is no dictionary")
        keys = items[::2]
        for key in keys:
            if not _is_plain(key):
                raise TypeError("a key that is no name or number, or tuple of them")
        before = len(target)
        target.update(zip(keys, items[1::2], strict=True))
        if len(target) != before + len(keys):
            raise ValueError("a key twice in one dictionary")
        instead = self._finished(target)
        if instead is not target:
            self._stack[-1] = instead
            self._let_go(target, self._object_count if mark is None else mark.objects)
            if mark is not None:
                self.memory.held = mark.held

    def _let_go(self, finished: dict[Any, Any], first: int) -> None:
        """Forget the dictionary and the containers built for it; numbers are few and may be shared."""
        for number in [*range(first, self._object_count), first - 1]:
            known = self._objects.get(number)
            if known is finished or (number >= first and isinstance(known, dict | list | set)):
                del self._objects[number]

    def _global(self, module: str, name: str) -> None:
        if (module, name) not in self._rebuilders:
            raise DataError(f"it asks for {module}.{name}, which does not belong in such a file")
        self._stack.append(self._rebuilders[module, name])

    def _reduce(self) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        if type(arguments) is not tuple or not any(function is known for known in self._rebuilders.values()):
            raise DataError("it calls something that is no rebuilder of numbers")
        made = function(*arguments)
        self.memory.hold(_size(made))
        self._stack.append(made)

    def _build(self) -> None:
        state, target = self._stack.pop(), self._stack[-1]
        if type(target) not in BUILT:
            raise DataError("it changes the inside of an object")
        target.__setstate__(state)
        self.memory.hold(_size(target))

    def _run_of(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Return the run of pairs that starts with this instruction, if there is one and none failed here before."""
        start = self._at - 1
        if not self._lanes or start < self._singly_until:
            return None
        found = pattern.match(self._data, start)
        self.scanned += 1 if found is None else found.end() - start
        return found

    def _take_singly(self, run: re.Match[bytes]) -> bool:
        """Leave a run to its single instructions: to look for a run at each of them would take its length squared."""
        self._singly_until = run.end()
        return False

    def _int_run(self) -> bool:
        """Read a run of small integers with floats; return whether there was one."""
        found = self._run_of(_INT_KEYS)
        if found is None:
            return False
        start = found.start()
        pairs = np.frombuffer(self._data, _INT_ITEM, (found.end() - start) // _INT_ITEM.itemsize, start)
        self._push_pairs(pairs["key"].tolist(), pairs["value"].tolist())
        self._at = found.end()
        return True

    def _old_run(self) -> bool:
        """Read a run of texts that were seen before with floats; return whether there was one."""
        found = self._run_of(_OLD_KEYS)
        if found is None:
            return False
        pairs = _OLD_KEY.findall(self._data, found.start(), found.end())
        numbers = [self._memo[int.from_bytes(long or short, "little")] for long, short, _ in pairs]
        if min(numbers) < 0:
            return self._take_singly(found)
        texts = self._numbers.texts
        self._push_pairs([texts[number] for number in numbers], _floats(b"".join([value for _, _, value in pairs])))
        self._at = found.end()
        return True

    def _new_run(self) -> bool:
        """Read a run of new texts with floats; return whether there was one."""
        found = self._run_of(_NEW_KEYS)
        if found is None:
            return False
        pairs = _NEW_KEY.findall(self._data, found.start(), found.end())
        places = np.frombuffer(b"".join([pair[5] for pair in pairs]), "<u4")
        if not np.array_equal(places, np.arange(len(self._memo), len(self._memo) + len(pairs))):
            return self._take_singly(found)
        numbers = [self._numbers[a or b or c or d or e] for a, b, c, d, e, _, _ in pairs]
        self._memo.extend(numbers)
        texts = self._numbers.texts
        self._push_pairs([texts[number] for number in numbers], _floats(b"".join([pair[6] for pair in pairs])))
        self._at = found.end()
        return True

    def _push_pairs(self, keys: list[Any], values: list[float]) -> None:
        flat: list[Any] = [None] * (2 * len(keys))
        flat[::2], flat[1::2] = keys, values
        self._stack.extend(flat)


def _is_plain(key: Any) -> bool:
    """Return whether a key is one whose hash a file cannot choose: texts have secret ones, small numbers their own.

    Of a tuple one part may be a number, since two numbers can be chosen to hash to anything.
    """
    if type(key) is tuple:
        numbers = [part for part in key[:_LONGEST_KEY] if type(part) is int]
        texts = [part for part in key[:_LONGEST_KEY] if type(part) in (str, bytes)]
        return len(numbers) < 2 and len(numbers) + len(texts) == len(key) and all(map(_is_plain, numbers))
    if type(key) is int:
        return key.bit_length() <= _LARGEST_KEY
    return type(key) in (str, float, bool, bytes, type(None))


def _size(made: Any) -> int:
    """Bytes of what a rebuilder made."""
    if type(made) is set:
        return memory_of.SET + 8 * memory_of.ITEM * len(made)
    if type(made) is bytes:
        return len(made)
    return int(made.content.nbytes) if isinstance(made, ByteArray) else memory_of.NUMBERED


class _UnknownInstructionError(Exception):
    pass


def _floats(content: bytes) -> list[float]:
    values: list[float] = np.frombuffer(content, ">f8").tolist()
    return values


def _unsigned(machine: PickleMachine, count: int) -> int:
    return int.from_bytes(machine._take(count), "little")


Handler = Callable[[PickleMachine], None]


def _push(make: Callable[[PickleMachine], Any]) -> Handler:
    return lambda machine: machine._stack.append(make(machine))


def _push_empty(make: Callable[[], Any], size: int) -> Handler:
    def push(machine: PickleMachine) -> None:
        machine.memory.hold(size)
        machine._stack.append(make())

    return push


def _skip(count: int) -> Handler:
    def skip(machine: PickleMachine) -> None:
        machine._take(count)

    return skip


def _small_int(machine: PickleMachine) -> None:
    if not machine._int_run():
        machine._stack.append(machine._take(1)[0])


def _unicode(machine: PickleMachine) -> None:
    if not machine._new_run():
        machine._text(_unsigned(machine, 4))


def _old(size: int) -> Handler:
    def get(machine: PickleMachine) -> None:
        if not machine._old_run():
            machine._get(_unsigned(machine, size))

    return get


def _open(machine: PickleMachine) -> None:
    if len(machine._marks) >= _DEEPEST:
        raise OverflowError("objects inside one another without end")
    machine._marks.append(_Mark(machine._stack, machine._object_count, machine.memory.held))
    machine._stack = []


def _set_many(machine: PickleMachine) -> None:
    mark = machine._marks[-1]
    machine._set_items(machine._pop_mark(), mark)


def _set_one(machine: PickleMachine) -> None:
    value, key = machine._stack.pop(), machine._stack.pop()
    machine._set_items([key, value], None)


def _append_many(machine: PickleMachine) -> None:
    items = machine._pop_mark()
    _list_on_top(machine).extend(items)


def _append_one(machine: PickleMachine) -> None:
    value = machine._stack.pop()
    _list_on_top(machine).append(value)


def _list_on_top(machine: PickleMachine) -> list[Any]:
    target = machine._stack[-1]
    if type(target) is not list:
        raise TypeError("items for what is no list")
    return target


def _add_many(machine: PickleMachine) -> None:
    items = machine._pop_mark()
    if type(machine._stack[-1]) is not set or not all(type(item) in (str, int) and _is_plain(item) for item in items):
        raise TypeError("items for what is no set of names or numbers")
    machine._stack[-1].update(items)


def _check_flat(items: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse tuples in tuples in tuples: Python walks them by recursion, to the end of its stack."""
    if any(type(part) is tuple for item in items if type(item) is tuple for part in item):
        raise TypeError("tuples nested too deeply")
    return items


def _tuple_of_all(machine: PickleMachine) -> None:
    items = tuple(machine._pop_mark())
    machine.memory.hold(memory_of.TUPLE + memory_of.ITEM * len(items))
    machine._stack.append(_check_flat(items))


def _tuple(count: int) -> Handler:
    def make(machine: PickleMachine) -> None:
        items = tuple(machine._stack[-count:])
        if len(items) != count:
            raise IndexError("too few items for a tuple")
        machine.memory.hold(memory_of.TUPLE + memory_of.ITEM * count)
        machine._stack[-count:] = [_check_flat(items)]

    return make


def _long(machine: PickleMachine, count: int) -> int:
    if count > 1024:
        raise OverflowError(f"a number of {count} bytes")
    return int.from_bytes(machine._take(count), "little", signed=True)


def _stack_global(machine: PickleMachine) -> None:
    name, module = machine._stack.pop(), machine._stack.pop()
    if type(name) is not str or type(module) is not str:
        raise TypeError("a name that is no text")
    machine._global(module, name)


def _unknown(opcode: int) -> Handler:
    def refuse(machine: PickleMachine) -> None:
        raise _UnknownInstructionError(bytes([opcode]))

    return refuse


_KNOWN: dict[bytes, Handler] = {
    b"\x80": _skip(1),  # protocol
    b"\x95": _skip(8),  # frame
    b"(": _open,
    b"N": _push(lambda machine: None),
    b"\x88": _push(lambda machine: True),
    b"\x89": _push(lambda machine: False),
    b"K": _small_int,
    b"M": _push(lambda machine: _unsigned(machine, 2)),
    b"J": _push(lambda machine: int.from_bytes(machine._take(4), "little", signed=True)),
    b"\x8a": _push(lambda machine: _long(machine, machine._take(1)[0])),
    b"\x8b": _push(lambda machine: _long(machine, _unsigned(machine, 4))),
    b"G": _push(lambda machine: struct.unpack(">d", machine._take(8))[0]),
    b"X": _unicode,
    b"\x8c": lambda machine: machine._text(machine._take(1)[0]),
    b"\x8d": lambda machine: machine._text(_unsigned(machine, 8)),
    b"B": lambda machine: machine._bytes(_unsigned(machine, 4)),
    b"C": lambda machine: machine._bytes(machine._take(1)[0]),
    b"U": lambda machine: machine._old_bytes(machine._take(1)[0]),
    b"T": lambda machine: machine._old_bytes(_unsigned(machine, 4)),
    b"\x8e": lambda machine: machine._bytes(_unsigned(machine, 8)),
    b"}": _push_empty(dict, memory_of.DICTIONARY),
    b"]": _push_empty(list, memory_of.LIST),
    b")": _push(lambda machine: ()),
    b"\x8f": _push_empty(set, memory_of.SET),
    b"t": _tuple_of_all,
    b"\x85": _tuple(1),
    b"\x86": _tuple(2),
    b"\x87": _tuple(3),
    b"s": _set_one,
    b"u": _set_many,
    b"a": _append_one,
    b"e": _append_many,
    b"\x90": _add_many,
    b"q": lambda machine: machine._put(machine._take(1)[0]),
    b"r": lambda machine: machine._put(_unsigned(machine, 4)),
    b"\x94": lambda machine: machine._put(len(machine._memo)),
    b"h": _old(1),
    b"j": _old(4),
    b"c": lambda machine: machine._global(machine._take_line(), machine._take_line()),
    b"\x93": _stack_global,
    b"R": lambda machine: machine._reduce(),
    b"b": lambda machine: machine._build(),
}


def _too_many(machine: PickleMachine) -> None:
    raise OverflowError("too many objects at once")


_STOP, _TOO_MANY = ord("."), 256
_HANDLERS: list[Handler] = [_KNOWN.get(bytes([opcode]), _unknown(opcode)) for opcode in range(256)] + [_too_many]
