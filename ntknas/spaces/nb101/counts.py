"""Counts of the parameters and FLOPs of the official network, at any width, depth and image size.

FLOPs are multiply-adds of convolutions and of the classifier with its bias; nothing for BatchNorm, pooling and sums, as
in ``nb201``. NAS-Bench-101 itself publishes no FLOPs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ntknas.spaces.nb101.cells import Matrix
from ntknas.spaces.nb101.channels import vertex_channels
from ntknas.spaces.structure import Structure

STACKS = 3
_KERNEL_AREA = {"conv3x3-bn-relu": 9, "conv1x1-bn-relu": 1}

Convolution = tuple[int, int, int]
"""(kernel area, input channels, output channels)."""
Repeated = tuple[int, int, Convolution]
"""(times, stack, convolution)."""


def module_convolutions(
    matrix: Matrix, operations: tuple[str, ...], inputs: int, outputs: int
) -> Iterator[Convolution]:
    """Yield the convolutions of one module: projections of its input, and its operations."""
    channels, last = vertex_channels(matrix, inputs, outputs), len(matrix) - 1
    for v in range(1, last):
        if matrix[0][v]:
            yield 1, inputs, channels[v]
        if operations[v - 1] in _KERNEL_AREA:
            yield _KERNEL_AREA[operations[v - 1]], channels[v], channels[v]
    if matrix[0][last]:
        yield 1, inputs, outputs


def _convolutions(
    matrix: Matrix, operations: tuple[str, ...], channels: int, cells_per_stage: int
) -> Iterator[Repeated]:
    """Yield (times, stack, convolution) for the whole network; the modules of a stack after its first are equal."""
    yield 1, 0, (9, 3, channels)
    for stack in range(STACKS):
        inputs, outputs = channels << max(stack - 1, 0), channels << stack
        modules = [(inputs, cells_per_stage)] if inputs == outputs else [(inputs, 1), (outputs, cells_per_stage - 1)]
        for width, times in modules:
            for convolution in module_convolutions(matrix, operations, width, outputs):
                yield times, stack, convolution


def count_parameters(
    matrix: Matrix, operations: tuple[str, ...], *, num_classes: int, channels: int, cells_per_stage: int
) -> int:
    """Return the number of trainable parameters: each convolution has a BatchNorm with scale and shift."""
    return _parameters(_convolutions(matrix, operations, channels, cells_per_stage), channels, num_classes)


def count_flops(
    matrix: Matrix,
    operations: tuple[str, ...],
    *,
    num_classes: int,
    channels: int,
    cells_per_stage: int,
    image_size: int,
) -> int:
    """Return the multiply-adds of one image's forward pass."""
    return _flops(_convolutions(matrix, operations, channels, cells_per_stage), channels, num_classes, image_size)


def _parameters(convolutions: Iterable[Repeated], channels: int, num_classes: int) -> int:
    convolved = sum(times * (area * c * d + 2 * d) for times, _, (area, c, d) in convolutions)
    return convolved + _head(channels, num_classes)


def _flops(convolutions: Iterable[Repeated], channels: int, num_classes: int, image_size: int) -> int:
    sizes = [image_size]
    for _ in range(STACKS - 1):
        sizes.append((sizes[-1] + 1) // 2)  # upwards, as the poolings do with odd sizes
    convolved = sum(times * area * c * d * sizes[stack] ** 2 for times, stack, (area, c, d) in convolutions)
    return convolved + _head(channels, num_classes)


def _head(channels: int, num_classes: int) -> int:
    return ((channels << (STACKS - 1)) + 1) * num_classes


def count_structure(
    matrix: Matrix,
    operations: tuple[str, ...],
    *,
    num_classes: int,
    channels: int,
    cells_per_stage: int,
    image_size: int,
) -> Structure:
    """Return what paths from input to output say; every vertex of a cell lies on one, so all that is there counts.

    Live layers are 1 + 9 · (convolution vertices + edges out of the input) at the official depth: each such edge has a
    projection of its own.
    """
    convolutions = list(_convolutions(matrix, operations, channels, cells_per_stage))
    layers = sum(times for times, _, _ in convolutions)
    return Structure(
        _parameters(convolutions, channels, num_classes),
        _flops(convolutions, channels, num_classes, image_size),
        layers,
        3 * layers + 2,  # weight, scale and shift of each, and the classifier's two
    )
