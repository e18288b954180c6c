"""A user's own network: a function in a file of Python, which is run."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ntknas.core.errors import DataError
from ntknas.core.lazy import nn, torch

if TYPE_CHECKING:
    from torch import Tensor

_EXPECTED = "a torch.nn.Module, or a tuple of one with inputs x (N×…) and, if you like, labels y (N)"


def load_model(place: str) -> tuple[nn.Module, Tensor | None, Tensor | None]:
    """Call a user's function and return the network it makes, with inputs and labels if it makes those too.

    The file is run, as Python would run it: name files that you trust.

    Args:
        place: ``FILE.py:function``; the function takes no arguments.

    Returns:
        The network, inputs and labels; ``None`` for what it does not make.

    Raises:
        DataError: If there is no such file or function, it raises, or returns something else.
    """
    check_place(place)
    file, name = _parts_of(place)
    with folder_first(place):
        returned = _called(_function(file, name), place)
    items = returned if isinstance(returned, tuple) else (returned,)
    model, x, y = (*items, None, None)[:3]
    tensors = all(item is None or isinstance(item, torch.Tensor) for item in (x, y))
    if not isinstance(model, nn.Module) or len(items) > 3 or not tensors:
        raise DataError(f"{place} must return {_EXPECTED}; got {_described(returned)}.")
    if y is not None and y.is_floating_point():
        raise DataError(f"Labels must be whole numbers, the classes: {place} returned {y.dtype}. Use y.long().")
    return model, x, y


@contextmanager
def folder_first(place: str) -> Iterator[None]:
    """Let a user's file import what lies beside it, as ``python FILE.py`` does; the path is as it was afterwards.

    Args:
        place: ``FILE.py:function``; its module may import while it is called, too.

    Raises:
        DataError: If it is not written so.
    """
    folder = str(_parts_of(place)[0].resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with suppress(ValueError):  # the file itself may have taken it out
            sys.path.remove(folder)


def check_place(place: str) -> None:
    """Check that a user's file is there, without running it.

    Args:
        place: ``FILE.py:function``.

    Raises:
        DataError: If it is not written so, or there is no such file.
    """
    path, _ = _parts_of(place)
    if not path.is_file():
        raise DataError(f"There is no file {path}: `model` expects FILE.py:function.")


def _parts_of(place: str) -> tuple[Path, str]:
    file, colon, name = place.rpartition(":")
    if not colon or not name.isidentifier() or not file.endswith(".py"):
        raise DataError(f"`model` expects FILE.py:function, got {place!r}.")
    return Path(file), name


def _function(path: Path, name: str) -> Callable[[], object]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)  # classes look for their module there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever a user's file does wrong is theirs to see, in one line
        raise DataError(f"{path} cannot be run: {type(error).__name__}: {error}.") from error
    function: object = getattr(module, name, None)
    if not callable(function):
        names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        raise DataError(f"{path} has no function {name!r}: it has {', '.join(names) or 'none'}.")
    return function


def _called(function: Callable[[], object], place: str) -> object:
    torch.manual_seed(0)  # a function that draws its weights gives one network every time
    try:
        return function()
    except (Exception, SystemExit) as error:  # likewise
        raise DataError(f"{place} raised {type(error).__name__}: {error}.") from error


def _described(returned: object) -> str:
    if isinstance(returned, tuple):
        return f"a tuple of {', '.join(type(item).__name__ for item in returned)}"
    return f"a {type(returned).__name__}"
