"""From stored pixels to the network's input: the normalisation constants of the published codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ntknas.core.errors import ChoiceError, check_known
from ntknas.core.lazy import torch
from ntknas.data.image_set import ImageSet

if TYPE_CHECKING:
    from torch import Tensor

Constants = tuple[tuple[float, ...], tuple[float, ...]]
"""(mean, deviation) of each channel, for pixels from 0 to 1."""


def _of_bytes(mean: tuple[float, ...], deviation: tuple[float, ...]) -> Constants:
    return tuple(value / 255 for value in mean), tuple(value / 255 for value in deviation)


_IMAGENET16 = _of_bytes((122.68, 116.66, 104.01), (63.22, 61.26, 65.09))
# As published, though the deviation of CIFAR-10's pixels is 0.247 (63.0 / 255 below).
_ZERO_COST_CIFAR: Constants = ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))

NORMALISATIONS: dict[str, dict[str, Constants]] = {
    "nas-bench-201": {
        "cifar10": _of_bytes((125.3, 123.0, 113.9), (63.0, 62.1, 66.7)),
        "cifar100": _of_bytes((129.3, 124.1, 112.4), (68.2, 65.4, 70.4)),
        "ImageNet16-120": _IMAGENET16,
        "mnist": ((0.1307,), (0.3081,)),
    },
    "zero-cost-nas": {
        "cifar10": _ZERO_COST_CIFAR,
        "cifar100": _ZERO_COST_CIFAR,
        "ImageNet16-120": _IMAGENET16,
    },
}
"""Constants of the codes of NAS-Bench-201 (TE-NAS has the same) and of zero-cost-nas (Mok et al. build on it); those of
MNIST are its own mean and deviation."""


def constants(scheme: str, source: str) -> Constants:
    """Return the constants of a scheme for an image source.

    Raises:
        ChoiceError: If there is no such scheme, or it has none for this source.
    """
    check_known("normalisation of pixels", scheme, NORMALISATIONS)
    if source not in NORMALISATIONS[scheme]:
        raise ChoiceError(f"{scheme} has no normalisation for {source}: it has {', '.join(NORMALISATIONS[scheme])}.")
    return NORMALISATIONS[scheme][source]


def image_set(
    name: str, pixels: np.ndarray, labels: np.ndarray, num_classes: int, scheme: str, note: str = ""
) -> ImageSet:
    """Return a set of normalised images.

    Args:
        name: Name of the source.
        pixels: Uint8, N×3×H×W.
        labels: Class of each image.
        num_classes: Number of classes.
        scheme: A key of ``NORMALISATIONS``.
        note: What a user should know about the files.
    """
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in constants(scheme, name))

    def take(indices: np.ndarray) -> Tensor:
        return (torch.from_numpy(pixels[indices]).float() / 255 - mean) / deviation

    black, white = (-mean / deviation).flatten(), ((1 - mean) / deviation).flatten()
    return ImageSet(name, labels.astype(np.int64), num_classes, take, note, black, white)
