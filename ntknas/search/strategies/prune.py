"""Pruning of a supernet: one cell, found without any training."""

from __future__ import annotations

from collections.abc import Callable

from ntknas.benchmarks.table import Target
from ntknas.core.errors import ChoiceError
from ntknas.data.datasets import DATASETS, Dataset
from ntknas.data.image_set import ImageSet, Request
from ntknas.data.sources import load_images
from ntknas.search.problem import Problem, Search
from ntknas.search.pruning import PruneSettings
from ntknas.search.strategy import Proposals, Strategy, Training, strategy

Load = Callable[[Problem], ImageSet]
"""Returns the images that a problem's supernets are looked at with."""


def own_images(problem: Problem) -> ImageSet:
    """Return the images of the data set whose accuracies are reported, from ``image_data``.

    Raises:
        ChoiceError: If it is no data set whose images are known.
        DataError: If they are not there.
    """
    name = Target.parse(problem.objective.reported_name).dataset
    for dataset in DATASETS.values():
        if name in dataset.tables:
            return load_images(dataset.images, _request(dataset))
    raise ChoiceError(
        f"The strategy prune needs images, and {name} is none of {', '.join(DATASETS)}: make it with prune(images=…)."
    )


def _request(dataset: Dataset) -> Request:
    return Request(image_size=dataset.image_size, num_classes=dataset.num_classes)


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
