"""Names and places among a command's options, checked before what is slow to import: an error of these is at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ntknas.cli.types import Options
from ntknas.core.errors import StoreError, check_known


def check_names(options: Options) -> None:
    """Check what needs no network: space, data set, recipe, initialisation, measures, images, cells, store.

    Args:
        options: Options of a command; those that it does not have are not checked.

    Raises:
        NtknasError: If one is unknown, or is not there.
    """
    if options.get("bench") is not None:
        _check_space(options["bench"], options.get("bench_data"))
    for name, check in _CHECKS.items():
        if options.get(name) is not None:
            check(options[name])
    if options.get("variant") is not None:
        _check_variant(options["bench"], options["variant"], options.get("bench_data"))


def check_store(path: Path) -> None:
    """Check that there is a store to read, or that published scores are there.

    Raises:
        NtknasError: If there are none.
    """
    from ntknas.published import places
    from ntknas.published.source import PREFIX, is_published
    from ntknas.store.layout import exists, real_path

    if is_published(path):
        places.find(str(path).removeprefix(PREFIX))
        return
    if not exists(real_path(path)):
        raise StoreError(
            f"No score store at {path}. Make one with: ntknas score --store {path}, or see one with ntknas demo."
        )


def check_place_for(store: Path) -> None:
    """Check that there is a folder for a store.

    Raises:
        StoreError: If there is none.
    """
    from ntknas.store.layout import real_path

    if not real_path(store).parent.is_dir():
        raise StoreError(f"No folder {store.parent}: make it, or choose another --store.")


def _check_space(bench: str, folder: Path | None) -> None:
    from ntknas.benchmarks import FOLDER, space_of
    from ntknas.spaces import space_names

    check_known("space", space_of(bench, folder or FOLDER), space_names())


def _check_variant(bench: str, variant: str, folder: Path | None) -> None:
    from ntknas.benchmarks import FOLDER, space_of
    from ntknas.spaces import load_space

    check_known("network variant", variant, load_space(space_of(bench, folder or FOLDER)).variants)


def _check_dataset(name: str) -> None:
    from ntknas.data.datasets import get_dataset

    get_dataset(name)


def _check_recipe(name: str) -> None:
    from ntknas.scoring.recipe_file import load_recipe_file

    load_recipe_file(name)


def _check_init(name: str) -> None:
    from ntknas.spaces.initialisation import INITIALISATIONS

    check_known("initialisation", name, INITIALISATIONS)


def _check_source(name: str) -> None:
    from ntknas.data.sources import get_source

    get_source(name)


def _check_measures(text: str) -> None:
    from ntknas.cli.arguments import split_names

    split_names(text)


def _check_file(path: Path) -> None:
    from ntknas.core.errors import DataError

    if not path.exists():
        raise DataError(f"Cannot read the cells file {path}: No such file or directory.")


def _check_accuracies(path: Path) -> None:
    from ntknas.core.errors import DataError

    if not path.exists():
        raise DataError(
            f"No such file: {path}. --accuracies takes a CSV file (or .json, .parquet, .npz) with columns index (or "
            "cell) and value."
        )


def _check_scores(path: Path) -> None:
    from ntknas.cli.benchmark_scores import is_name
    from ntknas.core.errors import DataError

    if not path.exists() and not is_name(path):
        raise DataError(
            f"No such file: {path}. --scores takes a CSV file (or .json, .parquet, .npz) with a column index (or cell) "
            "and one a score."
        )


def _check_device(text: str) -> None:
    from ntknas.scoring.environment import check_device

    check_device(text)


_CHECKS: Mapping[str, Callable[..., None]] = {
    "accuracies": _check_accuracies,
    "scores": _check_scores,
    "dataset": _check_dataset,
    "recipe": _check_recipe,
    "init": _check_init,
    "probe": _check_source,
    "train_images": _check_source,
    "measures": _check_measures,
    "cells_file": _check_file,
    "device": _check_device,
}
