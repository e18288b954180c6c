"""The network and the kernels of one cell: build as a recipe says, bring to the probe, compute."""

from __future__ import annotations

from typing import Any

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
from ntknas.scoring.job import AUTO, Strategy
from ntknas.scoring.recipe import NetworkOptions
from ntknas.spaces import OWN

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def brought(images: Tensor, device: torch.device | str, precision: str) -> Tensor:
    """Return images on the device and in the precision to compute in, laid out for the spaces' own networks there.

    On the CPU channels come last: layers follow their input's layout, and above all average pooling and its gradient
    are faster (``python scripts/memory_format.py``). Values are the same.
    """
    images = images.to(device, DTYPES[precision])
    return images.contiguous(memory_format=torch.channels_last) if images.device.type == "cpu" else images


def cell_kernel(
    space: Any,
    cell: int,
    seed: int,
    dataset: str,
    options: NetworkOptions,
    choices: Choices,
    images: Tensor,
    labels: Tensor,
    chunk: int | None = None,
    strategy: Strategy = AUTO,
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
        chunk: How many images to take at a time, for less memory.
        strategy: How to compute it.

    Raises:
        NtknasError: If the options or choices are impossible for such networks.
    """
    network = cell_network(space, cell, seed, dataset, options, images)
    return _kernel(space, network, choices, images, labels, chunk=chunk, strategy=strategy)


def cell_forms(
    space: Any,
    cell: int,
    seed: int,
    dataset: str,
    options: NetworkOptions,
    choices: Choices,
    images: Tensor,
    labels: Tensor,
) -> ClassForms:
    """Compute the class forms of a cell's kernel at initialisation; see ``cell_kernel``."""
    network = cell_network(space, cell, seed, dataset, options, images)
    what = (choices.output, choices.batch_norm, choices.parameters, labels)
    with kernel_operator(network, images, *what, verify=space.name not in OWN) as kernel:
        return kernel.class_forms()


def cell_network(space: Any, cell: int, seed: int, dataset: str, options: NetworkOptions, images: Tensor) -> nn.Module:
    """Build the network of a cell on the device and in the precision of the images; see ``cell_kernel``."""
    num_classes = get_dataset(dataset).num_classes
    network: nn.Module = space.build(space[cell], num_classes=num_classes, seed=seed, **options.resolved(space))
    return network.to(images.device, images.dtype)


def cell_regression(
    space: Any,
    cell: int,
    seed: int,
    dataset: str,
    options: NetworkOptions,
    choices: Choices,
    images: Tensor,
    probe: Probe,
    chunk: int | None = None,
    strategy: Strategy = AUTO,
) -> RegressionCase:
    """Compute the kernels that kernel regression needs: of the probe, and between it and its held-out probe.

    Raises:
        NtknasError: If the options or choices are impossible for such networks, or there is no held-out probe.
    """
    held_out = probe.held_out
    if held_out is None:
        raise DataError("Kernel regression needs a held-out probe: make_probe(...).with_held_out(...).")
    network = cell_network(space, cell, seed, dataset, options, images)
    kernel = _kernel(space, network, choices, images, probe.labels, chunk=chunk, strategy=strategy)
    other = brought(held_out.images, images.device, choices.precision)
    cross = _kernel(space, network, choices, images, probe.labels, other, chunk, strategy)
    return RegressionCase(kernel, cross, held_out.labels)


def _kernel(
    space: Any,
    network: nn.Module,
    choices: Choices,
    images: Tensor,
    labels: Tensor,
    x2: Tensor | None = None,
    chunk: int | None = None,
    strategy: Strategy = AUTO,
) -> Kernel:
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
        verify=space.name not in OWN,  # tests/spaces proves strategy and policies on our own networks
    )
