"""Options from settings files and variables: what a file may decide, and where an option came from."""

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

FILE = "ntknas.toml"
PREFIX = "NTKNAS"
_NO_OPTIONS = ("NTKNAS_CONFIG", "NTKNAS_TRACEBACK")
_OF_TESTS = "NTKNAS_TEST_"
_LARGEST = 1 << 20


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
class Setting:
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


class Settings:
    """The options that settings files give, and those that a command took."""

    def __init__(self) -> None:
        self.used: list[str] = []
        """Options that were not on the command line, each with its origin."""
        self.command: click.Command | None = None
        """The command that runs."""

    def read(self, cli: click.Group, named: Path | None) -> dict[str, object]:
        """Return the options of all files as click takes them.

        Args:
            cli: The whole command.
            named: A file that the user named, in place of the one of the working folder.

        Raises:
            NtknasError: If a file cannot be read, or holds what is no option.
        """
        options: dict[str, object] = {}
        for file in _files(named):
            options = _merged(options, _Reader(file).commands(cli, (), _content(file.path)))
        return options

    def announce(self, ctx: click.Context) -> None:
        """Say on standard error which of a command's options a settings file decided."""
        from ntknas.cli.output import note

        self.command = ctx.command
        by_file: dict[Path, list[str]] = {}
        for option in ctx.command.params:
            origin = origin_of(ctx, option)
            if origin:
                self.used.append(f"{option.opts[-1]} is from {origin}")
            if (setting := _setting(ctx, option)) is not None:
                by_file.setdefault(setting.file.path, []).append(f"--{option.opts[-1].lstrip('-')}")
        command = ctx.command_path.removeprefix(f"{ctx.find_root().command_path} ")
        for path, names in by_file.items():
            note(f"Options from {path}: {command} {', '.join(names)}.")


def _setting(ctx: click.Context, option: click.Parameter) -> Setting | None:
    """Return the setting that decided an option, if one did."""
    if option.name is None or ctx.get_parameter_source(option.name) is not click.core.ParameterSource.DEFAULT_MAP:
        return None
    setting = ctx.lookup_default(option.name, call=False)
    return setting if isinstance(setting, Setting) else None


def origin_of(ctx: click.Context | None, option: click.Parameter | None) -> str:
    """Return where the value of an option is from if it is not from the command line, else nothing."""
    if ctx is None or option is None or option.name is None:
        return ""
    if (setting := _setting(ctx, option)) is not None:
        return setting.where
    if ctx.get_parameter_source(option.name) is click.core.ParameterSource.ENVIRONMENT:
        return f"the variable {ctx.auto_envvar_prefix}_{option.name.upper()}"
    return ""


def _files(named: Path | None) -> Iterator[SettingsFile]:
    """Yield the settings files, the weakest first."""
    own = _of_user()
    if own is not None:
        yield SettingsFile(own, trusted=True)
    if named is not None:
        yield SettingsFile(named, trusted=True)
        return
    nearest = _nearest()
    if nearest is not None and not (own is not None and nearest.samefile(own)):
        yield SettingsFile(nearest, trusted=False)


def _of_user() -> Path | None:
    """Return the user's own settings file, if there is one."""
    home = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    if not home.is_absolute():  # a relative one would be a folder of somebody else's
        home = Path(os.path.expanduser("~")) / ".config"
    path = home / "ntknas" / FILE
    return path if home.is_absolute() and _is_there(path) else None


def _nearest() -> Path | None:
    """Return the settings file of the working folder or the nearest one above, if there is one."""
    try:
        here = Path.cwd()
    except OSError:  # the folder was removed
        return None
    return next((folder / FILE for folder in (here, *here.parents) if _is_there(folder / FILE)), None)


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder above that may not be looked into
        return False


def _content(path: Path) -> dict[str, object]:
    """Read a settings file.

    Raises:
        NtknasError: If it cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(read_text(path, _LARGEST))
    except (OSError, ValueError, RecursionError) as error:
        raise NtknasError(f"Cannot read {path}: {getattr(error, 'strerror', None) or error}.") from error


def _merged(weak: Mapping[str, object], strong: Mapping[str, object]) -> dict[str, object]:
    """Return the options of two files, those of the second where both have one."""
    merged = dict(weak)
    for name, value in strong.items():
        before = weak.get(name)
        merged[name] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


@dataclass(frozen=True)
class _Reader:
    """Makes settings of what is in one file: one table a command, option names as keys."""

    file: SettingsFile

    def commands(self, group: click.Group, path: tuple[str, ...], content: Mapping[str, object]) -> dict[str, object]:
        """Read the tables of a group's commands.

        Raises:
            NtknasError: If there is no such command, or no such option.
        """
        ctx = click.Context(group)
        names = group.list_commands(ctx)
        settings: dict[str, object] = {}
        for name, table in content.items():
            command = group.get_command(ctx, name)
            if command is None or not isinstance(table, dict):
                shown, hint = ".".join((*path, name)), did_you_mean(name, names) if command is None else ""
                raise NtknasError(
                    f"{self.file.path}: expected one table for each command ({', '.join(names)}), got {shown!r}.{hint}"
                )
            if isinstance(command, click.Group):
                settings[name] = self.commands(command, (*path, name), table)
            else:
                settings[name] = self._options(command, (*path, name), table)
        return settings

    def _options(
        self, command: click.Command, path: tuple[str, ...], table: Mapping[str, object]
    ) -> dict[str, Setting]:
        """Read the options of one command.

        Raises:
            NtknasError: If there is no such option, it is there twice, or its value is not of a kind that it takes.
        """
        known = {option.name: option for option in command.params if isinstance(option, click.Option) and option.name}
        settings: dict[str, Setting] = {}
        for key, value in table.items():
            name = key.replace("-", "_")
            if name not in known:
                raise unknown(
                    f"option in the table [{'.'.join(path)}] of {self.file.path}:",
                    key,
                    sorted(option.replace("_", "-") for option in known),
                )
            if name in settings:
                raise NtknasError(f"{self.file.path}, [{'.'.join(path)}]: {key} and {settings[name].key} are one.")
            where = f"{self.file.path}, [{'.'.join(path)}] {key}"
            refused = isinstance(known[name], TrustedOption) and not self.file.trusted
            settings[name] = Setting(self.file, " ".join(path), key, _value(known[name], value, where), refused)
        return settings


def _value(option: click.Option, value: object, where: str) -> object:
    """Return a value of a file as the command line would give it.

    Raises:
        NtknasError: If it is not of a kind that the option takes.
    """
    expected, fits = _kind(option)
    items = value if isinstance(value, list) and (option.multiple or expected == _TEXT) else [value]
    if not items or not all(map(fits, items)):
        several = ", or a list of them" if option.multiple or expected == _TEXT else ""
        raise NtknasError(f"{where}: expected {expected}{several}, got {value!r}.")
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


def unknown_variables(cli: click.Group, environment: Mapping[str, str]) -> list[str]:
    """Return a remark on every variable that looks like an option's and is none."""
    asked = [name for name in environment if name.startswith(f"{PREFIX}_") and name not in _NO_OPTIONS]
    asked = [name for name in asked if not name.startswith(_OF_TESTS)]
    known = {*_NO_OPTIONS, *_variables(cli, PREFIX)} if asked else set()
    return [
        f"Warning: the variable {name} is no option's and is ignored.{did_you_mean(name, known)}"
        for name in sorted(asked)
        if name not in known
    ]


def _variables(command: click.Command, prefix: str) -> Iterator[str]:
    """Yield the variables of a command's options, and of those below it."""
    yield from (f"{prefix}_{parameter.name}".upper() for parameter in command.params if parameter.name)
    if isinstance(command, click.Group):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            below = command.get_command(ctx, name)
            if below is not None:
                yield from _variables(below, f"{prefix}_{name.upper().replace('-', '_')}")
