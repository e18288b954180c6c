"""Hooks that change or see gradients on their way: what autograd returns is then no row of J."""

from __future__ import annotations

from torch import nn
from torch.nn.modules import module as torch_module

from ntknas.core.errors import KernelError

_GLOBAL = ("_global_backward_hooks", "_global_backward_pre_hooks")
_OF_MODULES = ("_backward_hooks", "_backward_pre_hooks")


def refuse(model: nn.Module) -> None:
    """Refuse a network with backward hooks on its modules, or on all modules of the process.

    Hooks on forward passes are part of the function. Those on gradients inside ``forward`` only a run can find, and
    ``verification`` does; those on parameters ``parameter_sets`` finds.

    Raises:
        KernelError: If there are any.
    """
    if any(getattr(torch_module, name, None) for name in _GLOBAL):
        raise KernelError(
            "A backward hook is registered for all modules (torch.nn.modules.module.register_module_full_backward_hook "
            "or one of its kind) and may change gradients, which are then no rows of J: remove it."
        )
    hooked = [
        f"{name or 'the network itself'} ({type(module).__name__})"
        for name, module in model.named_modules()
        if any(getattr(module, kind, None) for kind in _OF_MODULES)
    ]
    if hooked:
        raise KernelError(
            f"Backward hooks are registered on {', '.join(hooked[:3])}{' and others' * (len(hooked) > 3)}: they may "
            "change gradients, which are then no rows of J. Remove them: handle.remove() of what registered them."
        )
