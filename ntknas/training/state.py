"""What the state of a training must be, checked before anything is taken from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypedDict

from torch import Tensor

_INTEGERS = ("epoch", "step")
_HISTORY_TYPES = {"epoch": int, "step": int, "loss": float, "accuracy": float, "learning_rate": float}
_CHANGING = ("lr",)
"""Options of the optimizer that change in a training."""


class OptimizerState(TypedDict):
    """What torch's optimizers give as their state."""

    state: dict[int, dict[str, object]]
    param_groups: list[dict[str, object]]


class EpochState(TypedDict):
    """What one epoch gave."""

    epoch: int
    step: int
    loss: float
    accuracy: float
    learning_rate: float


class TrainerState(TypedDict):
    """Everything that the rest of a training depends on."""

    network: dict[str, Tensor]
    optimizer: OptimizerState
    epoch: int
    step: int
    history: list[EpochState]


def check_state(state: object, current: TrainerState) -> None:
    """Check that a state is one of the same network and training.

    Args:
        state: The state, as it was read.
        current: The state of the trainer that is to go on from it.

    Raises:
        ValueError: If something is missing, of another type or shape, or the optimizer has other options.
    """
    if not isinstance(state, Mapping) or set(state) != set(current):
        raise ValueError("it is no state of a training")
    for name in _INTEGERS:
        if type(state[name]) is not int or state[name] < 0:
            raise ValueError(f"its {name} is no number of {name}s")
    _check_history(state["history"], state["epoch"])
    _check_tensors("network", state["network"], current["network"])
    _check_optimizer(state["optimizer"], current["optimizer"], list(current["network"].values()))


def _check_history(history: object, epochs: int) -> None:
    if not isinstance(history, list) or len(history) != epochs:
        raise ValueError("its history is not one entry per epoch")
    for number, entry in enumerate(history, start=1):
        if not isinstance(entry, Mapping) or {name: type(value) for name, value in entry.items()} != _HISTORY_TYPES:
            raise ValueError(f"entry {number} of its history is none of an epoch")
        if entry["epoch"] != number or not all(math.isfinite(value) for value in entry.values()):
            raise ValueError(f"entry {number} of its history has another epoch, or a number that is not finite")


def _check_tensors(subject: str, tensors: object, current: Mapping[str, Tensor]) -> None:
    if not isinstance(tensors, Mapping) or set(tensors) != set(current):
        raise ValueError(f"its {subject} has other entries")
    for name, tensor in current.items():
        if not _is_like(tensors[name], tensor):
            raise ValueError(f"{name} of its {subject} is not of the shape and type that it has here")


def _is_like(value: object, tensor: Tensor) -> bool:
    return isinstance(value, Tensor) and value.shape == tensor.shape and value.dtype == tensor.dtype


def _check_optimizer(optimizer: object, current: OptimizerState, tensors: Sequence[Tensor]) -> None:
    if not isinstance(optimizer, Mapping) or set(optimizer) != set(current):
        raise ValueError("its optimizer has other entries")
    groups, buffers = optimizer["param_groups"], optimizer["state"]
    if not isinstance(groups, list) or len(groups) != len(current["param_groups"]) or not isinstance(buffers, Mapping):
        raise ValueError("its optimizer has other entries")
    for group, current_group in zip(groups, current["param_groups"], strict=True):
        options = {name: value for name, value in current_group.items() if name not in _CHANGING}
        if not isinstance(group, Mapping) or {name: group.get(name) for name in options} != options:
            raise ValueError("its optimizer has other options")
    _check_momenta(buffers, current, tensors)


def _check_momenta(buffers: Mapping[object, object], current: OptimizerState, tensors: Sequence[Tensor]) -> None:
    indices = [index for group in current["param_groups"] for index in _list(group["params"])]
    shapes = {(tensor.shape, tensor.dtype) for tensor in tensors}
    for index, buffer in buffers.items():
        values = [value for value in buffer.values() if value is not None] if isinstance(buffer, Mapping) else [buffer]
        fits = all(isinstance(value, Tensor) and (value.shape, value.dtype) in shapes for value in values)
        if index not in indices or not fits:
            raise ValueError("its optimizer has a momentum that fits no parameter")


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
