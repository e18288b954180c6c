"""What every way of computing a kernel does first: check its input, and bring the model into a known state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ntknas.core.errors import KernelError
from ntknas.kernels import backward_hooks, surroundings
from ntknas.kernels.batch import Batch
from ntknas.kernels.surroundings import full_precision

__all__ = [
    "check_model",
    "check_no_gradients",
    "checked_batches",
    "converted",
    "full_precision",
    "in_precision",
    "precision",
    "prepared",
]

_ROW_PRECISIONS = {torch.float32: "float32", torch.float64: "float64"}
_REAL = {torch.complex64: torch.float32, torch.complex128: torch.float64}


def check_model(model: object) -> None:
    """Check that a kernel can be taken of a model here.

    Raises:
        KernelError: If not.
    """
    if not isinstance(model, nn.Module):
        raise KernelError(f"The model must be a torch.nn.Module, got {type(model).__name__}.")
    if any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
        raise KernelError(
            "A scripted or traced module hides its BatchNorm and parameters: pass the module it was made of."
        )
    if torch.is_inference_mode_enabled():
        raise KernelError("A kernel needs gradients: call it outside torch.inference_mode().")
    backward_hooks.refuse(model)


def checked_batches(
    x: Tensor, x2: Tensor | None = None, labels: Tensor | None = None, labels2: Tensor | None = None
) -> list[Batch]:
    """Return one batch or two with their labels.

    Raises:
        KernelError: If one is not a tensor, has no samples, or has labels that do not fit.
    """
    if x2 is None and labels2 is not None:
        raise KernelError("`labels2` are the labels of a second batch: pass `x2` too.")
    _check_batch("x", x, labels)
    if x2 is not None:
        _check_batch("x2", x2, labels2)
    x = x.detach()  # whose gradient is nobody's here
    return [Batch(x, labels)] if x2 is None else [Batch(x, labels), Batch(x2.detach(), labels2)]


def _check_batch(name: str, x: object, labels: object) -> None:
    if not isinstance(x, Tensor):
        raise KernelError(f"`{name}` must be a torch tensor, got {type(x).__name__}: use torch.as_tensor({name}).")
    if x.dim() == 0 or len(x) == 0:
        raise KernelError(f"`{name}` must hold at least one sample, got shape {tuple(x.shape)}.")
    if labels is None:
        return
    if not isinstance(labels, Tensor):
        raise KernelError(f"Labels must be a torch tensor, got {type(labels).__name__}: use torch.as_tensor.")
    if labels.shape != (len(x),):
        raise KernelError(f"`{name}` has {len(x)} samples and labels of shape {tuple(labels.shape)}.")


def precision(parameters: dict[str, nn.Parameter], batches: list[Tensor]) -> str:
    """Return the precision that parameters and inputs share; complex numbers have that of their parts.

    Raises:
        KernelError: If they do not share one.
    """
    dtypes = {parameter.dtype for parameter in parameters.values()}
    dtypes |= {batch.dtype for batch in batches if batch.is_floating_point() or batch.is_complex()}
    dtypes = {_REAL.get(dtype, dtype) for dtype in dtypes}
    if len(dtypes) > 1 or not dtypes <= set(_ROW_PRECISIONS):
        raise KernelError(
            f"Parameters and inputs must share one of float32 and float64, got {', '.join(sorted(map(str, dtypes)))}: "
            "convert with model.double() and x.double(), or .float(); they leave complex parameters as they are, which "
            "p.data = p.data.to(torch.complex128) converts one by one."
        )
    return _ROW_PRECISIONS[dtypes.pop()]


@contextmanager
def prepared(model: nn.Module, parameters: dict[str, nn.Parameter], x: Tensor) -> Iterator[None]:
    """Let exactly these parameters require gradients, run plainly (``surroundings``); restore all on leaving.

    Args:
        model: The network.
        parameters: What the Jacobian is taken by.
        x: The batch, for its device.

    Yields:
        Nothing; the network is prepared inside the context.

    Raises:
        KernelError: If a backward pass wrote into ``.grad``, so that what it returned is not the gradient.
        RuntimeError: What the network raised.
    """
    differentiated = {id(parameter) for parameter in parameters.values()}
    states = [(name, p, p.requires_grad, p.grad) for name, p in model.named_parameters()]
    try:
        with surroundings.plain(model, x):
            for _, parameter, _, _ in states:
                parameter.requires_grad_(id(parameter) in differentiated)
                parameter.grad = None
            yield
        _refuse_written([name for name, parameter, _, _ in states if parameter.grad is not None])
    except RuntimeError as error:
        if "checkpoint" in str(error).lower() and ".grad()" in str(error):  # a copy of torch's re-entrant one
            raise KernelError(_NESTED.format("")) from error
        raise
    finally:
        for _, parameter, requires_grad, gradient in states:
            parameter.requires_grad_(requires_grad)
            parameter.grad = gradient


_NESTED = (
    "The network's backward pass is a nested one that writes into .grad{}, as re-entrant checkpoints and some "
    "reversible blocks do: what it returns is not the gradient. Use torch.utils.checkpoint with use_reentrant=False, "
    "or the block without checkpoint."
)


def check_no_gradients(model: nn.Module) -> None:
    """Check that no backward pass wrote into ``.grad`` of a parameter, all of which are empty here.

    Raises:
        KernelError: If one did.
    """
    _refuse_written([name for name, parameter in model.named_parameters() if parameter.grad is not None])


def _refuse_written(names: list[str]) -> None:
    if names:
        raise KernelError(_NESTED.format(f" of {', '.join(names[:3])}{' and others' * (len(names) > 3)}"))


def converted(model: nn.Module, device: torch.device | str, precision: torch.dtype) -> nn.Module:
    """Bring a network to a device and a precision; complex parameters stay complex."""
    if any(tensor.is_complex() for tensor in (*model.parameters(), *model.buffers())):
        # Module.to would cast complex numbers to the real dtype and drop their imaginary parts.
        model._apply(lambda tensor: in_precision(tensor, device, precision))
        return model
    return model.to(device, precision)


def in_precision(tensor: Tensor, device: torch.device | str, precision: torch.dtype) -> Tensor:
    """Bring a tensor to a device and, if it holds real or complex numbers, to a precision."""
    if tensor.is_complex():
        return tensor.to(device, precision.to_complex())
    return tensor.to(device, precision) if tensor.is_floating_point() else tensor.to(device)
