"""The options of pictures, ``--format`` and ``--style``, of every command that draws."""

from __future__ import annotations

from pathlib import Path

import click

from ntknas.cli.derived import options_of
from ntknas.cli.types import Options
from ntknas.core.options import made_of
from ntknas.report.look import Look

picture_options = options_of(Look)


def look_of(options: Options, **places: Path | None) -> Look:
    """Take the options of pictures out of a command's, and check them before anything is computed.

    Args:
        options: The options, which lose these.
        **places: Where pictures go, by option: ``plots``, a folder, or ``plot``, a file; none where none are drawn.

    Returns:
        The look.

    Raises:
        UsageError: If they are typed where nothing is drawn.
        ChoiceError: If a file's ending is no picture's, or that of another format.
    """
    look = made_of(Look, {name: options.pop(name) for name in ("format", "style")})
    context = click.get_current_context()
    for name, place in places.items():
        if place is not None and name == "plot":
            look.file(place)
    if places and not any(places.values()):
        for name in ("format", "style"):
            if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--{name} is of pictures: --{next(iter(places))} says where they go.")
    return look
