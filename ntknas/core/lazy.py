"""Modules that are imported when something of them is used, so that commands without networks need no torch.

A module that takes ``torch``, ``nn`` and ``F`` from here is imported in no time, and its functions use them as ever.
What needs torch while it is imported (a subclass of ``nn.Module``, a decorator) imports torch itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

__all__ = ["F", "LazyModule", "importer_of", "nn", "torch"]


class LazyModule:
    """Stands for a module until something of it is asked for.

    Args:
        name: Name of the module.

    Example:
        >>> LazyModule("math").sqrt(4.0)
        2.0
    """

    def __init__(self, name: str):
        self.__dict__["name"] = name

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self.__dict__["name"]), name)


def importer_of(homes: Mapping[str, str]) -> Callable[[str], object]:
    """Make a package's ``__getattr__`` that imports its public names when they are first used.

    Args:
        homes: Module of each name.

    Returns:
        The function.
    """

    def import_name(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"No attribute {name!r}: expected one of {', '.join(homes)}.")
        return getattr(import_module(homes[name]), name)

    return import_name


if TYPE_CHECKING:
    import torch
    import torch.nn.functional as F
    from torch import nn
else:
    torch, nn, F = LazyModule("torch"), LazyModule("torch.nn"), LazyModule("torch.nn.functional")
