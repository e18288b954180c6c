"""The command ``ntknas``: finds the subcommand, reads settings, turns errors into messages and exit codes."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TextIO

import click

from ntknas import __version__
from ntknas.cli import settings, stopping, streams
from ntknas.cli.groups import Group
from ntknas.cli.output import note
from ntknas.cli.wording import in_options
from ntknas.core.errors import NtknasError
from ntknas.core.plugins import PluginWarning

_COMMANDS = {
    "demo": ("demo", "Score 100 real cells on embedded images and correlate with published accuracies."),
    "score": ("score", "Score the cells of a benchmark into a store; resumes."),
    "track-kernel": ("track_kernel", "Train cells and follow their kernels: drifts, spectrum, pictures."),
    "correlate": ("correlate", "Correlate a store's scores with trained accuracies."),
    "report": ("report", "One HTML page of results, to look at and to pass on: needs no network."),
    "pareto": ("pareto", "Trade-offs: fronts that scores choose against the true front of two targets."),
    "search": ("search", "Search guided by a score: what it finds for how many trainings, beside search without it."),
    "published": ("published", "Published scores: list, info, export, verify; measured once for everybody."),
    "sensitivity": ("sensitivity", "Which choices change the conclusion: single changes, rank agreements."),
    "diff": ("diff", "What differs between two stores, and how far cells moved."),
    "recipe": ("recipe", "Recipes: list, show; published ways of measuring."),
    "measures": ("measures", "All measures: definition, direction, what each needs, source; or all of one."),
    "kernel": ("kernel", "Show one cell's kernel: measures, spectrum, heat map."),
    "explain": ("explain", "Explain one cell: layers, spectrum, place in the space, neighbours; as a picture."),
    "study": ("study", "Studies of kernels themselves: what theory claims, and what holds of finite networks."),
    "bench": ("bench", "Benchmarks: import official files, list, query, verify."),
    "data": ("data", "Image sets: list, fetch, verify."),
    "store": ("store", "Score stores: info, merge, verify, repair, compact, extract, export and more."),
}


class LazyGroup(Group):
    """A group whose commands are imported when they are used, so that help needs no torch."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the documentation."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in _COMMANDS:
            return None
        return _load(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


def _load(name: str) -> click.Command:
    command: click.Command = import_module(f"ntknas.cli.{_COMMANDS[name][0]}").command
    return command


@click.group(
    cls=LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 110,
        "auto_envvar_prefix": settings.PREFIX,
    },
)
@click.version_option(__version__, prog_name="ntknas")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file to trust, and to take in place of an ntknas.toml that is found.",
)
@click.pass_context
def cli(ctx: click.Context, config: Path | None) -> None:
    """Score neural architectures without training, by their neural tangent kernel.

    Every option can also be set by a variable NTKNAS_<COMMAND>_<OPTION> or in a file ([score] probe = "digits"): the
    one that --config names, else the ntknas.toml of this folder or the nearest above it, and before these your own
    ~/.config/ntknas/ntknas.toml. The command line wins over the variable, the variable over the file. Options that run
    code, write over files or connect are not taken from a file that was only found.

    Exit codes: 0 done; 1 something you can fix; 2 usage; 3 finished, but some cells failed; 129, 130 and 143 stopped by
    a hang-up, an interrupt or a request to end; 141 nobody reads the output any more.
    """
    for warning in settings.unknown_variables(cli, os.environ):
        note(warning)
    ctx.default_map = ctx.ensure_object(settings.Settings).read(cli, config)


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code; errors and packages left out go to standard error, a line each."""
    with warnings.catch_warnings():
        show_others = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, PluginWarning):
                note(f"Warning: {message}")
            else:
                show_others(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        return _run(arguments)


def _run(arguments: list[str]) -> int:
    options_given = settings.Settings()
    try:
        # not cli.main(), which ends a broken pipe in its own way
        with cli.make_context("ntknas", list(arguments), obj=options_given) as ctx:
            result = cli.invoke(ctx)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        return _usage(error)
    except (KeyboardInterrupt, click.Abort) as error:
        return _stopped(error)
    except NtknasError as error:
        return _failed(in_options(str(error), options_given.command), options_given.used)
    except BrokenPipeError:
        streams.drop(sys.stdout)  # or Python flushes it again at exit, and complains
        return 128 + signal.SIGPIPE
    except OSError as error:
        file = f" {error.filename}" if error.filename else ""
        return _failed(f"Cannot read or write{file}: {error.strerror or error}.", options_given.used)
    except Exception as error:
        if os.environ.get("NTKNAS_TRACEBACK"):
            raise
        return _failed(_unforeseen(error), options_given.used)
    return result if isinstance(result, int) else 0


def _usage(error: click.ClickException) -> int:
    with suppress(OSError):
        error.show()
    if isinstance(error, click.BadParameter) and (origin := settings.origin_of(error.ctx, error.param)):
        note(f"The value is from {origin}.")
    return error.exit_code


def _stopped(error: BaseException) -> int:
    signalled = error if isinstance(error, stopping.StoppedError) else error.__cause__
    number = signalled.number if isinstance(signalled, stopping.StoppedError) else signal.SIGINT
    note(f"{'Interrupted' if number == signal.SIGINT else 'Stopped'}. {stopping.kept(error)}".rstrip())
    return 128 + number


def _failed(message: str, origins: list[str]) -> int:
    note(f"Error: {message}")
    if origins:
        note(f"Not from the command line: {'; '.join(origins)}.")
    return 1


def _unforeseen(error: Exception) -> str:
    remark = stopping.kept(error)
    return (
        f"{type(error).__name__}: {error}. An input that ntknas did not foresee, or a fault of its own"
        f"{f'. {remark}' if remark else '.'} NTKNAS_TRACEBACK=1 shows where it happened."
    )


def main() -> None:
    """Entry point of the installed command."""
    streams.prepare()
    stopping.listen()
    code = run(sys.argv[1:])
    failure = streams.flush()
    stopping.end_quietly()
    if isinstance(failure, BrokenPipeError):
        code = code or 128 + signal.SIGPIPE
    elif failure is not None:
        code = code or _failed(f"Cannot write standard output: {failure.strerror}.", [])
    sys.exit(code)
