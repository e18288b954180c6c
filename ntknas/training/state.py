"""What the state of a training must be, checked before anything is taken from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

_INTEGERS = ("epoch", "step")
_CHANGING = ("lr",)
"""Options of the optimizer that change in a training."""


def check_state(state: object, own: Mapping[str, Any]) -> None:
    """Check that a state is one of the same network and training.

    Args:
        state: The state, as it was read.
        own: The state of the trainer that is to go on from it.

    Raises:
        ValueError: If something is missing, of another type or shape, or the optimizer has other options.
    """
    if not isinstance(state, Mapping) or set(state) != set(own):
        raise ValueError("it is no state of a training")
    for name in _INTEGERS:
        if type(state[name]) is not int or state[name] < 0:
            raise ValueError(f"its {name} is no number of {name}s")
    _check_history(state["history"], state["epoch"])
    _check_tensors("network", state["network"], own["network"])
    _check_optimizer(state["optimizer"], own["optimizer"], list(own["network"].values()))


def _check_history(history: object, epochs: int) -> None:
    fields = {"epoch": int, "step": int, "loss": float, "accuracy": float, "learning_rate": float}
    if not isinstance(history, list) or len(history) != epochs:
        raise ValueError("its history is not one entry an epoch")
    for number, entry in enumerate(history, start=1):
        if not isinstance(entry, Mapping) or {name: type(value) for name, value in entry.items()} != fields:
            raise ValueError(f"entry {number} of its history is none of an epoch")
        if entry["epoch"] != number or not all(math.isfinite(value) for value in entry.values()):
            raise ValueError(f"entry {number} of its history has another epoch, or a number that is not finite")


def _check_tensors(what: str, tensors: object, own: Mapping[str, Any]) -> None:
    if not isinstance(tensors, Mapping) or set(tensors) != set(own):
        raise ValueError(f"its {what} has other parts")
    for name, tensor in own.items():
        if not _is_like(tensors[name], tensor):
            raise ValueError(f"{name} of its {what} is not of the shape and type that it has here")


def _is_like(value: object, own: Tensor) -> bool:
    return isinstance(value, Tensor) and value.shape == own.shape and value.dtype == own.dtype


def _check_optimizer(optimizer: object, own: Mapping[str, Any], tensors: list[Tensor]) -> None:
    if not isinstance(optimizer, Mapping) or set(optimizer) != set(own):
        raise ValueError("its optimizer has other parts")
    groups, buffers = optimizer["param_groups"], optimizer["state"]
    if not isinstance(groups, list) or len(groups) != len(own["param_groups"]) or not isinstance(buffers, Mapping):
        raise ValueError("its optimizer has other parts")
    for group, ours in zip(groups, own["param_groups"], strict=True):
        kept = {name: value for name, value in ours.items() if name not in _CHANGING}
        if not isinstance(group, Mapping) or {name: group.get(name) for name in kept} != kept:
            raise ValueError("its optimizer has other options")
    places = [place for group in own["param_groups"] for place in group["params"]]
    shapes = {(tensor.shape, tensor.dtype) for tensor in tensors}
    for place, held in buffers.items():
        values = [value for value in held.values() if value is not None] if isinstance(held, Mapping) else [held]
        fits = all(isinstance(value, Tensor) and (value.shape, value.dtype) in shapes for value in values)
        if place not in places or not fits:
            raise ValueError("its optimizer has a momentum that fits no parameter")
