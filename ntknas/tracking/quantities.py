"""What is recorded of a kernel and its training, and is worth a table or a figure."""

from __future__ import annotations

import math

QUANTITIES = {
    "kernel_correlation": "kernel correlation with K_0",
    "kernel_cosine": "kernel cosine with K_0",
    "kernel_cka": "CKA with K_0",
    "relative_difference": "‖K_t − K_0‖ / ‖K_0‖",
    "kernel_correlation/previous": "kernel correlation with the record before",
    "relative_difference/previous": "relative difference to the record before",
    "relative_difference_entrywise": "entrywise difference (Mok et al.)",
    "label_alignment": "share of the labels on the leading eigenvectors",
    "parameter_change": "‖θ_t − θ_0‖ / ‖θ_0‖",
    "train_loss": "training loss",
    "train_accuracy": "training accuracy (%)",
    "valid_accuracy": "accuracy on test images (%)",
}
"""Names in a track's frame, and how a figure is headed."""
POSITIVE = frozenset(
    name + suffix
    for name in ("relative_difference", "relative_difference_sq", "relative_difference_entrywise")
    for suffix in ("", "/previous")
)
"""Quantities that span orders of magnitude: averaged by their logarithm, zeros (a kernel and itself) left out."""
_RANGES = {
    "kernel_correlation": (-1.0, 1.0),
    "kernel_cosine": (-1.0, 1.0),
    "kernel_cka": (0.0, 1.0),
    "parameter_change": (0.0, math.inf),
    "train_loss": (0.0, math.inf),
    "train_accuracy": (0.0, 100.0),
    "valid_accuracy": (0.0, 100.0),
    "cka": (0.0, 1.0),
    "lga": (-1.0, 1.0),
}


def range_of(quantity: str) -> tuple[float, float]:
    """Return the least and the largest value that a quantity can have; infinite where there is none.

    Args:
        quantity: Its name in a track's frame.

    Example:
        >>> range_of("kernel_correlation/previous"), range_of("trace")
        ((-1.0, 1.0), (-inf, inf))
    """
    return _RANGES.get(quantity.partition("/")[0], (-math.inf, math.inf))
