"""Closed formulas for the parameters and FLOPs of the official network, at any width, depth and image size.

FLOPs are counted as the benchmark's authors count them: multiply-adds of convolutions and of the classifier with its
bias; nothing for BatchNorm, pooling and sums. At the official setting (16 channels, 5 cells per stage, 32×32 images, 10
classes) they are 7.78305 + 35.38944·n3 + 3.93216·n1 million, and the parameters 0.073306 + 0.24304·n3 + 0.028·n1
million, n3 and n1 the numbers of 3×3 and 1×1 convolutions in the cell.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import compress

from ntknas.spaces.nb201.graph import live_edges
from ntknas.spaces.structure import Structure

STAGES = 3

_KERNEL_AREA = {"nor_conv_1x1": 1, "nor_conv_3x3": 9}
_SKELETON_LAYERS = 7
"""Convolutions of the stem and of two reductions."""
_SKELETON_TENSORS = 21
"""Each with its BatchNorm's scale and shift, but for the reductions' shortcuts; the last BatchNorm; the classifier."""


def _areas(operations: tuple[str, ...]) -> tuple[int, ...]:
    """Return the kernels of a cell's convolutions, ascending: few cells differ in them."""
    return tuple(sorted(_KERNEL_AREA[operation] for operation in operations if operation in _KERNEL_AREA))


def count_parameters(operations: tuple[str, ...], *, num_classes: int, channels: int, cells_per_stage: int) -> int:
    """Return the number of trainable parameters."""
    return _parameters(_areas(operations), num_classes, channels, cells_per_stage)


@lru_cache(maxsize=1024)
def _parameters(areas: tuple[int, ...], num_classes: int, channels: int, cells_per_stage: int) -> int:
    widths = [channels << stage for stage in range(STAGES)]
    stem = 27 * channels + 2 * channels
    cell = sum(area * c * c + 2 * c for area in areas for c in widths)
    reductions = sum((9 + 2 * 9 + 1) * 2 * c * c + 2 * 4 * c for c in widths[:-1])
    head = 2 * widths[-1] + widths[-1] * num_classes + num_classes
    return stem + cells_per_stage * cell + reductions + head


def count_flops(
    operations: tuple[str, ...], *, num_classes: int, channels: int, cells_per_stage: int, image_size: int
) -> int:
    """Return the multiply-adds of one image's forward pass."""
    return _flops(_areas(operations), num_classes, channels, cells_per_stage, image_size)


@lru_cache(maxsize=1024)
def _flops(areas: tuple[int, ...], num_classes: int, channels: int, cells_per_stage: int, image_size: int) -> int:
    widths = [channels << stage for stage in range(STAGES)]
    sizes = [image_size]
    for _ in widths[:-1]:
        sizes.append((sizes[-1] + 1) // 2)  # upwards, as the reductions do with odd sizes
    stem = 27 * channels * image_size**2
    cell = sum(area * c * c * size**2 for area in areas for c, size in zip(widths, sizes, strict=True))
    reductions = sum((9 + 2 * 9 + 1) * 2 * c * c * size**2 for c, size in zip(widths[:-1], sizes[1:], strict=True))
    return stem + cells_per_stage * cell + reductions + (widths[-1] + 1) * num_classes


def count_structure(
    operations: tuple[str, ...], *, num_classes: int, channels: int, cells_per_stage: int, image_size: int
) -> Structure:
    """Return what paths from input to output say; a cell without one has nothing on a path, the stem included.

    At the official setting: live layers 7 + 15 · (live convolutions), trainable layers 21 + 45 · (convolutions).
    """
    cells = STAGES * cells_per_stage
    trainable_layers = _SKELETON_TENSORS + 3 * cells * len(_areas(operations))
    live = tuple(compress(operations, live_edges(operations)))
    if not live:
        return Structure(0, 0, 0, trainable_layers)
    size = {"num_classes": num_classes, "channels": channels, "cells_per_stage": cells_per_stage}
    return Structure(
        count_parameters(live, **size),
        count_flops(live, **size, image_size=image_size),
        _SKELETON_LAYERS + cells * len(_areas(live)),
        trainable_layers,
    )
