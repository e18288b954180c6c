"""Options from settings files and variables: which wins, and where each option of a command came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from ntknas.cli.settings_files import FileOption, read_options, settings_files
from ntknas.core.errors import did_you_mean

PREFIX = "NTKNAS"
_NO_OPTIONS = ("NTKNAS_CONFIG", "NTKNAS_TRACEBACK")
_OF_TESTS = "NTKNAS_TEST_"


class Settings:
    """The options that settings files give, and those that a command took."""

    def __init__(self) -> None:
        self.used: list[str] = []
        """Options that were not on the command line, each with its origin."""
        self.command: click.Command | None = None
        """The command that runs."""

    def read(self, cli: click.Group, file: Path | None) -> dict[str, object]:
        """Return the options of all files as click takes them.

        Args:
            cli: The whole command.
            file: A file that the user named, in place of the one of the working folder.

        Returns:
            Options by command.

        Raises:
            NtknasError: If a file cannot be read, or holds what is no option.
        """
        options: dict[str, object] = {}
        for settings_file in settings_files(file):
            options = _merged(options, read_options(settings_file, cli))
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
            if (file_option := _file_option(ctx, option)) is not None:
                by_file.setdefault(file_option.file.path, []).append(f"--{option.opts[-1].lstrip('-')}")
        command = ctx.command_path.removeprefix(f"{ctx.find_root().command_path} ")
        for path, names in by_file.items():
            note(f"Options from {path}: {command} {', '.join(names)}.")


def _file_option(ctx: click.Context, option: click.Parameter) -> FileOption | None:
    """Return what a settings file says of an option, if that decided it."""
    if option.name is None or ctx.get_parameter_source(option.name) is not click.core.ParameterSource.DEFAULT_MAP:
        return None
    value = ctx.lookup_default(option.name, call=False)  # as it stands: click would call it for its value
    return value if isinstance(value, FileOption) else None


def origin_of(ctx: click.Context | None, option: click.Parameter | None) -> str:
    """Return where the value of an option is from if it is not from the command line, else nothing."""
    if ctx is None or option is None or option.name is None:
        return ""
    if (file_option := _file_option(ctx, option)) is not None:
        return file_option.where
    if ctx.get_parameter_source(option.name) is click.core.ParameterSource.ENVIRONMENT:
        return f"the variable {ctx.auto_envvar_prefix}_{option.name.upper()}"
    return ""


def _merged(weak: Mapping[str, object], strong: Mapping[str, object]) -> dict[str, object]:
    """Return the options of two files, those of the second where both have one."""
    merged = dict(weak)
    for name, value in strong.items():
        weaker = weak.get(name)
        merged[name] = _merged(weaker, value) if isinstance(weaker, dict) and isinstance(value, dict) else value
    return merged


def unknown_variables(cli: click.Group, environment: Mapping[str, str]) -> list[str]:
    """Return a remark on every variable that looks like an option's and is none."""
    names = [name for name in environment if name.startswith(f"{PREFIX}_") and not name.startswith(_OF_TESTS)]
    unexplained = sorted(set(names) - set(_NO_OPTIONS))
    variables = {*_NO_OPTIONS, *_variables(cli, PREFIX)} if unexplained else set()  # which imports every command
    return [
        f"Warning: the variable {name} is no option's and is ignored.{did_you_mean(name, variables)}"
        for name in unexplained
        if name not in variables
    ]


def _variables(command: click.Command, prefix: str) -> Iterator[str]:
    """Yield the variables of a command's options, and of those below it."""
    yield from (f"{prefix}_{parameter.name}".upper() for parameter in command.params if parameter.name)
    if isinstance(command, click.Group):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            subcommand = command.get_command(ctx, name)
            if subcommand is not None:
                yield from _variables(subcommand, f"{prefix}_{name.upper().replace('-', '_')}")
