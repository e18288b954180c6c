"""Training of a space's networks: the published setting or a given one, reproducible and resumable."""

from ntknas.training.images import TrainingImages
from ntknas.training.options import TrainingOptions
from ntknas.training.trainer import DivergedError, Epoch, Trainer

__all__ = ["DivergedError", "Epoch", "Trainer", "TrainingImages", "TrainingOptions"]
