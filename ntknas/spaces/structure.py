"""Counts that a cell's drawing alone gives, without a network: what each is, and where its definition comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Structure(NamedTuple):
    """What paths from input to output say of a network beside its parameters and FLOPs; see ``COUNTS``.

    Attributes:
        effective_parameters: Trainable parameters on such paths.
        effective_flops: Multiply-adds on such paths, of one image.
        live_layers: Convolutions on such paths.
        trainable_layers: Tensors of parameters, wherever they are.
    """

    effective_parameters: int
    effective_flops: int
    live_layers: int
    trainable_layers: int


@dataclass(frozen=True)
class Count:
    """A count of a cell's network; of all of them more counts as better.

    Attributes:
        name: Identifier.
        formula: Definition in symbols.
        unit: What is counted.
        source: Where the definition comes from.
    """

    name: str
    formula: str
    unit: str
    source: str

    @property
    def higher_is_better(self) -> bool:
        """Direction: larger networks are expected to train better."""
        return True


_VKDNW = "Týbl & Neumann, CVPR 2025 (ℵ); its code counts the tensors of the network"
_LIVE = "0 if no path leads from the input to the output"

COUNTS = {
    count.name: count
    for count in (
        Count("parameters", "Σ over trainable tensors of their entries", "parameters", "NAS-Bench-101, NAS-Bench-201"),
        Count(
            "flops",
            "Σ over convolutions and the classifier of weights · places of the output, with the classifier's bias",
            "multiply-adds of one image",
            "NAS-Bench-201",
        ),
        Count(
            "effective_parameters",
            f"parameters without the operations that lie on no path from input to output; {_LIVE}",
            "parameters",
            "ntknas",
        ),
        Count(
            "effective_flops",
            f"FLOPs without the operations that lie on no path from input to output; {_LIVE}",
            "multiply-adds of one image",
            "ntknas",
        ),
        Count(
            "live_layers",
            f"convolutions on paths from input to output, stem, reductions and projections included; {_LIVE}",
            "convolutions",
            "ntknas",
        ),
        Count(
            "trainable_layers",
            "tensors of trainable parameters, whether on a path or not",
            "tensors",
            _VKDNW,
        ),
    )
}
"""Every count by name, in the order of the tables."""
EVERY_SPACE = ("parameters", "flops")
"""Counts that any space has; the others are those of a space that is ``Structured``."""
