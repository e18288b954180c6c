"""Closed counts of the parameters and FLOPs of the size space's networks, at any depth and image size.

FLOPs are counted as the benchmark's authors count them: multiply-adds of convolutions and of the classifier with its
bias; nothing for BatchNorm, pooling and sums.
"""

from __future__ import annotations

from collections.abc import Iterator

from ntknas.spaces.nats_sss.configurations import CELL
from ntknas.spaces.nb201.cells import EDGES, parse_cell
from ntknas.spaces.structure import Structure

_KERNEL_AREA = {"nor_conv_1x1": 1, "nor_conv_3x3": 9}

Convolution = tuple[int, int, bool]
"""(weights, output channels, whether a BatchNorm follows)."""


def _cell(inputs: int, outputs: int) -> Iterator[Convolution]:
    for operation, (source, _) in zip(parse_cell(CELL), EDGES, strict=True):
        entering = inputs if source == 0 else outputs
        if operation in _KERNEL_AREA:
            yield _KERNEL_AREA[operation] * entering * outputs, outputs, True
        elif operation == "skip_connect" and entering != outputs:
            yield entering * outputs, outputs, True


def _reduction(inputs: int, outputs: int) -> Iterator[Convolution]:
    yield 9 * inputs * outputs, outputs, True
    yield 9 * outputs * outputs, outputs, True
    yield inputs * outputs, outputs, False


def _convolutions(widths: tuple[int, ...], cells_per_stage: int) -> Iterator[tuple[int, Convolution]]:
    """Yield (how often the images were halved, convolution) for the whole network."""
    yield 0, (27 * widths[0], widths[0], True)
    entering = widths[0]
    for position, width in enumerate(widths):
        deeper = [_cell(width, width) for _ in range(cells_per_stage - 1)]
        for layer in [_reduction(entering, width)] if position % 2 else [_cell(entering, width), *deeper]:
            for convolution in layer:
                yield (position + 1) // 2, convolution
        entering = width


def count_parameters(widths: tuple[int, ...], *, num_classes: int, cells_per_stage: int) -> int:
    """Return the number of trainable parameters."""
    convolutions = _convolutions(widths, cells_per_stage)
    body = sum(weights + 2 * outputs * norm for _, (weights, outputs, norm) in convolutions)
    return body + 2 * widths[-1] + (widths[-1] + 1) * num_classes


def count_flops(widths: tuple[int, ...], *, num_classes: int, cells_per_stage: int, image_size: int) -> int:
    """Return the multiply-adds of one image's forward pass."""
    sizes = [image_size]
    for _ in range(len(widths) // 2):
        sizes.append((sizes[-1] + 1) // 2)
    convolutions = _convolutions(widths, cells_per_stage)
    return (
        sum(weights * sizes[halvings] ** 2 for halvings, (weights, _, _) in convolutions)
        + (widths[-1] + 1) * num_classes
    )


def count_structure(widths: tuple[int, ...], *, num_classes: int, cells_per_stage: int, image_size: int) -> Structure:
    """Return what paths from input to output say; the one cell of the space lies on them as a whole.

    The layers are those of every configuration, but that a skip connection between different widths is a convolution.
    """
    with_norm = [norm for _, (_, _, norm) in _convolutions(widths, cells_per_stage)]
    return Structure(
        count_parameters(widths, num_classes=num_classes, cells_per_stage=cells_per_stage),
        count_flops(widths, num_classes=num_classes, cells_per_stage=cells_per_stage, image_size=image_size),
        len(with_norm),
        len(with_norm) + 2 * sum(with_norm) + 4,  # weights, scales and shifts; the last BatchNorm and the classifier
    )
