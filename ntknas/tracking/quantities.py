"""What is recorded of a kernel and its training, and is worth a table or a figure."""

from __future__ import annotations

QUANTITIES = {
    "kernel_correlation": "kernel correlation with K_0",
    "kernel_cosine": "kernel cosine with K_0",
    "kernel_cka": "CKA with K_0",
    "relative_difference": "‖K_t − K_0‖ / ‖K_0‖",
    "kernel_correlation/previous": "kernel correlation with the record before",
    "relative_difference/previous": "relative difference to the record before",
    "relative_difference_entrywise": "entrywise difference (Mok et al.)",
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
