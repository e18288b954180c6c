"""BatchNorm subclasses with a forward of their own, such as normalisation followed by an activation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from ntknas.core.errors import KernelError

_ARGUMENTS = inspect.signature(F.batch_norm)


class OwnForward:
    """Runs a module's own forward with the normalisation inside it replaced.

    Args:
        module: The module.
        forward: Its own forward.
        normalise: What takes the place of its call of ``F.batch_norm``.
        policy: Name of the batch-norm policy, for the message.
        runs_as_it_is: Whether a forward without such a call is what the policy means.
    """

    def __init__(
        self,
        module: _BatchNorm,
        forward: Callable[..., Tensor],
        normalise: Callable[[Tensor], Tensor],
        policy: str,
        runs_as_it_is: bool,
    ):
        self._module, self._forward, self._normalise = module, forward, normalise
        self._policy, self._runs_as_it_is = policy, runs_as_it_is

    def __call__(self, *args: object, **options: object) -> Tensor:
        """Run the forward.

        Returns:
            Its output.

        Raises:
            KernelError: If it does not normalise as BatchNorm does and the policy is about how it normalises.
        """
        inner = _InnerNormalisation(self._module, self._normalise)
        with inner:
            y = self._forward(*args, **options)
        if not inner.calls and not self._runs_as_it_is:
            raise KernelError(
                f"The policy {self._policy!r} is not defined for {type(self._module).__name__}, a BatchNorm with a "
                "forward of its own that does not normalise by torch's batch_norm with its own weight. Set "
                "`batch_norm` to 'eval', or use torch.nn.BatchNorm2d (or 1d, 3d) and what follows it as another module."
            )
        return y


class _InnerNormalisation(TorchFunctionMode):
    """Replaces a module's own call of ``F.batch_norm``; those of modules inside it have other weights."""

    def __init__(self, module: _BatchNorm, normalise: Callable[[Tensor], Tensor]):
        super().__init__()
        self.calls = 0
        self._module, self._normalise = module, normalise

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        """Run a function, or what takes its place."""
        options = kwargs or {}
        if func is F.batch_norm:
            arguments = _ARGUMENTS.bind(*args, **options).arguments
            if arguments.get("weight") is self._module.weight and arguments.get("bias") is self._module.bias:
                self.calls += 1
                return self._normalise(arguments["input"])
        return func(*args, **options)
