"""What every way of computing a kernel does first: check its input, and bring the model into a known state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from ntknas.core.choices import Choices
from ntknas.core.errors import KernelError
from ntknas.kernels import parameter_sets

_ROW_PRECISIONS = {torch.float32: "float32", torch.float64: "float64"}


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
    return ([x], [labels]) if x2 is None else ([x, x2], [labels, labels2])


def precision(parameters: dict[str, nn.Parameter], batches: list[Tensor]) -> str:
    """Return the precision that parameters and inputs share.

    Raises:
        KernelError: If they do not share one.
    """
    dtypes = {parameter.dtype for parameter in parameters.values()}
    dtypes |= {batch.dtype for batch in batches if batch.is_floating_point()}
    if len(dtypes) > 1 or not dtypes <= set(_ROW_PRECISIONS):
        raise KernelError(
            f"Parameters and inputs must share one of float32 and float64, got {', '.join(sorted(map(str, dtypes)))}: "
            "convert with model.double() and x.double()."
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
    """Let exactly the chosen parameters require gradients, in full precision; restore everything on leaving."""
    wanted = {id(parameter) for parameter in chosen.values()}
    before = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    recurrent = x.is_cuda and any(isinstance(module, nn.RNNBase) for module in model.modules())
    with ExitStack() as stack:
        stack.enter_context(torch.enable_grad())
        stack.enter_context(full_precision(cudnn=torch.backends.cudnn.enabled and not recurrent))
        try:
            for parameter in model.parameters():
                parameter.requires_grad_(id(parameter) in wanted)
            yield
        finally:
            for parameter, requires_grad in before:
                parameter.requires_grad_(requires_grad)


@contextmanager
def full_precision(*, cudnn: bool = True) -> Iterator[None]:
    """Switch TF32 off, and cuDNN where it must not be used: it refuses recurrent backward passes in evaluation mode."""
    matmul = torch.get_float32_matmul_precision()
    backend = torch.backends.cudnn
    with backend.flags(cudnn, backend.benchmark, backend.benchmark_limit, backend.deterministic, allow_tf32=False):
        try:
            torch.set_float32_matmul_precision("highest")
            yield
        finally:
            torch.set_float32_matmul_precision(matmul)
