"""Files of results that are no scores: which they are, and the sections that show them."""

from __future__ import annotations

from pathlib import Path

from ntknas.core.errors import DataError
from ntknas.page.json_file import json_sections
from ntknas.page.recognition import is_track, track_files
from ntknas.page.section import Section
from ntknas.page.study import study_section

_EXPECTED = (
    "Expected a score store, a track or a folder of tracks (ntknas track-kernel), a study's page (.md), or JSON that a "
    "command of ntknas printed."
)


def is_file_of_results(path: Path) -> bool:
    """Return whether a path is shown by ``file_sections``, rather than read as a store."""
    return path.is_dir() or path.suffix in (".json", ".md") or is_track(path)


def file_sections(path: Path) -> list[Section]:
    """Return the sections of a file, or of a folder of tracks or of studies' pages.

    Args:
        path: The file or folder.

    Returns:
        The sections.

    Raises:
        DataError: If it is not there, or nothing that is shown.
        StoreError: If it is a track that is damaged.
    """
    if not path.exists():
        raise DataError(f"No such file: {path}. {_EXPECTED}")
    if path.is_dir():
        return _of_folder(path)
    if path.suffix == ".json":
        return json_sections(path)
    if path.suffix == ".md":
        return [study_section(path)]
    if is_track(path):
        return [_of_tracks([path])]
    raise DataError(f"{path} is nothing that a page shows. {_EXPECTED}")


def _of_folder(folder: Path) -> list[Section]:
    tracks, pages = track_files(folder), sorted(folder.glob("*.md"))
    if not tracks and not pages:
        raise DataError(f"{folder} has no tracks and no studies' pages. {_EXPECTED}")
    return [*([_of_tracks(tracks)] if tracks else []), *map(study_section, pages)]


def _of_tracks(paths: list[Path]) -> Section:
    from ntknas.page.tracks import track_section

    return track_section(paths)
