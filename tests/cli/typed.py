"""Commands as a user types them, in this process."""

import os
from collections.abc import Iterator

import click

from ntknas.cli.main import cli, run

SMALL = "--probe digits --probe-size 10 --channels 2 --cells-per-stage 1".split()


def ntknas(capsys, *arguments):
    """Run a command; returns exit code, standard output and standard error, and expects no traceback."""
    code = run([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def without_variables(monkeypatch):
    """Take the user's own variables away."""
    for name in list(os.environ):
        if name.startswith(("NTKNAS_", "XDG_CONFIG")) and name != "NTKNAS_TEST_DATA":
            monkeypatch.delenv(name)


def commands(group: click.Group = cli, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that is no group, with what is typed for it."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command
