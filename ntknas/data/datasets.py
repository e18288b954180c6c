"""The data sets whose accuracies are targets: what a network for each looks like."""

from __future__ import annotations

from dataclasses import dataclass

from ntknas.core.errors import check_known


@dataclass(frozen=True)
class Dataset:
    """A data set that networks are built for.

    Attributes:
        num_classes: Outputs of a network.
        image_size: Height and width of its images.
        tables: Names under which benchmarks hold accuracies on it.
        images: Image source that holds its images.
    """

    num_classes: int
    image_size: int
    tables: tuple[str, ...]
    images: str


DATASETS = {
    "cifar10": Dataset(10, 32, ("cifar10-valid", "cifar10"), "cifar10"),
    "cifar100": Dataset(100, 32, ("cifar100",), "cifar100"),
    "ImageNet16-120": Dataset(120, 16, ("ImageNet16-120",), "ImageNet16-120"),
}


def get_dataset(name: str) -> Dataset:
    """Return a data set.

    Raises:
        ChoiceError: If there is none of this name.
    """
    return DATASETS[check_known("data set", name, DATASETS)]


def tables_of(name: str) -> tuple[str, ...]:
    """Return the names of the tables that a name stands for: a data set's own for all of its, any other for itself.

    Example:
        >>> tables_of("cifar10"), tables_of("cifar10-valid")
        (('cifar10-valid', 'cifar10'), ('cifar10-valid',))
    """
    return DATASETS[name].tables if name in DATASETS else (name,)
