"""Pickles that may build plain data and the named types, and nothing else."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ntknas.core.errors import DataError

NUMPY_ARRAYS = frozenset(
    {
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("_codecs", "encode"),
    }
)
"""What pickled numpy arrays of numbers are made of."""


Allowed = Collection[tuple[str, str]] | Mapping[tuple[str, str], Callable[..., Any]]
"""The (module, name) pairs that a pickle may use; a mapping says what each stands for instead of the real thing."""


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: BinaryIO, allowed: Allowed, encoding: str):
        super().__init__(stream, encoding=encoding)
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which does not belong in such a file")
        if isinstance(self._allowed, Mapping):
            return self._allowed[module, name]
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it asks for an outside object")


def load(path: Path, allowed: Allowed = frozenset(), encoding: str = "ASCII") -> Any:
    """Read a pickle of plain data.

    Args:
        path: The file.
        allowed: What it may use; without any only numbers, strings and containers.
        encoding: For strings written by Python 2.

    Raises:
        DataError: If the file is missing, damaged, or asks for anything else.
    """
    try:
        with path.open("rb") as stream:
            return load_stream(stream, allowed, encoding)
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    except DataError as error:
        raise DataError(
            f"{path} is not the file it should be, or is damaged: {error}. Nothing of it was used; fetch it again."
        ) from error


def load_stream(stream: BinaryIO, allowed: Allowed = frozenset(), encoding: str = "ASCII") -> Any:
    """Read a pickle of plain data from a stream; see ``load``.

    Raises:
        DataError: If it is damaged or asks for anything else; without the name of the file.
    """
    try:
        return _Unpickler(stream, allowed, encoding).load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        raise DataError(str(error) or type(error).__name__) from error
    except (MemoryError, OverflowError, RecursionError) as error:
        raise DataError("it asks for impossible sizes") from error
