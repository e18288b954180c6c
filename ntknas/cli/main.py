"""The command ``ntknas``: finds the subcommand, reads settings, turns errors into messages and exit codes."""

from __future__ import annotations

import io
import os
import signal
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import click

from ntknas import __version__
from ntknas.core.errors import NtknasError, unknown

SETTINGS_FILE = "ntknas.toml"
_COMMANDS = {
    "demo": ("demo", "Score 100 real cells on embedded images and correlate with published accuracies."),
    "score": ("score", "Score the cells of a benchmark into a store; resumes."),
    "track-kernel": ("track_kernel", "Train cells and follow their kernels: drifts, spectrum, pictures."),
    "correlate": ("correlate", "Correlate a store's scores with trained accuracies."),
    "sensitivity": ("sensitivity", "Which choices change the conclusion: single changes, rank agreements."),
    "diff": ("diff", "What differs between two stores, and how far cells moved."),
    "recipe": ("recipe", "Recipes: list, show; published ways of measuring."),
    "kernel": ("kernel", "Show one cell's kernel: measures, spectrum, heat map."),
    "study": ("study", "Studies of kernels themselves: constancy, determinism, loss bound, regression."),
    "bench": ("bench", "Benchmarks: import official files, list, query, verify."),
    "data": ("data", "Image sets: list, fetch, verify."),
    "store": ("store", "Score stores: what one holds."),
}


class LazyGroup(click.Group):
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


def _settings() -> dict[str, Any]:
    """Return the content of ``ntknas.toml`` in the current folder: one table a command, option names as keys.

    Raises:
        NtknasError: If the file is not TOML.
    """
    path = Path(SETTINGS_FILE)
    if not path.is_file():
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NtknasError(f"Cannot read {path.resolve()}: {error}.") from error
    for command, options in content.items():
        if command not in _COMMANDS or not isinstance(options, dict):
            raise NtknasError(f"{path}: expected one table for each command ({', '.join(_COMMANDS)}), got {command!r}.")
    return {command: _options(command, options) for command, options in content.items()}


def _options(command: str, options: dict[str, Any]) -> dict[str, Any]:
    """Options of one command, as the command line would give them.

    Raises:
        NtknasError: If there is no such option, or its value is not of a kind that it takes.
    """
    known = {
        option.name: option for option in _load(command).params if isinstance(option, click.Option) and option.name
    }
    taken = {}
    for key, value in options.items():
        name = key.replace("-", "_")
        if name not in known:
            raise unknown(f"option in the table [{command}] of {SETTINGS_FILE}:", key, sorted(known))
        if known[name].is_flag != isinstance(value, bool) or isinstance(value, dict):
            expected = "true or false" if known[name].is_flag else "text or a number"
            raise NtknasError(f"{SETTINGS_FILE}, [{command}] {key}: expected {expected}, got {value!r}.")
        taken[name] = _as_typed(value, repeatable=known[name].multiple)
    return taken


def _as_typed(value: Any, *, repeatable: bool) -> Any:
    if isinstance(value, list):
        return [str(item) for item in value] if repeatable else ",".join(map(str, value))
    if isinstance(value, bool):
        return value
    return [str(value)] if repeatable else str(value)


def _load(name: str) -> click.Command:
    command: click.Command = import_module(f"ntknas.cli.{_COMMANDS[name][0]}").command
    return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110, "auto_envvar_prefix": "NTKNAS"},
)
@click.version_option(__version__, prog_name="ntknas")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Score neural architectures without training, by their neural tangent kernel.

    Every option can also be set by a variable NTKNAS_<COMMAND>_<OPTION> or in ntknas.toml ([score] probe = "digits");
    the command line wins over the variable, the variable over the file. Exit codes: 0 done; 1 something you can fix;
    2 usage; 3 finished, but some cells failed; 130 and 143 interrupted.
    """
    ctx.default_map = _settings()


class TerminatedError(BaseException):
    """SIGTERM arrived."""


def _terminate(number: int, frame: FrameType | None) -> None:
    raise TerminatedError


_INTERRUPTED = "Interrupted. What was reported as done is stored; the same command goes on from there."


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code; errors go to standard error as one message."""
    try:
        result = cli.main(arguments, prog_name="ntknas", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo(_INTERRUPTED, err=True)
        return 130
    except TerminatedError:
        click.echo(_INTERRUPTED, err=True)
        return 143
    except NtknasError as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    except BrokenPipeError:
        # the reader of our output has gone; give the interpreter nothing left to flush there
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        click.echo(f"Error: Cannot read or write{where}: {error.strerror or error}.", err=True)
        return 1
    except Exception as error:
        if os.environ.get("NTKNAS_TRACEBACK"):
            raise
        click.echo(
            f"Error: {type(error).__name__}: {error}. An input that ntknas did not foresee, or a fault of its own; "
            "what was reported as done is stored. NTKNAS_TRACEBACK=1 shows where it happened.",
            err=True,
        )
        return 1
    return result if isinstance(result, int) else 0


def main() -> None:
    """Entry point of the installed command."""
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Greek letters
    sys.exit(run(sys.argv[1:]))
