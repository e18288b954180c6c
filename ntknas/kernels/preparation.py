"""What every way of computing a kernel does first: check its input, and bring the model into a known state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ntknas.core.choices import Choices
from ntknas.core.errors import KernelError
from ntknas.kernels import backward_hooks, parameter_sets, surroundings
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
    "request",
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
    x: Tensor, x2: Tensor | None, labels: Tensor | None, labels2: Tensor | None
) -> tuple[list[Tensor], list[Tensor | None]]:
    """Return one batch or two, and their labels.

    Raises:
        KernelError: If one is not a tensor, has no samples, or has labels that do not fit.
    """
    for name, batch, classes in (("x", x, labels), ("x2", x2, labels2)):
        if batch is None:
            if classes is not None:
                raise KernelError("labels2 are the labels of a second batch: pass x2 too.")
            continue
        if not isinstance(batch, Tensor):
            raise KernelError(
                f"{name} must be a torch tensor, got {type(batch).__name__}: use torch.as_tensor({name})."
            )
        if batch.dim() == 0 or len(batch) == 0:
            raise KernelError(f"{name} must hold at least one sample, got shape {tuple(batch.shape)}.")
        if classes is not None and not isinstance(classes, Tensor):
            raise KernelError(f"Labels must be a torch tensor, got {type(classes).__name__}: use torch.as_tensor.")
        if classes is not None and classes.shape != (len(batch),):
            raise KernelError(f"{name} has {len(batch)} samples and labels of shape {tuple(classes.shape)}.")
    x = x.detach()  # whose gradient is nobody's here
    return ([x], [labels]) if x2 is None else ([x, x2.detach()], [labels, labels2])


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


def request(
    model: nn.Module,
    batches: list[Tensor],
    output: str,
    batch_norm: str,
    parameters: str | Sequence[str],
    normalisation: str = "none",
) -> tuple[dict[str, nn.Parameter], Choices]:
    """Return the parameters that the Jacobian is taken by, and the kernel's choices.

    Raises:
        ChoiceError: If a choice is unknown.
        KernelError: If parameters and inputs do not share a precision.
    """
    names = parameters if isinstance(parameters, str) else tuple(parameters)
    chosen = parameter_sets.select(model, names)
    return chosen, Choices(output, batch_norm, names, normalisation, precision(chosen, batches))


@contextmanager
def prepared(model: nn.Module, chosen: dict[str, nn.Parameter], x: Tensor) -> Iterator[None]:
    """Let exactly the chosen parameters require gradients, run plainly (``surroundings``); restore all on leaving.

    Raises:
        KernelError: If a backward pass wrote into ``.grad``, so that what it returned is not the gradient.
    """
    wanted = {id(parameter) for parameter in chosen.values()}
    before = [(name, p, p.requires_grad, p.grad) for name, p in model.named_parameters()]
    try:
        with surroundings.plain(model, x):
            for _, parameter, _, _ in before:
                parameter.requires_grad_(id(parameter) in wanted)
                parameter.grad = None
            yield
        _refuse_written([name for name, parameter, _, _ in before if parameter.grad is not None])
    except RuntimeError as error:
        if "checkpoint" in str(error).lower() and ".grad()" in str(error):  # a copy of torch's re-entrant one
            raise KernelError(_NESTED.format("")) from error
        raise
    finally:
        for _, parameter, requires_grad, gradient in before:
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


def _refuse_written(written: list[str]) -> None:
    if written:
        raise KernelError(_NESTED.format(f" of {', '.join(written[:3])}{' and others' * (len(written) > 3)}"))


def converted(model: nn.Module, device: torch.device | str, precision: torch.dtype) -> nn.Module:
    """Bring a network to a device and a precision; complex parameters stay complex."""
    if any(tensor.is_complex() for tensor in (*model.parameters(), *model.buffers())):
        return model._apply(lambda tensor: in_precision(tensor, device, precision))
    return model.to(device, precision)


def in_precision(tensor: Tensor, device: torch.device | str, precision: torch.dtype) -> Tensor:
    """Bring a tensor to a device and, if it holds real or complex numbers, to a precision."""
    if tensor.is_complex():
        return tensor.to(device, precision.to_complex())
    return tensor.to(device, precision) if tensor.is_floating_point() else tensor.to(device)
