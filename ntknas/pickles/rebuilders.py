"""What pickled numbers of the official files are made of, rebuilt by functions of our own that can do nothing else.

The files hold numpy scalars, arrays of bytes and ordered dictionaries. A pickle names the functions that rebuild them;
these names stand for the functions here, so that nothing of a file reaches numpy's or Python's own constructors: those
of numpy can be led to read memory that a file chooses.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping

import numpy as np

from ntknas.core.errors import DataError
from ntknas.core.quoting import quoted
from ntknas.pickles.keys import is_small
from ntknas.pickles.records import Record

Rebuilders = Mapping[tuple[str, str], Callable[..., object]]
"""What names of functions in a pickle stand for, by module and name."""

_FORMATS = {
    "f8": "d", "f4": "f", "f2": "e", "i8": "q", "i4": "i", "i2": "h", "i1": "b",
    "u8": "Q", "u4": "I", "u2": "H", "u1": "B", "b1": "?",
}  # fmt: skip


class NumberType:
    """A numpy type of numbers, named such as ``f8``; its byte order comes as state."""

    def __init__(self, name: object, *_: object):
        if not isinstance(name, str) or name not in _FORMATS:
            raise DataError(f"it holds values of the type {quoted(name)}, which is none of numbers")
        self.code = "<" + _FORMATS[name]

    def __setstate__(self, state: object) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if order not in ("<", ">", "|", "="):
            raise DataError(f"it holds numbers of the unknown byte order {quoted(order)}")
        self.code = (">" if order == ">" else "<") + self.code[1:]


class Rebuilder:
    """A function that a pickle may call, but not change."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., object]):
        self._function = function

    def __call__(self, *arguments: object) -> object:
        """Call the function."""
        return self._function(*arguments)

    def __setstate__(self, state: object) -> None:
        raise DataError("it changes the inside of a function")


@Rebuilder
def number(kind: object, content: object) -> float | int | bool:
    """Rebuild a numpy scalar as a number of Python."""
    if not isinstance(kind, NumberType) or not isinstance(content, bytes):
        raise DataError("it holds a scalar that is not a number")
    (value,) = struct.unpack(kind.code, content)
    result: float | int | bool = value
    return result


@Rebuilder
def latin1(text: object, encoding: object = "latin1") -> bytes:
    """Rebuild bytes that an old pickle protocol keeps as text."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise DataError("it holds bytes in an unknown form")
    return text.encode("latin1")


@Rebuilder
def ordered() -> dict[object, object]:
    """Rebuild an ordered dictionary, whose items follow."""
    return {}


class ByteArray:
    """An array of unsigned bytes, such as pixels; shape and content come as state."""

    def __init__(self) -> None:
        self.content: np.ndarray = np.empty(0, np.uint8)

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) < 4:
            raise DataError("it holds an array that is not one of bytes")
        shape, kind, fortran, content = state[-4:]
        if isinstance(content, str):  # Python 2's bytes
            content = content.encode("latin1")
        if not isinstance(kind, NumberType) or kind.code[1:] != "B" or not isinstance(content, bytes):
            raise DataError("it holds an array that is not one of bytes")
        if not isinstance(shape, tuple) or not all(type(size) is int and size >= 0 for size in shape):
            raise DataError("it holds an array of an impossible shape")
        if fortran is not False or math.prod(shape) != len(content):
            raise DataError("it holds an array whose shape is not that of its content")
        self.content = np.frombuffer(content, np.uint8).reshape(shape)


@Rebuilder
def byte_array(*_: object) -> ByteArray:
    """Rebuild an empty array, whose state follows."""
    return ByteArray()


@Rebuilder
def refuse(*_: object) -> None:
    """Stand for a name that may be mentioned but not called."""
    raise DataError("it calls numpy's constructor of arrays")


@Rebuilder
def name_set(items: object = ()) -> set[object]:
    """Rebuild a set of names and numbers."""
    if not isinstance(items, list | tuple) or not all(type(item) is str or is_small(item) for item in items):
        raise DataError("it holds a set of something else than names and numbers")
    return set(items)


REBUILDERS: Rebuilders = {
    ("collections", "OrderedDict"): ordered,
    ("numpy", "dtype"): NumberType,
    ("numpy.core.multiarray", "scalar"): number,
    ("numpy._core.multiarray", "scalar"): number,  # as numpy 2 writes it
    ("_codecs", "encode"): latin1,
    ("builtins", "set"): name_set,
    ("__builtin__", "set"): name_set,  # as protocols up to 2 write it
}
"""Every name that the official files use, and what it stands for."""

ARRAYS: Rebuilders = {
    ("numpy", "ndarray"): refuse,  # an argument of _reconstruct
    ("numpy", "dtype"): NumberType,
    ("numpy.core.multiarray", "_reconstruct"): byte_array,
    ("numpy._core.multiarray", "_reconstruct"): byte_array,
    ("_codecs", "encode"): latin1,
}
"""Every name that pickled batches of images use, and what it stands for."""

BUILT = (NumberType, ByteArray, Record)
"""What a pickle may give a state."""
