"""Joining scores with accuracies, and the statistics of the agreement."""

from ntknas.correlation.correlate import Correlation, correlate

__all__ = ["Correlation", "correlate"]
