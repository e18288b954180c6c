"""A reader of pickles that are too large for memory: it runs nothing, and lets go of what it was told is finished.

Python's own unpickler builds the whole object, some 20 GB for the 4.7 GB of NAS-Bench-201. This one executes the same
instructions, but

* hands every finished dictionary to a function, which may put something small in its place; whatever was built for that
  dictionary is let go;
* knows no instruction that imports or calls anything but the rebuilders it is given;
* reads runs of (key, float) pairs, which such files consist of, in one step each (``Runs``);
* holds no more than a file of its size can need (``PickleMemory``), and takes no keys whose hashes can be made alike.

What a later part of the pickle refers to, although it was let go, becomes ``GONE``: to use it is an error.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

from ntknas.core.errors import DataError
from ntknas.pickles import memory as memory_of
from ntknas.pickles.instructions import HANDLERS, STOP, TOO_MANY
from ntknas.pickles.keys import is_plain
from ntknas.pickles.memo import Memo
from ntknas.pickles.memory import PickleMemory
from ntknas.pickles.rebuilders import BUILT, ByteArray, Rebuilders
from ntknas.pickles.records import RecordClass
from ntknas.pickles.runs import NoRuns, Runs
from ntknas.pickles.source import ByteSource

_MARGIN = 1 << 16  # bytes in front of an instruction, so that a run is rarely cut at the end of a block
_MAX_STACK = 1 << 16  # picklers put a thousand items at a time into a container
_MAX_DEPTH = 64
_DAMAGE = (IndexError, TypeError, ValueError, KeyError, OverflowError, AttributeError, RecursionError, struct.error)


class Mark(NamedTuple):
    """The state at an open bracket: the stack around it, the objects known so far and the bytes that they take."""

    stack: list[object]
    objects: int
    held: int


class PickleMachine:
    """Reads pickles from a stream, one after the other.

    Args:
        stream: The stream.
        rebuilders: What the names that a pickle may ask for stand for.
        finished: Called with every dictionary after items were put into it; returns it, or what stands in its place.
        lanes: Whether runs of pairs are read in one step; without, every instruction is taken singly.
        consumed: Called with the number of bytes read now and then.

    Attributes:
        source: The bytes.
        stack: The objects that instructions work on.
        memo: The numbered objects.
        runs: Finds runs of pairs.
        memory: What the objects take.
    """

    def __init__(
        self,
        stream: BinaryIO,
        rebuilders: Rebuilders,
        finished: Callable[[dict[object, object]], object] = lambda items: items,
        *,
        lanes: bool = True,
        consumed: Callable[[int], None] = lambda count: None,
    ):
        self._rebuilders, self._finished, self._consumed = rebuilders, finished, consumed
        self.memory: PickleMemory = PickleMemory()
        self.source: ByteSource = ByteSource(stream, self._count)
        self._runs = Runs if lanes else NoRuns
        self._reset()

    def _count(self, size: int) -> None:
        self.memory.read(size)
        self._consumed(size)

    def _reset(self) -> None:
        self.stack: list[object] = []
        self._marks: list[Mark] = []
        self.memo: Memo = Memo(self.memory)
        self.runs: Runs = self._runs(self.source, self.memo)

    @property
    def at_end(self) -> bool:
        """Whether nothing is left in the stream."""
        return self.source.at_end

    def load(self) -> object:
        """Read the next pickle.

        Returns:
            Its object.

        Raises:
            DataError: If it is damaged, ends early or asks for anything that does not belong in such a file.
        """
        self._reset()
        try:
            return self._execute()
        except _DAMAGE as error:  # a changed byte may turn one instruction into any other
            raise DataError(f"it is damaged or cut off ({type(error).__name__}: {error})") from error
        except MemoryError as error:
            raise DataError("it is damaged: it asks for impossible sizes") from error
        finally:
            self.stack, self._marks = [], []

    def _execute(self) -> object:
        source = self.source
        while True:
            if len(source.data) - source.at < _MARGIN and not source.ended:
                source.fill()
            opcode = source.data[source.at]
            source.at += 1
            if opcode == STOP:
                return self.stack.pop()
            # One look-up for both, in the innermost loop.
            HANDLERS[opcode if len(self.stack) < _MAX_STACK else TOO_MANY](self)

    def open_mark(self) -> None:
        """Begin a stack of its own, up to the instruction that takes its items."""
        if len(self._marks) >= _MAX_DEPTH:
            raise OverflowError("objects inside one another without end")
        self._marks.append(Mark(self.stack, self.memo.object_count, self.memory.held))
        self.stack = []

    def pop_mark(self) -> tuple[list[object], Mark]:
        """Go back to the stack around; return the items, and the mark before them."""
        items, mark = self.stack, self._marks.pop()
        self.stack = mark.stack
        return items, mark

    def set_items(self, items: list[object], mark: Mark | None) -> None:
        """Put items into the dictionary on top, and hand it over.

        Args:
            items: Keys and values in turn.
            mark: The mark before them, if they came with one.

        Raises:
            TypeError: If there is no dictionary, or a key is not allowed.
            ValueError: If a key comes twice.
        """
        target = self.stack[-1]
        if type(target) is not dict:
            raise TypeError("items for what is no dictionary")
        keys = items[::2]
        if not all(map(is_plain, keys)):  # before the update, which hashes them
            raise TypeError("a key that is no name or number, or tuple of them")
        size = len(target)
        target.update(zip(keys, items[1::2], strict=True))
        if len(target) != size + len(keys):
            raise ValueError("a key twice in one dictionary")
        instead = self._finished(target)
        if instead is not target:
            self.stack[-1] = instead
            self.memo.let_go(target, self.memo.object_count if mark is None else mark.objects)
            if mark is not None:
                self.memory.held = mark.held

    def push_rebuilder(self, module: str, name: str) -> None:
        """Put what a name stands for on the stack.

        Args:
            module: The module that it is said to be in.
            name: The name.

        Raises:
            DataError: If it is none of the names that are allowed.
        """
        if (module, name) not in self._rebuilders:
            raise DataError(f"it asks for {module}.{name}, which does not belong in such a file")
        self.stack.append(self._rebuilders[module, name])

    def call(self) -> None:
        """Call the rebuilder below its arguments.

        Raises:
            DataError: If it is none.
        """
        arguments, name = self.stack.pop(), self.stack.pop()
        # By identity: `in` would also compare with whatever the file put there.
        function = next((rebuilder for rebuilder in self._rebuilders.values() if rebuilder is name), None)
        if type(arguments) is not tuple or function is None:
            raise DataError("it calls something that is no rebuilder of numbers")
        value = function(*arguments)
        self.memory.hold(_size(value))
        self.stack.append(value)

    def make(self) -> None:
        """Make an object of the class below its arguments.

        Raises:
            DataError: If it is no class whose objects are made into records.
        """
        if not isinstance(self.stack[-2], RecordClass):
            raise DataError("it makes an object of a class that has no place in such a file")
        self.call()

    def build(self) -> None:
        """Give the object below its state.

        Raises:
            DataError: If it is none that has one.
        """
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, BUILT):
            raise DataError("it changes the inside of an object")
        target.__setstate__(state)
        self.memory.hold(_size(target))


def _size(value: object) -> int:
    """Return the bytes of what a rebuilder made."""
    if isinstance(value, set):
        return memory_of.SET + 8 * memory_of.ITEM * len(value)
    if isinstance(value, bytes):
        return len(value)
    return int(value.content.nbytes) if isinstance(value, ByteArray) else memory_of.NUMBERED
