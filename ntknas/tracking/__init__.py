"""How a network's kernel changes while it trains: drifts between two kernels, and the tracker that takes them."""

from ntknas.tracking.alignment import LabelAlignment, label_alignment
from ntknas.tracking.drift import DRIFTS, Drift, drift
from ntknas.tracking.track import Track
from ntknas.tracking.tracker import KernelTracker

__all__ = ["DRIFTS", "Drift", "KernelTracker", "LabelAlignment", "Track", "drift", "label_alignment"]
