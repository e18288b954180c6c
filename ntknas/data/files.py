"""The official files of image sources, and whether those on disk are they."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class OfficialFile:
    """A file as its authors publish it.

    Attributes:
        path: Path below the folder of images.
        md5: Its published checksum; empty where there is none.
        split: Split that it belongs to, if one alone.
    """

    path: str
    md5: str
    split: str = ""


def state(root: Path, file: OfficialFile) -> str:
    """Return ``official``, ``present`` (no checksum is published), ``changed`` or ``missing``."""
    path = root / file.path
    if not path.is_file():
        return "missing"
    if not file.md5:
        return "present"
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return "official" if digest == file.md5 else "changed"


def is_sound(root: Path, file: OfficialFile) -> bool:
    """Return whether a file is there as its authors publish it."""
    return state(root, file) in ("official", "present")
