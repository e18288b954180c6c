"""Every command that draws has --format and --style, which are checked before anything is computed."""

import click
import pytest

from ntknas.report.look import FORMATS, STYLES
from tests.cli.typed import commands, ntknas

DRAWING = {
    *("correlate", "demo", "explain", "kernel", "pareto"),
    *("search", "sensitivity", "study", "track-kernel"),
}


def options_of(body):
    return {parameter.opts[-1]: parameter for parameter in body.params if isinstance(parameter, click.Option)}


def test_every_command_that_draws_has_both_options():
    named = {command: options_of(body) for command, body in commands()}
    assert {command for command, options in named.items() if {"--plot", "--plots"} & set(options)} <= DRAWING
    assert {command for command, options in named.items() if "--style" in options} == DRAWING
    for command in DRAWING:
        assert tuple(named[command]["--format"].type.choices) == FORMATS
        assert tuple(named[command]["--style"].type.choices) == tuple(STYLES)
        assert named[command]["--style"].default == "screen"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["kernel", "0", "--plot", "a.png", "--format", "svg"], 1, "a.png is a .png by its name, and --format is svg"),
        (["kernel", "0", "--plot", "a.jpg"], 1, "Use .png, .pdf or .svg"),
        (["explain", "0", "--plot", "a.tiff"], 1, "Use .png, .pdf or .svg"),
        (["sensitivity", "--plot", "a.pdf", "--format", "png"], 1, "a.pdf is a .pdf by its name"),
        (["kernel", "0", "--format", "svg"], 2, "--format is of pictures: --plot says where they go"),
        (["correlate", "none.h5", "--style", "paper"], 2, "--style is of pictures: --plots says where they go"),
        (["track-kernel", "--style", "paper"], 2, "--style is of pictures: --plots says where they go"),
        (["correlate", "none.h5", "--plots", "a", "--format", "pfd"], 2, "Did you mean 'pdf'"),
    ],
)
def test_what_does_not_go_together_is_said_at_once(capsys, tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    found, out, err = ntknas(capsys, *arguments)
    assert (found, out) == (code, "")
    assert message in " ".join(err.split())
    assert list(tmp_path.iterdir()) == []


def test_a_kernel_for_a_paper(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ["--probe", "digits", "--probe-size", "6", "--channels", "2", "--cells-per-stage", "1"]
    code, _, err = ntknas(capsys, "kernel", "284", *small, "--plot", "--format", "pdf", "--style", "paper")
    assert code == 0, err
    assert (tmp_path / "kernel.pdf").exists()
    code, _, err = ntknas(capsys, "kernel", "284", *small, "--plot", "figure", "--format", "pdf", "--style", "paper")
    assert code == 0, err
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")
