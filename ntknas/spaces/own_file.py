"""A space of one's own in one file, ``FILE.py:NAME``, which is run, tried and known by its name from then on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ntknas.core.errors import ChoiceError, DataError
from ntknas.core.own_file import folder_first, place_of, run_file
from ntknas.spaces.check import ContractError, check_space
from ntknas.spaces.contract import MEMBERS, Space


@dataclass(frozen=True)
class SpaceFile:
    """A space that came from a file.

    Attributes:
        path: The file, wherever a process works.
        name: What it is called there.
        digest: SHA-256 of the file.
        space: The space.
    """

    path: Path
    name: str
    digest: str
    space: Space

    def __reduce__(self) -> tuple[Callable[..., SpaceFile], tuple[Path, str]]:
        """Travel to another process with the place: nobody else can import what the file defines."""
        return _read, (self.path, self.name)


_FILES: dict[str, SpaceFile] = {}


def load_own(place: str, taken: list[str]) -> SpaceFile:
    """Run a file, try the space that it defines, and know it by its name.

    Args:
        place: ``FILE.py:NAME``: a space, or a class or function that makes one without arguments.
        taken: Names of spaces that are there without it.

    Returns:
        The space, and where it came from.

    Raises:
        DataError: If there is no such file or name, it raises, or it makes something else.
        ChoiceError: If its name is another space's.
        ContractError: If it does not keep the contract of spaces.
    """
    path, name = place_of(place, "space")
    file = _read(path.resolve(), name, taken)
    with folder_first(path):
        try:
            check_space(file.space)
        except ContractError:
            raise
        except (Exception, SystemExit) as error:  # whatever a user's space raises is theirs to see, in one line
            raise DataError(f"{place} raised {type(error).__name__} where it was tried: {error}.") from error
    return file


def _read(path: Path, name: str, taken: list[str] | None = None) -> SpaceFile:
    """Run a file and know its space; in a worker, too, where it has been tried already."""
    with folder_first(path):
        space = _made(run_file(path), name, path)
    if space.name in (taken or []):
        raise ChoiceError(f"The space of {path} is named {space.name!r}, as another is: give it a name of its own.")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    _FILES[space.name] = SpaceFile(path, name, digest, space)
    return _FILES[space.name]


def _made(module: ModuleType, name: str, path: Path) -> Space:
    made: object = getattr(module, name, None)
    if made is None:
        names = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
        raise DataError(f"{path} has no {name!r}: it has {', '.join(names) or 'none'}.")
    if (callable(made) and not isinstance(made, Space)) or isinstance(made, type):
        try:
            made = made()
        except (Exception, SystemExit) as error:  # likewise
            raise DataError(f"{path}:{name} raised {type(error).__name__}: {error}.") from error
    if not isinstance(made, Space):
        lacking = ", ".join(member for member in MEMBERS if not hasattr(made, member))
        raise DataError(f"{path}:{name} makes no space but a {type(made).__name__}: {lacking} is missing.")
    return made


def own_names() -> list[str]:
    """Return the names of the spaces that came from files."""
    return list(_FILES)


def file_of(name: str) -> SpaceFile | None:
    """Return the space of a name and its file, if it came from one."""
    return _FILES.get(name)
