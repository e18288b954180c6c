"""Networks that a user names: a function in a file of theirs, or a model of a library, with weights and checkpoints."""

from ntknas.models.images import fitted
from ntknas.models.loading import LoadedModel, load_model
from ntknas.models.options import DEFAULT_WEIGHTS, ModelOptions
from ntknas.models.reference import check_reference

__all__ = [
    "DEFAULT_WEIGHTS",
    "LoadedModel",
    "ModelOptions",
    "check_reference",
    "fitted",
    "load_model",
]
