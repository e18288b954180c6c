"""README and docs as printed: blocks are executed in one folder, in order; what takes long is parsed to its options.

A block that is not executed has a comment before it, ``<!-- not run: REASON -->``. In the folder there are two files
beside what blocks make themselves: ``mine.py``, which the README asks its reader for, and an ``ntknas.toml`` that makes
networks and probes small and measures few where a line does not say otherwise. Lines are executed as they are printed.
A block that the reader saves as a file has ``<!-- file: NAME -->`` before it, and is saved.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from ntknas.cli.main import cli
from ntknas.cli.main import run as command
from ntknas.measures import registry
from ntknas.spaces import own_file
from tests.docs.pages import PAGES, ROOT, Block, blocks, prose

BLOCKS = [block for page in PAGES for block in blocks(page)]
SMALL = "channels = 2\ncells-per-stage = 1\nprobe-size = 8\ndevice = 'cpu'\n"
SETTINGS = f"[score]\n{SMALL}measures = 'trace,cond'\n[kernel]\n{SMALL}[correlate]\nresamples = 200\n"
MINE = """
from torch import nn


def make():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))
"""
BROUGHT = ["NAS-Bench-201-v1_1-096897.pth", "FOLDER"]
"""What the reader brings, for lines that are only parsed."""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("NTKNAS_")]:
        monkeypatch.delenv(name)
    (tmp_path / "ntknas.toml").write_text(SETTINGS)
    (tmp_path / "mine.py").write_text(MINE)
    registry.all_measures()  # loads ours before the copies are made
    for registered in ("_MEASURES", "_DERIVED"):  # blocks register their own, which other tests do not know
        monkeypatch.setattr(registry, registered, dict(getattr(registry, registered)))
    monkeypatch.setattr(own_file, "_FILES", {})
    return tmp_path


def test_blocks_that_are_run(folder, capsys):
    done = []
    for block in BLOCKS:
        if block.reason:
            continue
        if block.file:
            (folder / block.file).write_text(block.text)
        elif block.language == "sh":
            for line in block.commands:
                words = shlex.split(line, comments=True)
                assert words[0] == "ntknas", f"{block.name}: only ntknas is run, mark the block: {line}"
                assert command(words[1:]) == 0, f"{block.name}: {line}\n{capsys.readouterr().err}"
                done.append(line)
        elif block.language == "python":
            exec(compile(block.text, block.name, "exec"), {"__name__": "block"})
            done.append(block.name)
    assert len(done) > 10
    assert (folder / "pictures").is_dir()


def test_python_that_is_not_run_is_python():
    for block in BLOCKS:
        if block.language == "python":
            ast.parse(block.text, block.name)


@pytest.fixture
def brought(folder) -> None:
    for name in [*BROUGHT, "scores.h5", "others.h5"]:
        (folder / name).touch()


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.language == "sh"], ids=lambda block: block.name)
def test_every_line_of_a_shell_parses(block: Block, brought):
    for line in block.commands:
        words = shlex.split(line, comments=True)
        try:
            _PARSERS[words[0]](words[1:])
        except click.UsageError as error:
            pytest.fail(f"{block.name}: {line}\n{error.format_message()}")
    subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)


def _parse_ntknas(words: list[str]) -> None:
    """Parse a line down to the last option, as far as the command itself."""
    current: click.Command = cli
    ctx = cli.make_context("ntknas", list(words))
    rest = [*ctx._protected_args, *ctx.args]
    while isinstance(current, click.Group):
        name, found, rest = current.resolve_command(ctx, rest)
        assert found is not None
        ctx, current = found.make_context(name, list(rest), parent=ctx), found
        rest = [*ctx._protected_args, *ctx.args]


def _parse_make(words: list[str]) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(words) <= set(targets)


def _parse_python(words: list[str]) -> None:
    script = ROOT / words[0]
    assert script.is_file()
    known = script.read_text()
    assert all(word in known for word in words[1:] if word.startswith("--"))


def _parse_pip(words: list[str]) -> None:
    extras = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert words[0] == "install"
    assert all(found in extras for word in words for found in re.findall(r"ntknas\[(\w+)\]", word))


def _parse_sbatch(words: list[str]) -> None:
    """What comes after the script are options of ``ntknas score``."""
    (place,) = (number for number, word in enumerate(words) if word.endswith(".sbatch"))
    assert (ROOT / words[place]).is_file()
    _parse_ntknas(["score", *words[place + 1 :]])


_PARSERS = {
    "ntknas": _parse_ntknas,
    "make": _parse_make,
    "python": _parse_python,
    "pip": _parse_pip,
    "sbatch": _parse_sbatch,
}


def test_a_wrong_option_would_be_seen(brought):
    for line in (
        "score --no-such 1",
        "score --strategy nonsense",
        "no-such",
        "bench no-such",
        "store info --no-such x",
    ):
        with pytest.raises(click.UsageError):
            _parse_ntknas(line.split())


def test_settings_that_are_printed_are_settings(folder):
    printed = [block for block in BLOCKS if block.language == "toml"]
    assert printed
    for block in printed:
        (folder / "ntknas.toml").write_text(block.text)
        assert command(["recipe", "list"]) == 0


def _options(group: click.Group, ctx: click.Context) -> set[str]:
    """Every option of every command."""
    found = {option for param in group.params for option in param.opts}
    for name in group.list_commands(ctx):
        member = group.get_command(ctx, name)
        assert member is not None
        if isinstance(member, click.Group):
            found |= _options(member, ctx)
        found |= {option for param in member.params for option in [*param.opts, *param.secondary_opts]}
    return found


def test_every_option_in_the_text_exists():
    known = _options(cli, click.Context(cli)) | {"--help", "--version"}
    known |= {option for script in (ROOT / "scripts").rglob("*.*") for option in _named(script.read_text())}
    for page in PAGES:
        for code in re.findall(r"`([^`\n]+)`", prose(page)):
            assert set(_named(code)) <= known, f"{page.relative_to(ROOT)}: {code}"


def _named(text: str) -> list[str]:
    return re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text)


def test_every_command_in_the_text_exists():
    ctx = click.Context(cli)
    for page in PAGES:
        for name, second in re.findall(r"`ntknas ([a-z][a-z-]*)(?: ([a-z]+))?", prose(page)):
            found = cli.get_command(ctx, name)
            assert found is not None, f"{page.relative_to(ROOT)}: ntknas {name}"
            if isinstance(found, click.Group) and second:
                assert second in found.list_commands(ctx), f"{page.relative_to(ROOT)}: ntknas {name} {second}"
