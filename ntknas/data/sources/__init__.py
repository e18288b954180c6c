"""Where images come from, by name: a file each, which assigns an ``ImageSource`` to ``SOURCE``."""

from __future__ import annotations

from pathlib import Path

from ntknas.core.errors import ChoiceError, check_known
from ntknas.core.registry import MisfitError, Registry
from ntknas.data.files import OfficialFile, leaving_no_empty_folder
from ntknas.data.image_set import ImageSet, Request
from ntknas.data.source import ImageSource

ENTRY_POINT_GROUP = "ntknas.image_sources"


def _accept(candidate: object) -> ImageSource:
    if not isinstance(candidate, ImageSource):
        raise MisfitError(f"what it names is no ImageSource but a {type(candidate).__name__}")
    return candidate


_REGISTRY = Registry("image source", __name__, "SOURCE", ENTRY_POINT_GROUP, _accept)


def source_names() -> list[str]:
    """Return the names of all image sources, third parties' included."""
    return sorted(_REGISTRY.names(), key=str.casefold)


def get_source(name: str) -> ImageSource:
    """Return what an image source declares.

    Raises:
        ChoiceError: If there is none of this name, or it is one of a package that is at fault.
    """
    return _REGISTRY.get(name)


def all_sources() -> dict[str, ImageSource]:
    """Return what all image sources declare, those without official files first.

    Packages at fault are left out with a warning that names them.
    """
    sources = _REGISTRY.all().values()
    ordered = sorted(sources, key=lambda source: (source.official is not None, source.name.casefold()))
    return {source.name: source for source in ordered}


def load_images(name: str, request: Request) -> ImageSet:
    """Return the images of a source.

    Raises:
        ChoiceError: If there is no such source.
        DataError: If its files are missing or damaged.
    """
    source = get_source(name)
    check_known("split", request.split, ("train", "test"))
    return source.load(request)


def is_missing(name: str, root: Path, split: str) -> bool:
    """Return whether a source has official files, and not one of those of a split is there; nothing is read.

    Args:
        name: Name of the source.
        root: Folder of images.
        split: The split.

    Returns:
        Whether none is there.

    Raises:
        ChoiceError: If there is no such source.
    """
    files = official_files(name)
    of_split = [file for file in files if file.split == split] or files
    return bool(files) and not any((root / file.path).exists() for file in of_split)


def official_files(name: str) -> list[OfficialFile]:
    """Return the official files of a source; none for one that needs none.

    Raises:
        ChoiceError: If there is no such source.
    """
    official = get_source(name).official
    return official.files() if official else []


def fetch(name: str, root: Path) -> Path:
    """Fetch the official files of a source.

    Args:
        name: Name of the source.
        root: Folder of images.

    Returns:
        The folder that holds them now.

    Raises:
        ChoiceError: If there is no such source, or it has no files.
        DataError: If it cannot be fetched; the message says how to get it.
    """
    official = get_source(name).official
    if official is None:
        raise ChoiceError(f"{name} is embedded: there is nothing to fetch.")
    with leaving_no_empty_folder(root / official.folder):
        official.fetch(root)
    return root / official.folder
