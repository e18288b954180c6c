"""What a network's own training has come to: the baseline that a score after training has to beat."""

from __future__ import annotations

from ntknas.core.cases import TrainingCase
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Need
from ntknas.measures.registry import register

_TRAINING = (Need.TRAINING,)


@register("train_loss", formula="mean cross-entropy of the epoch", better="lower", source="standard", needs=_TRAINING)
def train_loss(case: TrainingCase) -> float:
    """Return the mean training loss of the last epoch, each batch before its step. Lower is better."""
    return case.loss


@register(
    "train_accuracy", formula="% of the epoch's images right", better="higher", source="standard", needs=_TRAINING
)
def train_accuracy(case: TrainingCase) -> float:
    """Return the percentage of the last epoch's images that were right before their step. Higher is better."""
    return case.accuracy


@register("valid_accuracy", formula="% of test images right", better="higher", source="standard", needs=_TRAINING)
def valid_accuracy(case: TrainingCase) -> float:
    """Return the percentage of the source's test images that are classified rightly now, with running statistics.

    Higher is better.

    Raises:
        NoValueError: ``undefined`` without test images.
    """
    if case.validation_accuracy is None:
        raise NoValueError(Status.UNDEFINED, case.reason)
    return case.validation_accuracy
