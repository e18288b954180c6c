"""The network of one cell, and its kernels: build as a recipe says, prepare the images, compute."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ntknas.core.cases import RegressionCase
from ntknas.core.choices import Choices
from ntknas.core.errors import DataError
from ntknas.data.datasets import get_dataset
from ntknas.data.probe import Probe
from ntknas.kernels import Batch, Method, compute_kernel
from ntknas.kernels.preparation import converted
from ntknas.scoring.recipe import NetworkOptions
from ntknas.spaces import Space

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def prepare_images(images: Tensor, device: torch.device | str, precision: str) -> Tensor:
    """Return images on the device and in the precision to compute in, laid out as our own networks do it themselves.

    See ``ntknas.spaces.layout``; networks of third parties compute in this layout too.
    """
    images = images.to(device, DTYPES[precision])
    # Layouts round differently: the condition number of cell 8216 was 265.9009 in one and 265.7473 in the other.
    return images.contiguous(memory_format=torch.channels_last) if images.device.type == "cpu" else images


def cell_network(
    space: Space, cell: int, seed: int, dataset: str, options: NetworkOptions, images: Tensor
) -> nn.Module:
    """Build the network of a cell on the device and in the precision of the images.

    Args:
        space: The space.
        cell: Index of the cell.
        seed: The seed that was asked for.
        dataset: Data set that the network is built for.
        options: How the cell becomes a network.
        images: Images on the device and in the precision to compute in.

    Returns:
        The network.

    Raises:
        NtknasError: If the options are impossible for such networks.
    """
    num_classes = get_dataset(dataset).num_classes
    start = options.seed(space, cell, seed)
    network: nn.Module = space.build(space[cell], num_classes=num_classes, seed=start, **options.resolved(space))
    return converted(network, images.device, images.dtype)


def regression_case(
    network: nn.Module, choices: Choices, images: Tensor, probe: Probe, method: Method
) -> RegressionCase:
    """Compute the kernels that kernel regression needs: of the probe, and between it and its held-out probe.

    Args:
        network: The network.
        choices: The kernels' choices.
        images: The probe's images, on the device and in the precision to compute in.
        probe: The probe, with labels and a held-out probe.
        method: How kernels are computed.

    Returns:
        Both kernels, and the held-out labels.

    Raises:
        DataError: If there is no held-out probe.
        NtknasError: If the choices are impossible for such networks.
    """
    if probe.held_out is None:
        raise DataError("Kernel regression needs a held-out probe: make_probe(...).with_held_out(...).")
    batch = Batch(images, probe.labels)
    held_out = Batch(prepare_images(probe.held_out.images, images.device, choices.precision))
    kernel, cross = (compute_kernel(network, sides, choices, method) for sides in ([batch], [batch, held_out]))
    return RegressionCase(kernel, cross, probe.held_out.labels)
