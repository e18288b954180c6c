"""Closed counts of the parameters and FLOPs of NAS-Bench-Macro's networks, at any width and image size.

FLOPs are counted as the benchmark's authors count them: multiply-adds of convolutions and of the classifier, without
its bias; nothing for BatchNorm, pooling and sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from ntknas.spaces.nb_macro.keys import IDENTITY, RESIDUALS, STAGES, stages
from ntknas.spaces.structure import Structure

HEAD = 40
"""How much wider the last convolution is than the stem: 1,280 channels behind 32."""


class Convolution(NamedTuple):
    """A convolution without bias; a BatchNorm follows each.

    Attributes:
        weights: Number of weights.
        outputs: Output channels.
        halvings: How often the image was halved, itself included.
    """

    weights: int
    outputs: int
    halvings: int


def _layer(operation: str, inputs: int, outputs: int, before: int, after: int) -> Iterator[Convolution]:
    """Yield the convolutions of a layer between two image sizes."""
    if operation == IDENTITY:
        yield Convolution(inputs * outputs, outputs, after)
        return
    kernel, expansion = RESIDUALS[operation]
    inside = expansion * inputs
    yield Convolution(inputs * inside, inside, before)
    yield Convolution(kernel**2 * inside, inside, after)
    yield Convolution(inside * outputs, outputs, after)


@lru_cache(maxsize=1024)
def _stage(operations: str, inputs: int, halvings: int) -> tuple[Convolution, ...]:
    first = _layer(operations[0], inputs, 2 * inputs, halvings, halvings + 1)
    later = (_layer(operation, 2 * inputs, 2 * inputs, halvings + 1, halvings + 1) for operation in operations[1:])
    return tuple(chain(first, *later))


def _convolutions(digits: str, channels: int) -> list[Convolution]:
    layers = [Convolution(27 * channels, channels, 0)]
    for number, operations in enumerate(stages(digits)):
        layers += _stage(operations, channels << number, number)
    width = channels << len(STAGES)
    return [*layers, Convolution(width * HEAD * channels, HEAD * channels, len(STAGES))]


def count_parameters(digits: str, *, num_classes: int, channels: int) -> int:
    """Return the number of trainable parameters."""
    body = sum(layer.weights + 2 * layer.outputs for layer in _convolutions(digits, channels))
    return body + (HEAD * channels + 1) * num_classes


def count_flops(digits: str, *, num_classes: int, channels: int, image_size: int) -> int:
    """Return the multiply-adds of one image's forward pass."""
    sizes = [image_size]
    for _ in STAGES:
        sizes.append((sizes[-1] + 1) // 2)  # upwards, as padded convolutions of stride 2 do with odd sizes
    body = sum(layer.weights * sizes[layer.halvings] ** 2 for layer in _convolutions(digits, channels))
    return body + HEAD * channels * num_classes


def count_structure(digits: str, *, num_classes: int, channels: int, image_size: int) -> Structure:
    """Return what paths from input to output say: everything lies on one, networks are chains."""
    convolutions = len(_convolutions(digits, channels))
    return Structure(
        count_parameters(digits, num_classes=num_classes, channels=channels),
        count_flops(digits, num_classes=num_classes, channels=channels, image_size=image_size),
        convolutions,
        3 * convolutions + 2,  # weights, scales and shifts; the classifier
    )
