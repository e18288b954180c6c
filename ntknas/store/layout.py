"""Where a store keeps what: its file, its journal, the parts of its workers, its checkpoints."""

from __future__ import annotations

from glob import escape
from pathlib import Path

from ntknas.core.errors import StoreError
from ntknas.core.regular_file import SpecialFileError, check_regular


def journal_path(path: Path) -> Path:
    """Return where a store keeps its journal."""
    return path.with_name(f"{path.name}.journal")


def journal_parts(path: Path) -> list[Path]:
    """Return the journals of a store's workers, one each."""
    parts = path.parent.glob(f"{escape(journal_path(path).name)}.part-*")
    return sorted(part for part in parts if not part.suffix.startswith(".damaged"))


def checkpoints_path(path: Path) -> Path:
    """Return where trainings of a store's networks keep their checkpoints."""
    real = path.resolve() if path.is_symlink() else path
    return real.with_name(f"{real.name}.checkpoints")


def real_path(path: Path) -> Path:
    """Follow links, so that every name of a store means one file, one journal and one folder of checkpoints.

    Raises:
        StoreError: If the path is something else than a file.
    """
    try:
        real = path.resolve()
        for file in (real, journal_path(real)):
            check_regular(file, follow=False)
    except SpecialFileError as error:
        raise StoreError(f"{error.filename} is not a file: {error.strerror}. Choose another --store.") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise StoreError(f"Cannot use {path} as a score store: {error}. Choose another --store.") from error
    return real


def exists(path: Path) -> bool:
    """Return whether there is a store: its file, its journal, or a part."""
    return path.exists() or journal_path(path).exists() or bool(journal_parts(path))
