"""Which files are tracks, told without what reads them: that needs torch."""

from __future__ import annotations

from pathlib import Path

import h5py

from ntknas.core.sealed_file import check

_FORMAT = "ntknas-track"
"""What a track says that it is."""


def is_track(path: Path) -> bool:
    """Return whether a file is a track; whether it is whole is seen when it is read."""
    try:
        check(path)
        with h5py.File(path, "r", locking=False) as file:
            return bool(file.attrs.get("format") == _FORMAT)
    except (OSError, RuntimeError, ValueError, TypeError, KeyError):  # a changed byte shows as any of these
        return False


def track_files(folder: Path) -> list[Path]:
    """Return the tracks in a folder, in the order of their cells."""
    found = [path for path in folder.glob("cell-*-seed-*.h5") if path.is_file()]
    return sorted(found, key=lambda path: [int(part) if part.isdecimal() else 0 for part in path.stem.split("-")])
