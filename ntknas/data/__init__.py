"""Images with labels, and the probes drawn from them."""

from ntknas.data.probe import DRAWS, Probe, make_probe
from ntknas.data.sources import ImageSet, load_images, source_names

__all__ = ["DRAWS", "ImageSet", "Probe", "load_images", "make_probe", "source_names"]
