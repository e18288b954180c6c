"""What a user names in a file of Python of their own, ``FILE.py:name``: the file is run, as Python would run it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from ntknas.core.errors import DataError


def place_of(text: str, option: str) -> tuple[Path, str]:
    """Return the file and the name that a text says, without running anything.

    Args:
        text: ``FILE.py:name``.
        option: The parameter that it was given as, for messages.

    Returns:
        The file and the name.

    Raises:
        DataError: If it is not written so, or there is no such file.
    """
    file, colon, name = text.rpartition(":")
    if not colon or not name.isidentifier() or not file.endswith(".py"):
        raise DataError(f"`{option}` expects FILE.py:NAME, got {text!r}.")
    if not Path(file).is_file():
        raise DataError(f"There is no file {file}: `{option}` expects FILE.py:NAME.")
    return Path(file), name


@contextmanager
def folder_first(path: Path) -> Iterator[None]:
    """Let a user's file import what lies beside it, as ``python FILE.py`` does; the path is as it was afterwards."""
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with suppress(ValueError):  # the file itself may have taken it out
            sys.path.remove(folder)


def run_file(path: Path) -> ModuleType:
    """Run a user's file.

    Args:
        path: The file.

    Returns:
        What it has become: a module, under a name that is nobody else's.

    Raises:
        DataError: If it raises.
    """
    name = f"ntknas_own_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # classes look for their module there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever a user's file does wrong is theirs to see, in one line
        raise DataError(f"{path} cannot be run: {type(error).__name__}: {error}.") from error
    return module
