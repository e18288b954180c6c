"""What a way of computing asks of a device: its operations, counted on tensors without values.

On the meta device every operation runs but for its arithmetic; one that needs a value on the host, as ``item`` or a copy, fails
there, and one that makes a tensor elsewhere is seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ntknas.core.choices import Choices
from ntknas.kernels.batch import Batch
from ntknas.kernels.network import NetworkUnderPolicy, under_policy
from ntknas.kernels.strategies import layer_wise, row_loop

_WITHOUT_LAUNCH = {
    "aten::empty",
    "aten::empty_like",
    "aten::new_empty",
    "aten::empty_strided",
    "aten::_unsafe_view",
    "prim::device",
}
DEVICE = torch.device("meta")


class Operations(TorchDispatchMode):
    """Counts the operations that launch something, and notes those with results off the meta device."""

    def __init__(self) -> None:
        super().__init__()
        self.launches: Counter[str] = Counter()
        self.elsewhere: list[str] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Run an operation and count it."""
        result = function(*args, **(kwargs or {}))
        name = function._schema.name
        if not function.is_view and name not in _WITHOUT_LAUNCH:
            self.launches[name] += _launches(name, args)
        if any(isinstance(leaf, Tensor) and leaf.device != DEVICE for leaf in tree_leaves(result)):
            self.elsewhere.append(name)
        return result


def _launches(name: str, args: tuple) -> int:
    """``im2col`` is one for every sample on CUDA."""
    return len(args[0]) if name == "aten::im2col" else 1


def of_layer_wise(network: nn.Module, x: Tensor, policy: str) -> Operations:
    """Return the operations of a layer-wise kernel of all parameters."""

    def compute(subject: NetworkUnderPolicy) -> None:
        layer_wise.gram(subject, [Batch(x)])[0].gram  # noqa: B018

    return _operations(network, x, policy, compute)


def of_row_loop(network: nn.Module, x: Tensor, policy: str, rows_at_once: int = 1) -> Operations:
    """Return the operations of the row loop."""

    def compute(subject: NetworkUnderPolicy) -> None:
        row_loop.gram(subject, [Batch(x)], rows_at_once=rows_at_once)[0].gram  # noqa: B018

    return _operations(network, x, policy, compute)


def of_step(network: nn.Module, x: Tensor) -> Operations:
    """Return the operations of a plain training step."""
    with Operations() as found:
        network.train()(x).sum().backward()
    return found


def _operations(
    network: nn.Module, x: Tensor, policy: str, compute: Callable[[NetworkUnderPolicy], None]
) -> Operations:
    with under_policy(network, [Batch(x)], Choices(batch_norm=policy, parameters="all")) as subject:
        subject.policy.record()
        with Operations() as operations:
            compute(subject)
    return operations
