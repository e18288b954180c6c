"""What a user chooses of a model that is named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ntknas.core.errors import ChoiceError

DEFAULT_WEIGHTS = "default"
"""Those that the library itself takes where none are named."""


@dataclass(frozen=True)
class ModelOptions:
    """What a user chooses of a model that is named.

    Attributes:
        weights: Name of pretrained weights, which the library may download, or ``DEFAULT_WEIGHTS``; ``None`` for
            weights that are drawn at random.
        checkpoint: File of weights that are loaded into the model; ``None`` for none.
        num_classes: Number of its outputs; ``None`` for the model's own.
        image_size: Height and width of its images; ``None`` for what the model wants.
        seed: Seed of the weights that are drawn.

    Raises:
        ChoiceError: If both weights and a checkpoint are named, or a number is out of range.
    """

    weights: str | None = None
    checkpoint: Path | None = None
    num_classes: int | None = None
    image_size: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check that they go together."""
        if self.weights is not None and self.checkpoint is not None:
            raise ChoiceError("`weights` and `checkpoint` both say which weights the model has: give one of them.")
        for name, value in (("num_classes", self.num_classes), ("image_size", self.image_size)):
            if value is not None and value < 1:
                raise ChoiceError(f"`{name}` must be at least 1, got {value}.")
