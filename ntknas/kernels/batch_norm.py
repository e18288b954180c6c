"""What BatchNorm does while a kernel is computed: one normaliser for each policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ntknas.core.errors import KernelError
from ntknas.kernels.own_forwards import OwnForward

_STOCK_FORWARDS = (_BatchNorm.forward, nn.SyncBatchNorm.forward)
COUPLING = "coupled"
Statistics = tuple[Tensor, Tensor]
"""Mean and variance of every channel."""


def channel_shape(x: Tensor) -> list[int]:
    """Shape that lets one value a channel meet a tensor with channels in dimension 1."""
    return [1, -1, *[1] * (x.dim() - 2)]


def channel_sums(values: Tensor) -> Tensor:
    """Sum over everything but sample and channel, shape B×channels."""
    return values.sum(tuple(range(2, values.dim()))) if values.dim() > 2 else values


def batch_norms(model: nn.Module) -> list[_BatchNorm]:
    """Return the BatchNorm modules of a network, each once."""
    return [module for module in model.modules() if isinstance(module, _BatchNorm)]


class Policy:
    """A batch-norm policy at work on one network.

    ``normalise(module, x, weight, bias)`` is the whole forward of a BatchNorm module with the given scale and shift
    (``None`` for the normalised values alone).
    """

    def __init__(self, model: nn.Module, name: str):
        self.name = name
        self.modules = batch_norms(model)
        self._own = {module: None if is_stock(module) else module.forward for module in self.modules}
        self.recording = False
        self._statistics: dict[nn.Module, list[Statistics]] = {}
        self._calls: dict[nn.Module, int] = {}
        self._depth = 0
        self.normalise: Callable[[_BatchNorm, Tensor, Tensor | None, Tensor | None], Tensor] = {
            "coupled": self._coupled,
            "frozen": self._frozen,
            "eval": self._eval,
            "as-eval-mode": self._as_eval_mode,
            "per-sample": self._per_sample,
        }[name]

    def forward_of(self, module: _BatchNorm, normalise: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
        """Return the forward of a module with what takes the place of its normalisation, scale and shift included."""
        own = self._own[module]
        return normalise if own is None else OwnForward(module, own, normalise, self.name)

    @property
    def couples_samples(self) -> bool:
        """Whether some BatchNorm makes a sample's output depend on the other samples."""
        if self.name == "as-eval-mode":
            return any(module.running_mean is None for module in self.modules)
        return self.name == "coupled" and bool(self.modules)

    def record(self) -> None:
        """Take the statistics of the next forward passes as the frozen ones, until ``start`` is called."""
        self._statistics.clear()
        self.recording = True

    def start(self) -> None:
        """Use the recorded statistics from here on."""
        self.recording = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Use the recorded statistics for the time being: forward passes at other parameters must not record theirs."""
        recording, self.recording = self.recording, False
        try:
            yield
        finally:
            self.recording = recording

    def begin_forward(self) -> None:
        """Count calls of shared modules afresh: the k-th call of a pass uses the k-th recorded statistics."""
        if self._depth == 0:  # a network may call itself
            self._calls.clear()
        self._depth += 1

    def end_forward(self) -> None:
        """Leave a forward pass."""
        self._depth -= 1

    def _coupled(self, module: _BatchNorm, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        return F.batch_norm(x, None, None, weight, bias, training=True, eps=module.eps)

    def _frozen(self, module: _BatchNorm, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        mean, variance = self._frozen_statistics(module, x)
        constants = (mean.to(x.dtype), variance.to(x.dtype))
        return F.batch_norm(x, *constants, weight, bias, training=False, eps=module.eps)

    def centred(self, module: _BatchNorm, x: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return x − mean and the variance by which the next call of a module normalises, where both are constants.

        ``None`` under ``coupled`` and ``per-sample``, where they depend on the batch. Counts as the call itself.
        """
        if self.name == "frozen" and self.recording:
            mean, variance, values = _biased_statistics(x)
            self._record(module, (mean, variance))
            return values, variance
        if self.name == "frozen":
            mean, variance = self._frozen_statistics(module, x)
        elif self.name in ("eval", "as-eval-mode") and module.running_mean is not None:
            assert module.running_var is not None
            mean, variance = module.running_mean, module.running_var
        else:
            return None
        return x - mean.view(channel_shape(x)), variance

    def _record(self, module: _BatchNorm, statistics: Statistics) -> None:
        recorded, call = self._next_call(module)
        recorded[call : call + 1] = [statistics]

    def _next_call(self, module: _BatchNorm) -> tuple[list[Statistics], int]:
        call = self._calls.get(module, 0)
        self._calls[module] = call + 1
        return self._statistics.setdefault(module, []), call

    def _frozen_statistics(self, module: _BatchNorm, x: Tensor) -> Statistics:
        if self.recording:
            mean, variance, _ = _biased_statistics(x.detach())
            self._record(module, (mean, variance))
            return mean, variance
        recorded, call = self._next_call(module)
        if call >= len(recorded):
            raise KernelError(
                "A BatchNorm module was called more often than while its statistics were recorded: under 'frozen' "
                "the network must call its modules equally often on every batch. Use 'eval' or 'coupled'."
            )
        return recorded[call]

    def _eval(self, module: _BatchNorm, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        if module.running_mean is None:
            raise KernelError(
                "The policy 'eval' needs running statistics, and a BatchNorm here keeps none "
                "(track_running_stats=False): use 'frozen', 'coupled', or 'as-eval-mode' for what module.eval() does."
            )
        return F.batch_norm(x, module.running_mean, module.running_var, weight, bias, training=False, eps=module.eps)

    def _as_eval_mode(self, module: _BatchNorm, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        normalise = self._coupled if module.running_mean is None else self._eval
        return normalise(module, x, weight, bias)

    def _per_sample(self, module: _BatchNorm, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        if x[0, 0].numel() < 2:
            raise KernelError(
                f"The policy 'per-sample' needs at least two values per channel and sample, got an input of shape "
                f"{tuple(x.shape)}: use larger images, or another policy."
            )
        return F.instance_norm(x, None, None, weight, bias, use_input_stats=True, eps=module.eps)


def _biased_statistics(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance of every channel, and the input minus the mean.

    On the CPU by sample first: torch's own way is slow there with channels last, and BatchNorm's own sums one long
    row of numbers, to a relative 5e-6.
    """
    x = x.detach()
    if x.device.type != "cpu" or x.dim() < 3:
        variance, mean = torch.var_mean(x, [dim for dim in range(x.dim()) if dim != 1], correction=0)
        return mean, variance, x - mean.view(channel_shape(x))
    count = x[:, 0].numel()
    mean = channel_sums(x).sum(0) / count
    centred = x - mean.view(channel_shape(x))
    return mean, channel_sums(centred.square()).sum(0) / count, centred


def is_stock(module: _BatchNorm) -> bool:
    """Whether a BatchNorm's forward is torch's own, which normalises and does nothing else."""
    return "forward" not in module.__dict__ and type(module).forward in _STOCK_FORWARDS


@contextmanager
def applied(model: nn.Module, name: str) -> Iterator[Policy]:
    """Put a network under a policy: everything in evaluation mode (no dropout), BatchNorm as the policy says.

    Evaluation mode is the flag ``training`` of every module; a module's own ``train()`` is not called. Modes and
    forwards are restored on leaving; running statistics are never touched.
    """
    policy = Policy(model, name)
    modes = {module: module.training for module in model.modules()}
    handles = [
        model.register_forward_pre_hook(lambda *_: policy.begin_forward()),
        model.register_forward_hook(lambda *_: policy.end_forward(), always_call=True),
    ]
    forwards = {module: module.__dict__.get("forward") for module in policy.modules}
    try:
        for each in modes:  # by the flag: a module's own train() may change weights, as merging adapters do
            each.training = False
        for module in policy.modules:
            module.__dict__["forward"] = policy.forward_of(module, partial(_normalised, policy, module))
        yield policy
    finally:
        for handle in handles:
            handle.remove()
        for module, forward in forwards.items():
            module.__dict__.pop("forward", None)
            if forward is not None:
                module.__dict__["forward"] = forward
        for each, training in modes.items():
            each.training = training


def _normalised(policy: Policy, module: _BatchNorm, x: Tensor) -> Tensor:
    return policy.normalise(module, x, module.weight, module.bias)
