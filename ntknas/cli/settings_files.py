"""Settings files: which there are, and what each says of the options of commands."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from ntknas.cli.kinds import TrustedOption
from ntknas.core.errors import NtknasError, did_you_mean, unknown
from ntknas.core.regular_file import read_text

NAME = "ntknas.toml"
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class SettingsFile:
    """A settings file.

    Attributes:
        path: Where it is.
        trusted: Whether the user made or named it.
    """

    path: Path
    trusted: bool


@dataclass(frozen=True)
class FileOption:
    """The value that a settings file gives to an option; asked for it, it is on record as used.

    Attributes:
        file: The file.
        command: The command, such as ``bench query``.
        key: The option as the file writes it.
        value: The value, as the command line would give it.
        is_refused: Whether the file may not decide this option.
    """

    file: SettingsFile
    command: str
    key: str
    value: object
    is_refused: bool

    def __call__(self) -> object:
        """Return the value.

        Returns:
            The value, as the command line would give it.

        Raises:
            NtknasError: If the file may not decide this option.
        """
        if self.is_refused:
            raise NtknasError(
                f"{self.where} is not taken: this option runs, overwrites or connects, and the file was found in the "
                f"working folder or above, where somebody else may have put it. If you trust it, say so with "
                f"ntknas --config {self.file.path} {self.command}, or give the option on the command line."
            )
        return self.value

    def __str__(self) -> str:
        return str(self.value)

    @property
    def where(self) -> str:
        """The place in the file."""
        return f"{self.file.path}, [{self.command.replace(' ', '.')}] {self.key}"


def settings_files(file: Path | None) -> Iterator[SettingsFile]:
    """Yield the settings files, the weakest first.

    Args:
        file: The one that the user named; it stands for the one of the working folder.

    Yields:
        The user's own, then the one that is named or else the nearest.
    """
    users = _users_file()
    if users is not None:
        yield SettingsFile(users, trusted=True)
    if file is not None:
        yield SettingsFile(file, trusted=True)
        return
    nearest = _nearest_file()
    # The user's own, found again from a folder below it, stays trusted.
    if nearest is not None and not (users is not None and nearest.samefile(users)):
        yield SettingsFile(nearest, trusted=False)


def _users_file() -> Path | None:
    """Return the user's own settings file, if there is one."""
    home = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    if not home.is_absolute():  # a relative one would be a folder of somebody else's
        home = Path(os.path.expanduser("~")) / ".config"
    path = home / "ntknas" / NAME
    return path if home.is_absolute() and _exists(path) else None


def _nearest_file() -> Path | None:
    """Return the settings file of the working folder or the nearest one above, if there is one."""
    try:
        folder = Path.cwd()
    except OSError:  # the folder was removed
        return None
    candidates = (parent / NAME for parent in (folder, *folder.parents))
    return next(filter(_exists, candidates), None)


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder above that may not be looked into
        return False


def _content(path: Path) -> dict[str, object]:
    """Read a settings file.

    Returns:
        Its tables.

    Raises:
        NtknasError: If it cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(read_text(path, _MAX_BYTES))
    except (OSError, ValueError, RecursionError) as error:  # RecursionError: of arrays in arrays
        raise NtknasError(f"Cannot read {path}: {getattr(error, 'strerror', None) or error}.") from error


def read_options(file: SettingsFile, cli: click.Group) -> dict[str, object]:
    """Return the options that a file gives, by command.

    Args:
        file: The file.
        cli: The whole command.

    Returns:
        A ``FileOption`` for each, in dictionaries by command, as deep as commands are.

    Raises:
        NtknasError: If the file cannot be read, or holds what is no option.
    """
    return _Reader(file).commands(cli, (), _content(file.path))


@dataclass(frozen=True)
class _Reader:
    """Makes options of what one file holds: one table per command, names of options as keys."""

    file: SettingsFile

    def commands(self, group: click.Group, path: tuple[str, ...], content: Mapping[str, object]) -> dict[str, object]:
        """Read the tables of a group's commands.

        Returns:
            Options by command, as deep as commands are.

        Raises:
            NtknasError: If there is no such command, or no such option.
        """
        ctx = click.Context(group)
        names = group.list_commands(ctx)
        options: dict[str, object] = {}
        for name, table in content.items():
            command = group.get_command(ctx, name)
            if command is None or not isinstance(table, dict):
                full_name, hint = ".".join((*path, name)), did_you_mean(name, names) if command is None else ""
                raise NtknasError(
                    f"{self.file.path}: expected one table for each command ({', '.join(names)}), "
                    f"got {full_name!r}.{hint}"
                )
            if isinstance(command, click.Group):
                options[name] = self.commands(command, (*path, name), table)
            else:
                options[name] = self._options(command, (*path, name), table)
        return options

    def _options(
        self, command: click.Command, path: tuple[str, ...], table: Mapping[str, object]
    ) -> dict[str, FileOption]:
        """Read the options of one command.

        Returns:
            Options by name, with underscores.

        Raises:
            NtknasError: If there is no such option, it is there twice, or its value is not of a kind that it takes.
        """
        declared = {o.name: o for o in command.params if isinstance(o, click.Option) and o.name}
        options: dict[str, FileOption] = {}
        title = f"[{'.'.join(path)}]"
        for key, value in table.items():
            name = key.replace("-", "_")
            if name not in declared:
                kind = f"option in the table {title} of {self.file.path}:"
                error = unknown(kind, key, sorted(option.replace("_", "-") for option in declared))
                raise error
            if name in options:
                raise NtknasError(f"{self.file.path}, {title}: {key} and {options[name].key} are one.")
            text = _as_typed(declared[name], value, f"{self.file.path}, {title} {key}")
            is_refused = isinstance(declared[name], TrustedOption) and not self.file.trusted
            options[name] = FileOption(self.file, " ".join(path), key, text, is_refused)
        return options


def _as_typed(option: click.Option, value: object, origin: str) -> object:
    """Return a value of a file as the command line would give it.

    Returns:
        A truth value for a flag, texts for what may be given several times, else one text.

    Raises:
        NtknasError: If it is not of a kind that the option takes.
    """
    expected, fits = _kind(option)
    items = value if isinstance(value, list) and (option.multiple or expected == _TEXT) else [value]
    if not items or not all(map(fits, items)):
        several = ", or a list of them" if option.multiple or expected == _TEXT else ""
        raise NtknasError(f"{origin}: expected {expected}{several}, got {value!r}.")
    if option.is_flag:
        return value
    texts = [str(item) for item in items]
    return texts if option.multiple else ",".join(texts)


_TEXT = "text or a number"


def _kind(option: click.Option) -> tuple[str, Callable[[object], bool]]:
    """Return what an option takes from a file, in words and as a test."""
    if option.is_flag:
        return "true or false", lambda value: isinstance(value, bool)
    if isinstance(option.type, click.types.IntParamType):
        return "a whole number", lambda value: _is_number(value) and not isinstance(value, float)
    if isinstance(option.type, click.types.FloatParamType):
        return "a number", _is_number
    if isinstance(option.type, click.Choice | click.Path):
        return "text", lambda value: isinstance(value, str)
    return _TEXT, lambda value: isinstance(value, str) or _is_number(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
