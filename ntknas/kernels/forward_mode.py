"""The change of a network's outputs along a direction in its parameters, by forward-mode differentiation.

No backward pass takes part: hooks on gradients and backward formulas of custom functions do not enter. What stops
gradients (``detach``, ``no_grad``) stops tangents too.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.autograd.grad_mode import _unsafe_preserve_version_counter
from torch.overrides import TorchFunctionMode

from ntknas.kernels.memory import is_out_of_memory
from ntknas.kernels.network import NetworkUnderPolicy
from ntknas.kernels.surroundings import without_fused_recurrence


def directional(network: NetworkUnderPolicy, direction: Sequence[Tensor], x: Tensor) -> Tensor | None:
    """Return the change of the outputs along a direction in the parameters.

    Args:
        network: The network.
        direction: t, one tensor per parameter.
        x: The batch.

    Returns:
        J t, N×C, or ``None`` where an operation has no forward-mode derivative.

    Raises:
        RuntimeError: If memory runs out.
    """
    try:
        with _with_tangents(network.model, network.leaves, direction):
            dual = forward_ad.unpack_dual(network.output(x))
    except RuntimeError as error:  # NotImplementedError is one
        if is_out_of_memory(error):
            raise
        return None
    return torch.zeros_like(dual.primal) if dual.tangent is None else dual.tangent.detach()


@contextmanager
def _with_tangents(model: nn.Module, parameters: Sequence[nn.Parameter], direction: Sequence[Tensor]) -> Iterator[None]:
    """Give the parameters themselves tangents, whoever holds them, and let no graph be made."""
    required = [parameter.requires_grad for parameter in parameters]
    try:
        for parameter in parameters:
            parameter.requires_grad_(False)
        with ExitStack() as stack:
            stack.enter_context(forward_ad.dual_level())
            for parameter, tangent in zip(parameters, direction, strict=True):
                _give(parameter, tangent)
            if any(isinstance(module, nn.RNNBase) for module in model.modules()):  # fused ones have no such derivative
                stack.enter_context(without_fused_recurrence())
            stack.enter_context(_NoGradStopsTangents())
            yield
    finally:
        for parameter, requires_grad in zip(parameters, required, strict=True):
            parameter.requires_grad_(requires_grad)


def _give(parameter: nn.Parameter, tangent: Tensor) -> None:
    """Give a parameter a tangent; its value stays what it is."""
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # of torch about torch
        # of a copy: a dual that shares the parameter's memory would be overwritten by itself below
        dual = forward_ad.make_dual(parameter.detach().clone(), tangent)
    # The version too: autograd would refuse graphs that saved this parameter, though its value is the same.
    with torch.no_grad(), _unsafe_preserve_version_counter(parameter):
        parameter.copy_(dual)


class _NoGradStopsTangents(TorchFunctionMode):
    """Lets ``torch.no_grad`` inside a network stop tangents, as it stops gradients."""

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        """Run a function."""
        result = func(*args, **(kwargs or {}))
        if func is torch._C._set_grad_enabled:
            torch._C._set_fwd_grad_enabled(bool(args[0]))
        return result

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let tangents pass again, whatever an error left behind."""
        super().__exit__(kind, error, traceback)  # type: ignore[no-untyped-call]
        torch._C._set_fwd_grad_enabled(True)
