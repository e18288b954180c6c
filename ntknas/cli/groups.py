"""Groups of commands that propose the nearest name."""

from __future__ import annotations

import copy

import click

from ntknas.cli.settings import Settings
from ntknas.core.errors import did_you_mean


class Group(click.Group):
    """A group of commands; before one runs, it is said which of its options a settings file decided."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command.

        Returns:
            Its name, the command, and its arguments.

        Raises:
            UsageError: If there is none of this name.
        """
        first = args[0]
        if self.get_command(ctx, first) is None and not first.startswith("-") and not ctx.resilient_parsing:
            hint = did_you_mean(first, self.list_commands(ctx))
            raise click.UsageError(f"No such command {first!r}.{hint}", ctx)
        name, command, arguments = super().resolve_command(ctx, args)
        return name, _announcing(command), arguments


def _announcing(command: click.Command | None) -> click.Command | None:
    """Return a command that says first where its options come from."""
    if command is None or isinstance(command, click.Group) or command.callback is None:
        return command
    # A copy: commands outlive a run, and would announce once more in each.
    callback, announcing = command.callback, copy.copy(command)

    def announce(*arguments: object, **options: object) -> object:
        ctx = click.get_current_context()
        settings = ctx.find_object(Settings)
        if settings is not None:
            settings.announce(ctx)
        return callback(*arguments, **options)

    announcing.callback = announce
    return announcing
