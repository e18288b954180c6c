"""What BatchNorm does while a kernel is computed: one class for each policy.

All that depends on the policy is decided here, by the class: no other module compares names of policies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ntknas.core.errors import KernelError
from ntknas.kernels.channels import Statistics, biased_statistics, channel_shape
from ntknas.kernels.own_forwards import OwnForward

_STOCK_FORWARDS = (_BatchNorm.forward, nn.SyncBatchNorm.forward)


def batch_norms(model: nn.Module) -> list[_BatchNorm]:
    """Return the BatchNorm modules of a network, each once."""
    return [module for module in model.modules() if isinstance(module, _BatchNorm)]


class Policy:
    """A batch-norm policy at work on one network.

    Args:
        model: The network.

    Attributes:
        name: Key of ``ntknas.core.choices.BATCH_NORMS``.
        admits_mixing: Whether kernels of networks are defined that mix samples beyond BatchNorm.
        runs_own_forwards: Whether the forward of a BatchNorm subclass that never calls ``F.batch_norm`` may run as it
            is, because evaluation mode is what the policy means.
        modules: BatchNorm modules of the network.
        couples_samples: Whether some BatchNorm makes a sample's output depend on the other samples.
    """

    name: ClassVar[str]
    admits_mixing: ClassVar[bool] = False
    runs_own_forwards: ClassVar[bool] = False

    def __init__(self, model: nn.Module):
        self.modules = batch_norms(model)
        self.couples_samples = self.couples(model)
        # Taken here, before `applied` puts others in their place.
        self._own_forwards = {module: None if is_stock(module) else module.forward for module in self.modules}

    @classmethod
    def couples(cls, model: nn.Module) -> bool:
        """Return whether some BatchNorm of a network couples the samples under this policy."""
        return False

    def normalise(self, module: _BatchNorm, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        """Return what a BatchNorm module makes of its input.

        Args:
            module: The module.
            x: Its input.
            weight: The scale, or ``None`` for the normalised values.
            bias: The shift, or ``None``.
        """
        raise NotImplementedError

    def centred(self, module: _BatchNorm, x: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return x − mean and the variance by which the next call of a module normalises, where both are constants.

        Counts as the call itself.

        Returns:
            Both, or ``None`` where they depend on the batch.
        """
        constants = self._constants(module, x)
        if constants is None:
            return None
        mean, variance = constants
        return x - mean.view(channel_shape(x)), variance

    def _constants(self, module: _BatchNorm, x: Tensor) -> Statistics | None:
        """Return mean and variance of a module's next call if they do not depend on the batch."""
        return None

    def forward_of(self, module: _BatchNorm, normalise: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
        """Return the forward of a module with what takes the place of its normalisation, scale and shift included."""
        forward = self._own_forwards[module]
        if forward is None:
            return normalise
        return OwnForward(module, forward, normalise, self.name, self.runs_own_forwards)

    @property
    def needs_recording(self) -> bool:
        """Whether forward passes record statistics that later passes use."""
        return False

    def record(self) -> None:
        """Let the next forward passes record the statistics, until ``start``; nothing where none are recorded."""

    def start(self) -> None:
        """Use the recorded statistics from here on."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Use the recorded statistics for the time being: forward passes at other parameters must not record theirs."""
        yield

    def begin_forward(self) -> None:
        """Enter a forward pass of the network."""

    def end_forward(self) -> None:
        """Leave a forward pass of the network."""


class Coupled(Policy):
    """Batch statistics, and the gradient flows through them."""

    name = "coupled"
    admits_mixing = True

    @classmethod
    def couples(cls, model: nn.Module) -> bool:
        """Return whether there is any BatchNorm."""
        return bool(batch_norms(model))

    def normalise(self, module: _BatchNorm, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        """Normalise by the batch's own statistics."""
        return _by_batch_statistics(module, x, weight, bias)


class PerSample(Policy):
    """Each sample's own spatial statistics, and the gradient flows through them."""

    name = "per-sample"

    def normalise(self, module: _BatchNorm, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        """Normalise every sample by itself.

        Returns:
            The normalised values.

        Raises:
            KernelError: If a sample has one value per channel, whose variance is zero.
        """
        if x[0, 0].numel() < 2:
            raise KernelError(
                f"The policy 'per-sample' needs at least two values per channel and sample, got an input of shape "
                f"{tuple(x.shape)}: use larger images, or another `batch_norm`."
            )
        return F.instance_norm(x, None, None, weight, bias, use_input_stats=True, eps=module.eps)


class Eval(Policy):
    """Running statistics, constants."""

    name = "eval"
    runs_own_forwards = True

    def normalise(self, module: _BatchNorm, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        """Normalise by the running statistics.

        Returns:
            The normalised values.

        Raises:
            KernelError: If the module keeps none.
        """
        if module.running_mean is None:
            raise KernelError(
                "The policy 'eval' needs running statistics, and a BatchNorm here keeps none "
                "(track_running_stats=False): use 'frozen', 'coupled', or 'as-eval-mode' for what module.eval() does."
            )
        return F.batch_norm(x, module.running_mean, module.running_var, weight, bias, training=False, eps=module.eps)

    def _constants(self, module: _BatchNorm, x: Tensor) -> Statistics | None:
        if module.running_mean is None or module.running_var is None:
            return None
        return module.running_mean, module.running_var


class AsEvalMode(Eval):
    """Whatever ``module.eval()`` does: BatchNorm without running statistics normalises by its batch."""

    name = "as-eval-mode"

    @classmethod
    def couples(cls, model: nn.Module) -> bool:
        """Return whether some BatchNorm keeps no running statistics."""
        return any(module.running_mean is None for module in batch_norms(model))

    def normalise(self, module: _BatchNorm, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        """Normalise by the running statistics if there are any, else by those of the batch."""
        if module.running_mean is None:
            return _by_batch_statistics(module, x, weight, bias)
        return super().normalise(module, x, weight, bias)


class Frozen(Policy):
    """Mean and biased variance of the whole batch, recorded once, then constants.

    Attributes:
        recording: Whether forward passes record the statistics that they meet.
    """

    name = "frozen"

    def __init__(self, model: nn.Module):
        super().__init__(model)
        self.recording = False
        self._recorded: dict[nn.Module, list[Statistics]] = {}
        self._calls: dict[nn.Module, int] = {}
        self._depth = 0

    @property
    def needs_recording(self) -> bool:
        """Whether there is any BatchNorm."""
        return bool(self.modules)

    def record(self) -> None:
        """Take the statistics of the next forward passes as the frozen ones, until ``start`` is called."""
        self._recorded.clear()
        self.recording = True

    def start(self) -> None:
        """Use the recorded statistics from here on."""
        self.recording = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Use the recorded statistics for the time being."""
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

    def normalise(self, module: _BatchNorm, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        """Normalise by the recorded statistics, or record those of this input and use them."""
        mean, variance = self._constants(module, x)
        constants = (mean.to(x.dtype), variance.to(x.dtype))  # those of float32 serve checks in float64 too
        return F.batch_norm(x, *constants, weight, bias, training=False, eps=module.eps)

    def centred(self, module: _BatchNorm, x: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return x − mean and the variance, as in ``Policy``; what is recorded here was centred on the way."""
        if not self.recording:
            return super().centred(module, x)
        mean, variance, values = biased_statistics(x)
        self._record(module, (mean, variance))
        return values, variance

    def _constants(self, module: _BatchNorm, x: Tensor) -> Statistics:
        if self.recording:
            mean, variance, _ = biased_statistics(x)
            self._record(module, (mean, variance))
            return mean, variance
        recorded, call = self._next_call(module)
        if call >= len(recorded):
            raise KernelError(
                "A BatchNorm module was called more often than while its statistics were recorded: under 'frozen' "
                "the network must call its modules equally often on every batch. Use 'eval' or 'coupled'."
            )
        return recorded[call]

    def _record(self, module: _BatchNorm, statistics: Statistics) -> None:
        recorded, call = self._next_call(module)
        recorded[call : call + 1] = [statistics]

    def _next_call(self, module: _BatchNorm) -> tuple[list[Statistics], int]:
        call = self._calls.get(module, 0)
        self._calls[module] = call + 1
        return self._recorded.setdefault(module, []), call


POLICIES: dict[str, type[Policy]] = {policy.name: policy for policy in (Coupled, Frozen, Eval, AsEvalMode, PerSample)}


def couples_samples(batch_norm: str, model: nn.Module) -> bool:
    """Return whether a network's samples are coupled by BatchNorm under a policy, given by name."""
    return POLICIES[batch_norm].couples(model)


def _by_batch_statistics(module: _BatchNorm, x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    return F.batch_norm(x, None, None, weight, bias, training=True, eps=module.eps)


def is_stock(module: _BatchNorm) -> bool:
    """Return whether a BatchNorm's forward is torch's own, which normalises and does nothing else."""
    return "forward" not in module.__dict__ and type(module).forward in _STOCK_FORWARDS


@contextmanager
def applied(model: nn.Module, batch_norm: str) -> Iterator[Policy]:
    """Put a network under a policy: everything in evaluation mode (no dropout), BatchNorm as the policy says.

    Evaluation mode is the flag ``training`` of every module; a module's own ``train()`` is not called. Modes and
    forwards are restored on leaving; running statistics are never touched.

    Args:
        model: The network.
        batch_norm: Name of the policy.

    Yields:
        The policy at work.
    """
    policy = POLICIES[batch_norm](model)
    modes = {module: module.training for module in model.modules()}
    handles = [  # a pass that raises must end too, or the calls of later ones would be counted on from it
        model.register_forward_pre_hook(lambda *_: policy.begin_forward()),
        model.register_forward_hook(lambda *_: policy.end_forward(), always_call=True),
    ]
    forwards = {module: module.__dict__.get("forward") for module in policy.modules}
    try:
        for module in modes:  # by the flag: a module's own train() may change weights, as merging adapters do
            module.training = False
        for norm in policy.modules:
            norm.__dict__["forward"] = policy.forward_of(norm, partial(_normalised, policy, norm))
        yield policy
    finally:
        for handle in handles:
            handle.remove()
        for norm, forward in forwards.items():
            norm.__dict__.pop("forward", None)
            if forward is not None:
                norm.__dict__["forward"] = forward
        for module, training in modes.items():
            module.training = training


def _normalised(policy: Policy, module: _BatchNorm, x: Tensor) -> Tensor:
    return policy.normalise(module, x, module.weight, module.bias)
