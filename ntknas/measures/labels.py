"""Labels at the door of a measure: classes are whole numbers, one for each sample."""

from __future__ import annotations

from ntknas.core.errors import KernelError
from ntknas.core.lazy import torch


def check_labels(measure: str, labels: object, samples: int) -> None:
    """Check labels that a measure reads.

    Args:
        measure: Name of the measure, for the message.
        labels: The labels.
        samples: Number of samples.

    Raises:
        KernelError: If they are no tensor of whole numbers, one for each sample. Numbers that are not whole (NaN among
            them, which differs from itself) would count as a class each.
    """
    needs = f"The measure {measure!r} needs labels"
    if labels is None:
        raise KernelError(f"{needs}: pass `labels` to empirical_ntk.")
    if not isinstance(labels, torch.Tensor):
        raise KernelError(f"{needs} as a torch tensor, got {type(labels).__name__}: use torch.as_tensor.")
    if labels.shape != (samples,):
        raise KernelError(f"{needs}, one for each of {samples} samples, got shape {tuple(labels.shape)}.")
    if labels.is_floating_point() or labels.is_complex():
        raise KernelError(f"{needs} that are whole numbers, got {labels.dtype}: use labels.long() if they are classes.")
