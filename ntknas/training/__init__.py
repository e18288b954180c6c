"""Training of a space's networks: the published setting or a given one, reproducible and resumable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.lazy import importer_of

if TYPE_CHECKING:
    from ntknas.training.images import TrainingImages
    from ntknas.training.options import TrainingOptions
    from ntknas.training.trainer import DivergedError, Epoch, Trainer

__all__ = ["DivergedError", "Epoch", "Trainer", "TrainingImages", "TrainingOptions"]
__getattr__ = importer_of(
    {
        "DivergedError": "ntknas.training.trainer",
        "Epoch": "ntknas.training.trainer",
        "Trainer": "ntknas.training.trainer",
        "TrainingImages": "ntknas.training.images",
        "TrainingOptions": "ntknas.training.options",
    }
)
