"""Kernels under attack: of the attacked batch, or of rows that mix those of a batch with those of the attacked one.

A kernel of mixed rows is one Gram matrix G of both batches' rows, brought to half its size by M G Mᵀ in float64, M the
weights of the mixture: the Gram matrix of the mixed rows, without one of the kernels between the batches by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from ntknas.core.choices import Choices
from ntknas.core.errors import KernelError
from ntknas.core.kernel import Kernel
from ntknas.core.perturbation import MIXED_ROBUST, Attack
from ntknas.core.pixel_range import PixelRange
from ntknas.kernels import preparation
from ntknas.kernels.attacks import attacked
from ntknas.kernels.batch import Batch, stacked
from ntknas.kernels.empirical import compute_kernel
from ntknas.kernels.method import Method


def compute_perturbed_kernel(
    model: nn.Module,
    batch: Batch,
    choices: Choices,
    pixel_range: PixelRange | None,
    method: Method | None = None,
    seed: int = 0,
) -> Kernel:
    """Compute the kernel that choices with an attack name; see ``perturbed_ntk``.

    Args:
        model: The network, which is attacked as it is.
        batch: The batch, with labels.
        choices: Which kernel, and the attack.
        pixel_range: What black and white are after normalisation.
        method: How to compute it.
        seed: Seed of random starts.

    Returns:
        The kernel, N×N (NC×NC for ``full``).

    Raises:
        ChoiceError: If a choice is unknown.
        KernelError: If the kernel is not defined for this module and batch.
        NoValueError: ``disconnected`` if the loss has no gradient by any image.
    """
    attack, rows, method = choices.attack, choices.rows, method or Method()
    if attack is None:
        return compute_kernel(model, [batch], choices, method)
    if pixel_range is None:
        raise KernelError(
            "An attack needs images with pixels from 0 to 1, and these have none: choose another `probe`."
        )
    stages = _stages(model, batch, attack, 2 if rows.name == MIXED_ROBUST else 1, pixel_range, seed, method.chunk)
    if rows.is_mixed:
        side, weights = stacked(stages[-2:]), (1 - float(rows.beta), float(rows.beta))
    else:
        side, weights = stages[-1], None
    kernel = compute_kernel(model, [side], choices.unperturbed(), method, reference=batch.x, weights=weights)
    return _of_choices(kernel, replace(choices, precision=kernel.choices.precision))


def _of_choices(kernel: Kernel, choices: Choices) -> Kernel:
    """Return a kernel, and what each layer adds to it, under the choices that were asked for."""
    layers = kernel.layers and tuple(
        replace(layer, kernel=replace(layer.kernel, choices=choices)) for layer in kernel.layers
    )
    return replace(kernel, choices=choices, layers=layers)


def _stages(
    model: nn.Module,
    batch: Batch,
    attack: Attack,
    attacks: int,
    pixel_range: PixelRange,
    seed: int,
    chunk: int | None,
) -> list[Batch]:
    """Return the batch and what one attack after the other makes of it: each within its own ball around the last."""
    stages = [batch]
    for number in range(1, attacks + 1):
        stages.append(attacked(model, stages[-1], attack, pixel_range, seed, number, chunk))
    return stages


def attacked_images(
    model: nn.Module,
    x: Tensor,
    labels: Tensor,
    perturb: str,
    black: Tensor | Sequence[float] = (0.0,),
    white: Tensor | Sequence[float] = (1.0,),
    seed: int = 0,
) -> Tensor:
    """Attack images by the network itself, with its weights as they are.

    FGSM is clip(x + ε sign ∇ℓ); PGD takes T steps of α from a random start in the ball of ε, and comes back into the
    ball after each. ε and α are of pixels from 0 to 1, as is the clipping; ℓ is the cross-entropy with the true class;
    the network is in evaluation mode meanwhile.

    Args:
        model: The network, whose outputs are logits.
        x: Normalised images, N×C×H×W.
        labels: Their classes.
        perturb: ``fgsm:EPS`` or ``pgdT:EPS[:ALPHA]``, such as ``fgsm:1/255`` or ``pgd20:8/255``.
        black: What a black pixel is after normalisation, one value per channel or one for all.
        white: The same of a white one.
        seed: Seed of a random start.

    Returns:
        The attacked images, normalised as x is.

    Raises:
        ChoiceError: If the attack is none.
        KernelError: If labels or range do not fit the images.
        NoValueError: ``disconnected`` if the loss has no gradient by any image.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> x = torch.full((2, 1, 2, 2), 0.5)
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
        >>> moved = attacked_images(model, x, torch.tensor([0, 2]), "fgsm:0.25")
        >>> (moved - x).abs().unique().tolist()
        [0.25]
    """
    attack = Attack.parse(perturb)
    (batch,) = preparation.checked_batches(x, labels=labels)
    pixel_range = _range(black, white, batch.x)
    return batch.x if attack is None else attacked(model, batch, attack, pixel_range, seed).x


def perturbed_ntk(
    model: nn.Module,
    x: Tensor,
    labels: Tensor,
    perturb: str,
    kernel_of: str = "perturbed",
    output: str = "sum",
    batch_norm: str = "frozen",
    parameters: str | Sequence[str] = "weights",
    normalisation: str = "none",
    black: Tensor | Sequence[float] = (0.0,),
    white: Tensor | Sequence[float] = (1.0,),
    seed: int = 0,
    verify: bool = True,
    by_layer: bool = False,
) -> Kernel:
    """Compute a kernel of attacked images.

    With x̃ the attacked x and x̃̃ the attacked x̃ (a ball of its own around x̃), ``kernel_of`` names the rows:
    ``perturbed`` g(x̃); ``mixed:BETA`` (1−β) g(x) + β g(x̃); ``mixed-robust:BETA`` (1−β) g(x̃) + β g(x̃̃); ``clean``
    g(x). Under ``frozen`` the statistics of BatchNorm are those of x throughout; under ``coupled`` each batch has its
    own.

    Args:
        model: The network, which is attacked as it is; see ``attacked_images``.
        x: Normalised images.
        labels: Their classes.
        perturb: The attack.
        kernel_of: The rows.
        output: As of ``empirical_ntk``, like the next three.
        batch_norm: Batch-norm policy, while rows are computed.
        parameters: Parameter set.
        normalisation: Normalisation of the kernel.
        black: What a black pixel is after normalisation.
        white: The same of a white one.
        seed: Seed of random starts.
        verify: Whether to prove the kernel.
        by_layer: Whether the kernel's ``layers`` hold what each layer adds.

    Returns:
        The kernel.

    Raises:
        ChoiceError: If a choice is unknown.
        KernelError: If the kernel is not defined for this module and batch.
        NoValueError: ``disconnected`` if the loss has no gradient by any image.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> x, labels = torch.rand(2, 4), torch.tensor([0, 2])
        >>> K = perturbed_ntk(nn.Linear(4, 3), x, labels, "fgsm:8/255", "mixed:0.5")
        >>> K.matrix.shape, K.choices.perturb
        (torch.Size([2, 2]), 'fgsm:8/255')
    """
    names = parameters if isinstance(parameters, str) else tuple(parameters)
    choices = Choices(output, batch_norm, names, normalisation, perturb=perturb, kernel_of=kernel_of)
    (batch,) = preparation.checked_batches(x, labels=labels)
    method = Method(verify=verify, by_layer=by_layer)
    return compute_perturbed_kernel(model, batch, choices, _range(black, white, batch.x), method, seed)


def _range(black: Tensor | Sequence[float], white: Tensor | Sequence[float], x: Tensor) -> PixelRange:
    if not x.is_floating_point() or x.dim() < 2:
        raise KernelError(f"An attack moves images of real numbers, N×C×…, got {x.dtype} of shape {tuple(x.shape)}.")
    sides = [torch.as_tensor(side, dtype=torch.float64).flatten() for side in (black, white)]
    if any(len(side) not in (1, x.shape[1]) for side in sides) or not bool((sides[1] > sides[0]).all()):
        raise KernelError(
            f"`black` and `white` are one value, or one for each of {x.shape[1]} channels, black below white."
        )
    return PixelRange(*sides)
