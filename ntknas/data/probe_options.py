"""Which images are the probe: what a user chooses, and the probe that is drawn for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from ntknas.core.options import MAX_SEED, Option
from ntknas.data.augmentation import AUGMENTATIONS
from ntknas.data.datasets import get_dataset
from ntknas.data.image_set import Request
from ntknas.data.pixels import NORMALISATIONS
from ntknas.data.probe import DRAWS, Probe, make_probe
from ntknas.data.sources import all_sources

SPLITS = ("train", "test")


@dataclass(frozen=True)
class ProbeOptions:
    """What a user chooses of a probe.

    Attributes:
        source: Name of an image source; the data set's own without one.
        size: Number of images.
        split: Split of the source.
        draw: A key of ``DRAWS``.
        fresh: Whether each seed of the weights gets a probe of its own.
        seed: Seed of the draw and of the augmentation.
        root: Folder of the image sets.
        augmentation: A key of ``AUGMENTATIONS``.
        pixels: A key of ``pixels.NORMALISATIONS``.
        download: Whether missing images may be fetched.
        held_out: Split that a held-out probe is of.
    """

    source: Annotated[
        str | None,
        Option("Images of the probe: {names}.  [default: the data set's own]", name="probe", names=all_sources),
    ] = None
    size: Annotated[int, Option("Its images.", name="probe_size")] = 64
    split: Annotated[str, Option("Split of the source that the probe is of.", name="probe_split", choices=SPLITS)] = (
        "train"
    )
    draw: Annotated[str, Option("How its images are drawn.", choices=DRAWS)] = "balanced"
    fresh: Annotated[bool, Option("Draw a probe of its own for each seed of the weights.", name="fresh_probes")] = False
    seed: Annotated[int, Option("Seed of the draw.", name="probe_seed", low=0, high=MAX_SEED)] = 0
    root: Annotated[Path, Option("Folder of the image sets.", name="image_data")] = Path("image_data")
    augmentation: Annotated[
        str, Option("Augmentation of the probe's images.", name="augment", choices=AUGMENTATIONS)
    ] = "none"
    pixels: Annotated[str, Option("Normalisation of the images.", choices=NORMALISATIONS)] = "nas-bench-201"
    download: Annotated[bool, Option("Fetch missing images from their official source.", acts=True)] = False
    held_out: Annotated[
        str,
        Option("Split of the held-out images, for measures that need some.", name="held_out_split", choices=SPLITS),
    ] = "test"

    def request(self, dataset: str) -> Request:
        """Return what is asked of an image source for networks of a data set: its training split."""
        target = get_dataset(dataset)
        size, classes = target.image_size, target.num_classes
        return Request(self.root, "train", size, classes, self.seed, download=self.download, pixels=self.pixels)

    def make(self, dataset: str, *, held_out: bool = False) -> Probe:
        """Draw the probe for networks of a data set.

        Args:
            dataset: The data set.
            held_out: Whether a held-out probe goes with it.

        Returns:
            The probe.

        Raises:
            NtknasError: If the images are not there, or nothing says which are meant.
        """
        request, source = self.request(dataset), self.source or get_dataset(dataset).images
        of_split = replace(request, split=self.split)
        probe = make_probe(source, self.size, of_split, self.draw, self.augmentation, fresh=self.fresh)
        return probe.with_held_out(request, self.held_out) if held_out else probe
