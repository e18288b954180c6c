"""The kernel of one cell: build its network as a recipe says, bring it to the probe, compute."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ntknas.core.choices import Choices
from ntknas.core.kernel import Kernel
from ntknas.data.datasets import get_dataset
from ntknas.kernels import empirical_ntk
from ntknas.scoring.recipe import NetworkOptions

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def cell_kernel(
    space: Any,
    cell: int,
    seed: int,
    dataset: str,
    options: NetworkOptions,
    choices: Choices,
    images: Tensor,
    labels: Tensor,
) -> Kernel:
    """Compute the kernel of a cell at initialisation.

    Args:
        space: The space.
        cell: Index of the cell.
        seed: Seed of the weights.
        dataset: Data set that the network is built for.
        options: How the cell becomes a network.
        choices: The kernel's choices.
        images: The probe's images, on the device and in the precision to compute in.
        labels: The probe's labels.

    Raises:
        NtknasError: If the options or choices are impossible for such networks.
    """
    num_classes = get_dataset(dataset).num_classes
    network = space.build(space[cell], num_classes=num_classes, seed=seed, **options.resolved(space))
    return empirical_ntk(
        network.to(images.device, images.dtype),
        images,
        output=choices.output,
        batch_norm=choices.batch_norm,
        parameters=choices.parameters,
        labels=labels,
        normalisation=choices.normalisation,
        verify=False,  # the space's own networks: tests/spaces proves the strategy on them
    )
