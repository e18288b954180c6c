"""Images with labels, and the probes drawn from them."""

from ntknas.data.image_set import ImageSet, Request
from ntknas.data.probe import DRAWS, Probe, make_probe
from ntknas.data.sources import SOURCES, load_images

__all__ = ["DRAWS", "SOURCES", "ImageSet", "Probe", "Request", "load_images", "make_probe"]
