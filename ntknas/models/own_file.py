"""A user's own network: a function in a file of Python, which is run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ntknas.core.errors import DataError
from ntknas.core.lazy import nn, torch
from ntknas.core.own_file import folder_first, run_file
from ntknas.models.reference import Reference

if TYPE_CHECKING:
    from torch import Tensor

_EXPECTED = "a torch.nn.Module, or a tuple of one with inputs x (N×…) and, if you like, labels y (N)"


def call(reference: Reference, seed: int = 0) -> tuple[nn.Module, Tensor | None, Tensor | None]:
    """Call a user's function and return the network it makes, with inputs and labels if it makes those too.

    The file is run, as Python would run it: name files that you trust.

    Args:
        reference: The function, which takes no arguments.
        seed: Seed of the weights that it draws.

    Returns:
        The network, inputs and labels; ``None`` for what it does not make.

    Raises:
        DataError: If there is no such function, it raises, or returns something else.
    """
    place = reference.text
    with folder_of(reference):
        returned = _called(_function(Path(reference.place), reference.name), place, seed)
    items = returned if isinstance(returned, tuple) else (returned,)
    model, x, y = (*items, None, None)[:3]
    tensors = all(item is None or isinstance(item, torch.Tensor) for item in (x, y))
    if not isinstance(model, nn.Module) or len(items) > 3 or not tensors:
        raise DataError(f"{place} must return {_EXPECTED}; got {_described(returned)}.")
    if y is not None and y.is_floating_point():
        raise DataError(f"Labels must be whole numbers, the classes: {place} returned {y.dtype}. Use y.long().")
    return model, x, y


def folder_of(reference: Reference) -> AbstractContextManager[None]:
    """Return what lets a user's file import what lies beside it; nothing has to be done for a model of a library."""
    return nullcontext() if reference.library else folder_first(Path(reference.place))


def _function(path: Path, name: str) -> Callable[[], object]:
    module = run_file(path)
    function: object = getattr(module, name, None)
    if not callable(function):
        names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        raise DataError(f"{path} has no function {name!r}: it has {', '.join(names) or 'none'}.")
    return function


def _called(function: Callable[[], object], place: str, seed: int) -> object:
    torch.manual_seed(seed)  # a function that draws its weights gives one network every time
    try:
        return function()
    except (Exception, SystemExit) as error:  # likewise
        raise DataError(f"{place} raised {type(error).__name__}: {error}.") from error


def _described(returned: object) -> str:
    if isinstance(returned, tuple):
        return f"a tuple of {', '.join(type(item).__name__ for item in returned)}"
    return f"a {type(returned).__name__}"
