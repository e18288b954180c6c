"""The official files of image sources, and whether those on disk are they."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ntknas.core.regular_file import open_regular

_MAX_BYTES = 1 << 30  # every official file is smaller; the checksum of a larger one need not be waited for


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


@contextmanager
def leaving_no_empty_folder(folder: Path) -> Iterator[None]:
    """Remove the folder, and those above it, if an error ends what made them before anything was in them."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        yield
    except BaseException:  # an interrupt of a download, too
        with suppress(OSError):  # the first that holds something, or that was not made
            for path in new:
                if path.exists():
                    path.rmdir()
        raise


def state(root: Path, file: OfficialFile) -> str:
    """Return ``official``, ``present`` (no checksum is published), ``changed`` or ``missing``."""
    path = root / file.path
    if not path.is_file():
        return "missing"
    if not file.md5:
        return "present"
    if path.stat().st_size > _MAX_BYTES:
        return "changed"
    with open_regular(path) as stream:
        # Said not to be for security, or a Python in FIPS mode refuses MD5.
        digest = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return "official" if digest == file.md5 else "changed"


def is_sound(root: Path, file: OfficialFile) -> bool:
    """Return whether a file is there as its authors publish it."""
    return state(root, file) in ("official", "present")
