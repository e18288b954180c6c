"""What pickled numbers of the official files are made of, rebuilt by functions of our own that can do nothing else.

The files hold numpy scalars and ordered dictionaries. A pickle names the functions that rebuild them; these names
stand for the functions here, so that nothing of a file reaches numpy's or Python's own constructors.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from ntknas.core.errors import DataError

_FORMATS = {
    "f8": "d", "f4": "f", "f2": "e", "i8": "q", "i4": "i", "i2": "h", "i1": "b",
    "u8": "Q", "u4": "I", "u2": "H", "u1": "B", "b1": "?",
}  # fmt: skip


class NumberType:
    """A numpy type of numbers, named such as ``f8``; its byte order comes as state."""

    def __init__(self, name: Any, *_: Any):
        if not isinstance(name, str) or name not in _FORMATS:
            raise DataError(f"it holds values of the type {name!r}, which is none of numbers")
        self.code = "<" + _FORMATS[name]

    def __setstate__(self, state: Any) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if order not in ("<", ">", "|", "="):
            raise DataError(f"it holds numbers of the unknown byte order {order!r}")
        self.code = (">" if order == ">" else "<") + self.code[1:]


class Rebuilder:
    """A function that a pickle may call, but not change."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]):
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        """Call the function."""
        return self._function(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise DataError("it changes the inside of a function")


@Rebuilder
def number(kind: Any, content: Any) -> float | int | bool:
    """Rebuild a numpy scalar as a number of Python."""
    if not isinstance(kind, NumberType) or not isinstance(content, bytes):
        raise DataError("it holds a scalar that is not a number")
    (value,) = struct.unpack(kind.code, content)
    result: float | int | bool = value
    return result


@Rebuilder
def latin1(text: Any, encoding: Any = "latin1") -> bytes:
    """Rebuild bytes that an old pickle protocol keeps as text."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise DataError("it holds bytes in an unknown form")
    return text.encode("latin1")


@Rebuilder
def ordered(*pairs: Any) -> dict[Any, Any]:
    """Rebuild an ordered dictionary."""
    return dict(*pairs)


@Rebuilder
def name_set(items: Any = ()) -> set[Any]:
    """Rebuild a set of names and numbers."""
    if not isinstance(items, list | tuple) or not all(isinstance(item, str | int) for item in items):
        raise DataError("it holds a set of something else than names and numbers")
    return set(items)


REBUILDERS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): ordered,
    ("numpy", "dtype"): NumberType,
    ("numpy.core.multiarray", "scalar"): number,
    ("numpy._core.multiarray", "scalar"): number,
    ("_codecs", "encode"): latin1,
    ("builtins", "set"): name_set,
    ("__builtin__", "set"): name_set,
}
"""Every name that the official files use, and what it stands for."""
