"""Messages of the library in the words of the command line: its parameters are options there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

_BACKQUOTED = re.compile(r"`([A-Za-z_][A-Za-z0-9_]*)`")


def in_options(text: str, command: click.Command | None = None) -> str:
    """Return a message with options for the parameters that it names in backquotes.

    A word that is an option of the command becomes its flag, an argument its metavar; any other loses its backquotes.

    Args:
        text: The message.
        command: The command whose options are meant; by default the one that runs, if one does.

    Returns:
        The message as the command prints it.

    Example:
        >>> command = click.Command("score", params=[click.Option(["--probe-size"]), click.Argument(["cell"])])
        >>> in_options("`cell` has a `width`: choose a smaller `probe_size`.", command)
        'CELL has a width: choose a smaller --probe-size.'
    """
    if command is None and (ctx := click.get_current_context(silent=True)) is not None:
        command = ctx.command
    names = {} if command is None else dict(_names(command))
    return _BACKQUOTED.sub(lambda match: names.get(match[1], match[1]), text)


def _names(command: click.Command) -> Iterator[tuple[str, str]]:
    """Yield the parameters of a command, each with what a user types for it."""
    for parameter in command.params:
        if not isinstance(parameter, click.Option):
            yield str(parameter.name), parameter.human_readable_name
            continue
        flag = max(parameter.opts, key=len)
        yield str(parameter.name), flag
        yield flag.lstrip("-").replace("-", "_"), flag  # an option that is repeatable may have a name in the plural
