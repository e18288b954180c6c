"""Images with labels, and the probes drawn from them."""

from ntknas.data.image_set import ImageSet, Request
from ntknas.data.probe import DRAWS, Probe, make_probe
from ntknas.data.source import ImageSource, OfficialFiles
from ntknas.data.sources import load_images, source_names

__all__ = [
    "DRAWS",
    "ImageSet",
    "ImageSource",
    "OfficialFiles",
    "Probe",
    "Request",
    "load_images",
    "make_probe",
    "source_names",
]
