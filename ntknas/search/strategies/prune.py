"""Pruning of a supernet: one cell, found without any training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ntknas.core.errors import ChoiceError
from ntknas.data.datasets import DATASETS, get_dataset
from ntknas.data.image_set import ImageSet
from ntknas.data.probe_options import ProbeOptions
from ntknas.data.sources import load_images
from ntknas.search.problem import Problem, Search
from ntknas.search.pruning import PruneSettings
from ntknas.search.strategy import Proposals, Strategy, Training, strategy

Load = Callable[[Problem], ImageSet]
"""Returns the images that a problem's supernets are looked at with."""


def images_of(dataset: str, probe: ProbeOptions | None = None, settings: PruneSettings | None = None) -> ImageSet:
    """Return the images that supernets for a data set are looked at with.

    Args:
        dataset: The data set.
        probe: Where they are from: its source, split, folder and normalisation count.
        settings: The settings, for a source that draws as many images as are asked for.

    Returns:
        The images.

    Raises:
        ChoiceError: If there is no such data set or source.
        DataError: If the images are not there.
    """
    probe, settings = probe or ProbeOptions(), settings or PruneSettings()
    size = max(settings.batch, settings.crop_batches * settings.crops)
    request = replace(probe.request(dataset), split=probe.split, size=size)
    return load_images(probe.source or get_dataset(dataset).images, request)


def own_images(problem: Problem) -> ImageSet:
    """Return the images of the data set whose accuracies are reported, from ``image_data``.

    Raises:
        ChoiceError: If it is no data set whose images are known.
        DataError: If they are not there.
    """
    table = problem.objective.reported_name.split("/")[0]
    for name, dataset in DATASETS.items():
        if table in dataset.tables:
            return images_of(name)
    raise ChoiceError(
        f"The strategy prune needs images, and {problem.objective.reported_name} is of none of {', '.join(DATASETS)}: "
        "make it with prune(images=…)."
    )


def prune(settings: PruneSettings | None = None, images: Load = own_images) -> Strategy:
    """Make the strategy with settings and images of one's own.

    Args:
        settings: The settings; the published ones without them.
        images: Returns the images for a problem.

    Returns:
        The strategy.
    """

    @strategy(
        "prune",
        text="a supernet that loses operations by the changes of condition number and linear regions, down to one cell",
        source="Chen et al., Neural Architecture Search on ImageNet in Four GPU Hours (TE-NAS), ICLR 2021",
        needs_supernet=True,
        computes=True,
    )
    def propose(search: Search) -> Proposals:
        """Prune down to one cell, which takes no training, and train that."""
        from ntknas.search.pruning import prune_supernet

        seed = int(search.generator.integers(2**31))
        found = prune_supernet(search.problem.space, images(search.problem), settings, seed)
        search.scoring_seconds += found.seconds
        yield Training(found.cell)

    return propose


STRATEGY = prune()
