"""``--space FILE.py:NAME``: a space of one's own in one file, which is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ntknas.cli import kinds

if TYPE_CHECKING:
    from ntknas.spaces import Space

space_option = click.option(
    "--space",
    cls=kinds.TrustedOption,
    metavar="FILE.py:NAME",
    help="In place of --bench: a space of your own, the class NAME of a file of Python, which is run and tried.",
)


def take_space(ctx: click.Context, options: dict[str, object]) -> None:
    """Let ``--space`` say which cells are meant, in place of ``--bench``.

    Args:
        ctx: The running command.
        options: Its options; ``space`` is taken out, ``bench`` becomes the space's name.

    Raises:
        UsageError: If both are given.
        NtknasError: If there is no such file, or what it defines is no space.
    """
    place = options.pop("space")
    if place is None:
        return
    if ctx.get_parameter_source("bench") is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--bench and --space both say whose cells are meant: give one of them.")
    options["bench"] = _loaded(str(place)).name


def named_space(text: object) -> str | None:
    """Return the name of a space that may be given by a file; nothing stays nothing."""
    if text is None:
        return None
    return _loaded(str(text)).name if ".py:" in str(text) else str(text)


def provenance_of(space: Space) -> dict[str, object]:
    """Return what is recorded of where a space came from: nothing, unless it is one of a user's file."""
    from ntknas.spaces.own_file import file_of

    file = file_of(space.name)
    return {} if file is None else {"space_file": f"{file.path}:{file.name}", "space_file_sha256": file.digest}


def _loaded(place: str) -> Space:
    from ntknas.spaces import load_space_file

    return load_space_file(place)
