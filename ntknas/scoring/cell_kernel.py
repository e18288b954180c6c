"""The network of one cell, and its kernels: build as a recipe says, bring to the probe, compute."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ntknas.core.cases import RegressionCase
from ntknas.core.choices import Choices
from ntknas.core.class_forms import ClassForms
from ntknas.core.errors import DataError
from ntknas.core.kernel import Kernel
from ntknas.data.datasets import get_dataset
from ntknas.data.probe import Probe
from ntknas.kernels import empirical_ntk, kernel_operator
from ntknas.kernels.preparation import converted
from ntknas.scoring.job import AUTO, Strategy
from ntknas.scoring.recipe import NetworkOptions
from ntknas.spaces import Space

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def brought(images: Tensor, device: torch.device | str, precision: str) -> Tensor:
    """Return images on the device and in the precision to compute in, laid out as our own networks do it themselves.

    See ``ntknas.spaces.layout``; networks of third parties compute in this layout too.
    """
    images = images.to(device, DTYPES[precision])
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

    Raises:
        NtknasError: If the options are impossible for such networks.
    """
    num_classes = get_dataset(dataset).num_classes
    start = options.seed(space, cell, seed)
    network: nn.Module = space.build(space[cell], num_classes=num_classes, seed=start, **options.resolved(space))
    return converted(network, images.device, images.dtype)


def kernel_of(
    network: nn.Module,
    choices: Choices,
    images: Tensor,
    labels: Tensor | None,
    *,
    verify: bool,
    x2: Tensor | None = None,
    chunk: int | None = None,
    strategy: Strategy = AUTO,
) -> Kernel:
    """Compute a network's kernel.

    Args:
        network: The network.
        choices: The kernel's choices.
        images: The probe's images, on the device and in the precision to compute in.
        labels: The probe's labels, if it has any.
        verify: Whether to prove that the strategy is exact for it; tests/spaces proves that for our own networks.
        x2: A second batch for a cross-kernel.
        chunk: How many images to take at a time, for less memory.
        strategy: How to compute it.

    Raises:
        NtknasError: If the choices are impossible for such networks.
    """
    return empirical_ntk(
        network,
        images,
        output=choices.output,
        batch_norm=choices.batch_norm,
        parameters=choices.parameters,
        labels=labels,
        x2=x2,
        normalisation=choices.normalisation,
        chunk=chunk,
        strategy=strategy.name,
        rows_at_once=strategy.rows_at_once,
        verify=verify,
    )


def forms_of(network: nn.Module, choices: Choices, images: Tensor, labels: Tensor, *, verify: bool) -> ClassForms:
    """Compute the class forms of a network's kernel; see ``kernel_of``."""
    what = (choices.output, choices.batch_norm, choices.parameters, labels)
    with kernel_operator(network, images, *what, verify=verify) as kernel:
        return kernel.class_forms()


def regression_of(
    network: nn.Module,
    choices: Choices,
    images: Tensor,
    probe: Probe,
    *,
    verify: bool,
    chunk: int | None = None,
    strategy: Strategy = AUTO,
) -> RegressionCase:
    """Compute the kernels that kernel regression needs: of the probe, and between it and its held-out probe.

    See ``kernel_of``.

    Raises:
        NtknasError: If the choices are impossible for such networks, or there is no held-out probe.
    """
    if probe.held_out is None:
        raise DataError("Kernel regression needs a held-out probe: make_probe(...).with_held_out(...).")
    other = brought(probe.held_out.images, images.device, choices.precision)
    kernel, cross = (
        kernel_of(network, choices, images, probe.labels, verify=verify, x2=x2, chunk=chunk, strategy=strategy)
        for x2 in (None, other)
    )
    return RegressionCase(kernel, cross, probe.held_out.labels)
