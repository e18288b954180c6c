"""Where releases lie: those that come with the package, by name, and any folder."""

from __future__ import annotations

from pathlib import Path

from ntknas.core.display import printable
from ntknas.core.errors import DataError, unknown

MANIFEST = "manifest.json"
CELLS, NETWORKS, SCORES = "cells.parquet", "networks.parquet", "scores.parquet"
ENVIRONMENT, CROISSANT, LICENCE = "environment.json", "croissant.json", "LICENCE.txt"
NEEDED = (CELLS, NETWORKS, SCORES, ENVIRONMENT)
"""Files that every release has beside its manifest."""
PACKAGED = ("nb201",)
"""Names of the releases that come with the package."""
SPECTRA = Path("bench_data")
"""Where spectra are looked for unless told otherwise, in a folder named after their release."""
_CHECKOUT = Path(__file__).parents[2]
"""The project's own folder, where the package is used from it: it has the spectra of its releases."""


def packaged_folder(name: str) -> Path:
    """Return where a release that comes with the package lies."""
    return Path(__file__).parent / name


def spectra_folder(name: str, root: Path = SPECTRA) -> Path:
    """Return where the spectra of a release are looked for."""
    return root / f"{name}-spectra"


def find_spectra(name: str, file: str, folder: Path, root: Path = SPECTRA) -> Path:
    """Return a file of spectra of a release.

    Args:
        name: Name of the release.
        file: Name of the file.
        folder: Folder of the release.
        root: The folder that is looked into first.

    Returns:
        The first that is there: in ``root``, beside the folder of the release, in the project's own folder.

    Raises:
        DataError: If there is none; the message says where it was looked for, and where it is to be had.
    """
    folders = dict.fromkeys(spectra_folder(name, place) for place in (root, folder.parent, _CHECKOUT / SPECTRA))
    for place in folders:
        if (place / file).exists():
            return place / file
    looked = " and ".join(printable(place) for place in folders)
    raise DataError(
        f"There is no {file}: looked for in {looked}. Spectra are not in the package: take {spectra_folder(name)} of "
        "the project's repository, and name the folder with `spectra` or put it there."
    )


def find(text: str | Path) -> Path:
    """Return the folder of a release.

    Args:
        text: The name of one that comes with the package, or a folder.

    Returns:
        The folder, which has a manifest.

    Raises:
        ChoiceError: If it is neither the name of a release nor a folder that is there.
        DataError: If the folder is missing or holds no release, or the package has none of that name yet.
    """
    name = str(text)
    folder = packaged_folder(name) if name in PACKAGED else Path(text)
    if (folder / MANIFEST).exists():
        return folder
    if name in PACKAGED:
        raise DataError(f"This installation has no published scores of {name} yet: {MANIFEST} is not in the package.")
    if folder.is_dir():
        raise DataError(
            f"{printable(name)} holds no release of published scores: it has no {MANIFEST}. Name a folder that "
            f"ntknas published export or scripts/published/build.py wrote, or one of {', '.join(PACKAGED)}."
        )
    if Path(name).name != name:
        raise DataError(
            f"There is no folder {printable(name)}. Name one that holds a release, or {', '.join(PACKAGED)}."
        )
    error = unknown("release", printable(name), [*PACKAGED, "a folder that holds one"])
    raise error
