"""The kernel of HNAS: the gradient of one number, split by the sample at which it enters each layer.

With O = Σ_k f_{y_k}(x_k) and samples that BatchNorm couples, the row of sample n is not ∂f_{y_n}(x_n)/∂θ. It keeps, in
every convolution and linear layer z = W a + b, the n-th sample's term of ∂O/∂W = Σ_n (∂O/∂z_n) a_nᵀ and of ∂O/∂b. The
rows sum to ∇O, and one backward pass gives all of them; where samples do not see one another they are those of the
output reduction ``label``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ntknas.core.choices import Choices
from ntknas.core.errors import KernelError
from ntknas.kernels import gradients, preparation
from ntknas.kernels.batch import Batch
from ntknas.kernels.network import NetworkUnderPolicy, under_policy
from ntknas.kernels.projections import TOLERANCE
from ntknas.kernels.strategies import layer_wise
from ntknas.kernels.strategies.tapping import NotLayerWiseError

_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d)
_ROUNDINGS = 1e2
"""Terms of samples may cancel in ∇O; so many roundings of them are no fault."""


def slot_kernel(
    model: nn.Module, x: Tensor, labels: Tensor, batch_norm: str = "coupled", verify: bool = True
) -> Tensor:
    """Compute the Gram matrix of the rows by slot, by weights and biases of convolutions and linear layers.

    Args:
        model: As in ``empirical_ntk``; its convolutions and linear layers are torch's own, each with its own weights.
        x: The batch, N×….
        labels: Classes of x.
        batch_norm: Batch-norm policy (``ntknas.core.choices.BATCH_NORMS``).
        verify: Whether to check by a plain backward pass that the rows sum to ∇O.

    Returns:
        The matrix, N×N, float64, on the CPU.

    Raises:
        ChoiceError: If the policy is unknown.
        KernelError: If there are no convolutions and linear layers, or labels do not fit.
        NotLayerWiseError: If a layer of the module has no such rows; also a ``KernelError``.

    Example:
        >>> from torch import nn, tensor
        >>> slot_kernel(nn.Linear(1, 2), tensor([[2.0], [3.0]]), tensor([0, 0])).tolist()
        [[5.0, 7.0], [7.0, 10.0]]
    """
    preparation.check_model(model)
    (batch,) = preparation.checked_batches(x, labels=labels)
    with under_policy(model, [batch], Choices.of("label", batch_norm, _names(model))) as network:
        blockers = layer_wise.blockers(network)
        if blockers:
            raise NotLayerWiseError(
                f"Rows by slot need layers that own their parameters alone, got {', '.join(blockers[:3])}."
            )
        network.record_statistics(batch.x)
        accumulator, _ = layer_wise.gram(network, [batch])
        kernel = accumulator.gram.cpu()
        if verify:
            _check_sum(network, batch, kernel)
    return kernel


def _names(model: nn.Module) -> tuple[str, ...]:
    owned = {id(p) for module in model.modules() if isinstance(module, _LAYERS) for p in module._parameters.values()}
    names = tuple(name for name, parameter in model.named_parameters() if id(parameter) in owned)
    if not names:
        raise KernelError(f"Rows by slot are of convolutions and linear layers, and {type(model).__name__} has none.")
    return names


def _check_sum(network: NetworkUnderPolicy, batch: Batch, kernel: Tensor) -> None:
    """Check that 1ᵀK1 is ‖∇O‖², so that a row is a sample's part of the gradient.

    Raises:
        KernelError: If it is not.
    """
    output = network.output(batch.x)
    (cotangent,) = network.passes(output, batch.labels)
    found = [gradient for gradient in network.vjp(output, cotangent) if gradient is not None]
    expected, rounding = gradients.squared_norm(found), torch.finfo(network.dtype).eps * float(kernel.abs().sum())
    allowed = TOLERANCE[network.dtype] * expected + _ROUNDINGS * rounding
    if abs(float(kernel.sum()) - expected) > allowed:  # False where it is not finite, which measures say
        raise KernelError(
            "The rows by slot do not sum to the gradient: a layer does not have its samples in dimension 0 of its "
            "input, or changes them on its way."
        )
