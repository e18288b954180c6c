"""BatchNorm subclasses with a forward of their own, such as normalisation followed by an activation."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

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
        policy: Name of the batch-norm policy.
    """

    def __init__(
        self,
        module: _BatchNorm,
        forward: Callable[..., Tensor],
        normalise: Callable[[Tensor], Tensor],
        policy: str,
    ):
        self._module, self._forward, self._normalise, self._policy = module, forward, normalise, policy

    def __call__(self, *args: Any, **options: Any) -> Tensor:
        """Run the forward.

        Raises:
            KernelError: If it does not normalise as BatchNorm does and the policy is about how it normalises.
        """
        inner = _InnerNormalisation(self._module, self._normalise)
        with inner:
            y = self._forward(*args, **options)
        if not inner.calls and self._policy not in ("eval", "as-eval-mode"):
            raise KernelError(
                f"The policy {self._policy!r} is not defined for {type(self._module).__name__}, a BatchNorm with a "
                "forward of its own that does not normalise by torch's batch_norm with its own weight. Use "
                "batch_norm='eval', or torch.nn.BatchNorm2d (or 1d, 3d) and what follows it as another module."
            )
        return y


class _InnerNormalisation(TorchFunctionMode):
    """Replaces a module's own call of ``F.batch_norm``; those of modules inside it have other weights."""

    def __init__(self, module: _BatchNorm, normalise: Callable[[Tensor], Tensor]):
        super().__init__()
        self.calls = 0
        self._module, self._normalise = module, normalise

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run a function, or what takes its place."""
        options = kwargs or {}
        if func is F.batch_norm:
            given = _ARGUMENTS.bind(*args, **options).arguments
            if given.get("weight") is self._module.weight and given.get("bias") is self._module.bias:
                self.calls += 1
                return self._normalise(given["input"])
        return func(*args, **options)
