"""Where a store keeps its file, its journal, the journals of its workers, its checkpoints and its log."""

from __future__ import annotations

from glob import escape
from pathlib import Path

from ntknas.core.errors import StoreError
from ntknas.core.regular_file import SpecialFileError, check_regular


def journal_path(path: Path) -> Path:
    """Return where a store keeps its journal."""
    return path.with_name(f"{path.name}.journal")


def worker_journals(path: Path) -> list[Path]:
    """Return the journals of a store's workers, one each."""
    journals = path.parent.glob(f"{escape(journal_path(path).name)}.part-*")
    # Copies that were set aside fit the pattern too.
    return sorted(journal for journal in journals if not journal.suffix.startswith(".damaged"))


def checkpoints_path(path: Path) -> Path:
    """Return where trainings of a store's networks keep their checkpoints."""
    return _beside(path, "checkpoints")


def log_path(path: Path) -> Path:
    """Return where the log of a store's runs is."""
    return _beside(path, "log")


def _beside(path: Path, ending: str) -> Path:
    real = path.resolve() if path.is_symlink() else path
    return real.with_name(f"{real.name}.{ending}")


def real_path(path: Path) -> Path:
    """Follow links, so that every name of a store means one file, one journal and one folder of checkpoints.

    Args:
        path: A name of the store.

    Returns:
        The file itself.

    Raises:
        StoreError: If the path is something else than a file.
    """
    try:
        real = path.resolve()
        for file in (real, journal_path(real)):
            check_regular(file, follow=False)
    except SpecialFileError as error:
        raise StoreError(f"{error.filename} is not a file: {error.strerror}. Choose another `store`.") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise StoreError(f"Cannot use {path} as a score store: {error}. Choose another `store`.") from error
    return real


def exists(path: Path) -> bool:
    """Return whether there is a store: its file, its journal, or one of a worker."""
    return path.exists() or journal_path(path).exists() or bool(worker_journals(path))


def existing_path(path: Path) -> Path:
    """Follow links to a store that is there.

    Args:
        path: A name of the store.

    Returns:
        The file itself.

    Raises:
        StoreError: If there is none, or the path is something else than a file.
    """
    real = real_path(path)
    if not exists(real):
        raise StoreError(f"No score store at {path}. ntknas score makes one.")
    return real
