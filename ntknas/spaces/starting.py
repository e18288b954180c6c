"""Storage and weights for networks that were built without memory; what networks share is drawn once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from threading import Lock

import torch
from torch import Tensor, nn

from ntknas.spaces.initialisation import initialise

LIMIT = 64 << 20
"""Bytes of weights that are remembered; those of all operations of NAS-Bench-201 for one seed are some 15 MB."""
SHARE = 16
"""An operation with more than this share of them is drawn each time."""
MET = 10_000
"""So many operations that were started once are told from new ones."""

Values = list[list[Tensor | None]]
"""Parameters, then buffers, of each layer of an operation."""


class Memory:
    """The values of operations that were started twice, of which the last ones used are kept.

    Args:
        limit: How many bytes are kept.

    Attributes:
        bytes: How many there are.
    """

    def __init__(self, limit: int):
        self.bytes = 0
        self._limit = limit
        self._met: OrderedDict[int, None] = OrderedDict()
        self._values: OrderedDict[Hashable, Values] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> Values | None:
        """Return the values of an operation, which stay the memory's own: copy them."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def is_met_again(self, key: Hashable) -> bool:
        """Return whether an operation was met before: where each network has a seed of its own, none ever is."""
        with self._lock:
            again = hash(key) in self._met
            self._met[hash(key)] = None
            self._met.move_to_end(hash(key))
            if len(self._met) > MET:
                self._met.popitem(last=False)
        return again

    def keep(self, key: Hashable, values: Values) -> None:
        """Keep values of an operation, and forget those that were not used for longest."""
        if _bytes(values) * SHARE > self._limit:
            return
        with self._lock:
            self.bytes += _bytes(values) - _bytes(self._values.get(key, []))
            self._values[key] = values
            self._values.move_to_end(key)
            while self.bytes > self._limit:
                self.bytes -= _bytes(self._values.popitem(last=False)[1])

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
            self._met.clear()
            self.bytes = 0


MEMORY = Memory(LIMIT)
"""That of this process."""


def start(operations: Iterable[tuple[str, nn.Module]], scheme: str, seed: int) -> None:
    """Give operations that were built without memory their storage on the CPU, and their weights.

    An operation's weights depend on seed, scheme, name and layers alone: what was drawn for another network is copied.

    Args:
        operations: Every operation of a network that has parameters, with the name that seeds it; built under
            ``torch.device("meta")``, where torch's own initialisation draws nothing from the global random state.
        scheme: A key of ``INITIALISATIONS``.
        seed: Seed of the weights.

    Raises:
        ChoiceError: If the scheme is unknown.
    """
    ordinary = type(torch.empty(0)) is Tensor and torch.empty(0).is_cpu  # under a caller's mode they are not
    for name, operation in operations:
        layers = [module for module in operation.modules() if module._parameters or module._buffers]
        key = (scheme, seed, name, *map(_kind, layers))
        values = MEMORY.get(key) if ordinary else None
        if values is not None:
            _fill(layers, values)
            continue
        materialise(layers)
        initialise(operation, scheme, seed, name)
        if ordinary and MEMORY.is_met_again(key):
            MEMORY.keep(key, [[_copied(tensor) for tensor in _tensors(layer).values()] for layer in layers])


def materialise(layers: Iterable[nn.Module]) -> None:
    """Give layers that were built without memory storage, on the CPU.

    As ``to_empty`` does, but that leaves the device ``meta`` by torch's references in Python, and building then takes
    three times as long.
    """
    for layer in layers:
        empty = [
            None if tensor is None else torch.empty_like(tensor, device="cpu") for tensor in _tensors(layer).values()
        ]
        _put(layer, empty)
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()


def _fill(layers: Sequence[nn.Module], values: Values) -> None:
    for layer, tensors in zip(layers, values, strict=True):
        _put(layer, [_copied(tensor) for tensor in tensors])


def _put(layer: nn.Module, tensors: Sequence[Tensor | None]) -> None:
    """Give a layer tensors in the order of ``_tensors``."""
    by_name = dict(zip(_tensors(layer), tensors, strict=True))
    for name in layer._parameters:
        tensor = by_name[name]
        layer._parameters[name] = None if tensor is None else nn.Parameter(tensor)
    for name in layer._buffers:
        layer._buffers[name] = by_name[name]


def _tensors(layer: nn.Module) -> dict[str, Tensor | None]:
    return {**layer._parameters, **layer._buffers}


def _kind(layer: nn.Module) -> Hashable:
    """Return what decides how a layer is started."""
    tensors = (
        (name, None if tensor is None else (tensor.shape, tensor.dtype)) for name, tensor in _tensors(layer).items()
    )
    return (type(layer), *tensors)


def _copied(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.detach().clone()


def _bytes(values: Values) -> int:
    return sum(tensor.nbytes for tensors in values for tensor in tensors if tensor is not None)
