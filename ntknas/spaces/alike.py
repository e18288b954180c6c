"""Modules that are built again and again: made once without memory, and copied."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, update_wrapper
from typing import TypeVar, TypeVarTuple

import torch
from torch import nn

Ts = TypeVarTuple("Ts")
M = TypeVar("M", bound=nn.Module)
KINDS = 256
"""So many kinds of one operation are remembered; a space has some at each width."""


def alike(make: Callable[[*Ts], M]) -> Callable[[*Ts], M]:
    """Return a function that makes what another one makes, without memory, by a copy of what it made before.

    A constructor of torch takes some hundred microseconds for a layer, with values that ``starting`` draws anew; a
    network has a hundred of them, of a dozen kinds.

    Args:
        make: Makes a module from what can be hashed, and from nothing else.
    """

    @lru_cache(maxsize=KINDS)
    def made(precision: torch.dtype, *args: *Ts) -> M:
        with torch.device("meta"):
            return make(*args)

    def another(*args: *Ts) -> M:
        return twin(made(torch.get_default_dtype(), *args))

    return update_wrapper(another, make, updated=())


def twin(module: M) -> M:
    """Return a copy of a module and those inside it, with the same tensors."""
    made = module.__new__(type(module))
    made.__dict__ = {name: _own(value) for name, value in vars(module).items()}
    made._modules = {name: inner and twin(inner) for name, inner in module._modules.items()}
    return made


def _own(value: object) -> object:
    """Return what a module needs of its own: the containers of hooks, parameters and buffers, most of them empty."""
    if isinstance(value, dict | set):
        return value.copy() if value else type(value)()
    return value
