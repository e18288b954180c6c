"""Attacks on images: steps of their pixels along the sign of the loss's gradient, by the very network at hand."""

from __future__ import annotations

import hashlib

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ntknas.core.errors import KernelError
from ntknas.core.perturbation import Attack
from ntknas.core.pixel_range import PixelRange
from ntknas.core.score import NoValueError, Status
from ntknas.kernels import outputs, preparation
from ntknas.kernels.batch import Batch
from ntknas.kernels.batch_norm import applied

BATCH_NORM = "as-eval-mode"
"""As ``module.eval()`` has it: running statistics, but for BatchNorm that keeps none, as in cells of zero-cost-nas."""


def attacked(
    model: nn.Module,
    batch: Batch,
    attack: Attack,
    pixel_range: PixelRange,
    seed: int = 0,
    number: int = 1,
    chunk: int | None = None,
) -> Batch:
    """Attack a batch.

    The loss is the cross-entropy with the true class; every module is in evaluation mode meanwhile, and the model is as
    it was when this returns.

    Args:
        model: The network.
        batch: Normalised images with labels.
        attack: The attack.
        pixel_range: What black and white are after normalisation.
        seed: Seed of the random start.
        number: Of attacks one after the other on the same images, which one this is: each has a start of its own.
        chunk: Images per pass where samples do not see one another; ``None`` for all.

    Returns:
        The attacked images, within ε of those of the batch and between black and white, with their labels.

    Raises:
        KernelError: If labels are missing or none of the network's classes.
        NoValueError: ``disconnected`` if the loss has no gradient by any image.
    """
    labels = batch.labels
    if labels is None:
        raise KernelError("An attack needs the true class of every image: pass `labels`.")
    preparation.check_model(model)
    start = pixel_range.pixels(batch.x)
    pixels = start + _random_change(start, attack, seed, number) if attack.random_start else start
    pixels, radius, step = pixels.clamp(0, 1), float(attack.radius), float(attack.step)
    with preparation.prepared(model, {}, batch.x), applied(model, BATCH_NORM) as policy:
        size = len(batch) if policy.couples_samples or not chunk else chunk
        for _ in range(attack.steps):
            x = pixel_range.moved(batch.x, pixels - start)
            direction = torch.cat(
                [_sign(model, *piece) for piece in zip(x.split(size), labels.split(size), strict=True)]
            )
            if not bool(direction.any()):
                raise NoValueError(Status.DISCONNECTED, "the loss has no gradient by the images: nothing to attack")
            change = (pixels + step * direction - start).clamp(-radius, radius)
            pixels = (start + change).clamp(0, 1)
    return Batch(pixel_range.moved(batch.x, pixels - start).detach(), labels)


def _sign(model: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
    """Return the sign of the gradient by the images, which is that by their pixels."""
    x = x.detach().requires_grad_()
    logits = outputs.of(model, x)
    classes = checked_classes(labels, logits.shape[1]).to(x.device)
    # The sum, not the mean: gradients of single images are small enough.
    loss = F.cross_entropy(logits, classes, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, x, allow_unused=True) if loss.requires_grad else (None,)
    return torch.zeros_like(x) if gradient is None else gradient.sign()


def checked_classes(labels: Tensor, classes: int) -> Tensor:
    """Return labels that are among a network's classes.

    Raises:
        KernelError: If one is not, or they are no whole numbers.
    """
    if labels.is_floating_point() or int(labels.min()) < 0 or int(labels.max()) >= classes:
        raise KernelError(f"An attack needs labels that are whole numbers from 0 to {classes - 1}, as many as classes.")
    return labels.long()


def _random_change(like: Tensor, attack: Attack, seed: int, number: int) -> Tensor:
    """Return a change of every pixel from U[−ε, ε], the same for every network and on every device."""
    digest = hashlib.sha256(f"attack/{seed}/{number}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
    return (torch.rand(like.shape, generator=generator) * 2 - 1).to(like) * float(attack.radius)
