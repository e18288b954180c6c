"""The question before what takes long: on a terminal alone, and nothing is written before the answer."""

import os
import pty
import select
import subprocess
import sys

import click
import pytest

from ntknas.cli import asking, first_look, forecast, study_size
from ntknas.cli.asking import begin_or_leave
from ntknas.cli.study_size import agreed_study
from tests.cli.typed import SMALL, ntknas, without_variables

SCORE = ["score", *SMALL, "--cells", "2", "--measures", "trace"]
TWO_HOURS = """
import sys
from pathlib import Path

import click

from ntknas.cli import main
from ntknas.cli.asking import begin_or_leave

@click.command()
def command():
    begin_or_leave(7200.0, "--cells 20")
    Path("begun").touch()
    click.echo("begun")

main._load = lambda name: command
sys.argv = ["ntknas", "demo"]
main.main()
"""
SHELL = [sys.executable, "-c", TWO_HOURS]
LONG = """
from ntknas.cli import asking, forecast, main, track_kernel

for module in (asking, forecast, track_kernel):
    module.LONG = 0.0  # everything takes long
main.main()
"""
REAL = [sys.executable, "-c", LONG]


def at_terminal(folder, command, keys="", question="[y/N]"):
    """Run a command on a terminal of its own and type keys once it asks; returns its code and what it said."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(folder)
        os.environ["OMP_NUM_THREADS"] = "1"
        os.execv(command[0], command)
    said, typed = b"", False
    while True:
        try:
            select.select([terminal], [], [])
            piece = os.read(terminal, 4096)
        except OSError:  # how Linux says that nobody has the terminal open any more
            break
        if not piece:
            break
        said += piece
        if keys and not typed and question.encode() in said:
            os.write(terminal, keys.encode())
            typed = True
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), said.decode(errors="replace").replace("\r\n", "\n")


ANSWERS = {
    "no": ("n\n", 1, "Nothing was computed."),
    "nothing": ("\n", 1, "Nothing was computed."),
    "the end of input": ("\x04", 1, "Nothing was computed."),
    "an interrupt": ("\x03", 130, "Interrupted."),
    "something else, then yes": ("what?\ny\n", 0, "begun"),
    "yes": ("Yes\n", 0, "begun"),
}


@pytest.mark.parametrize("name", list(ANSWERS))
def test_a_long_run_asks_on_a_terminal(tmp_path, name):
    keys, expected, message = ANSWERS[name]
    code, said = at_terminal(tmp_path, SHELL, keys)
    assert code == expected, said
    assert message in said
    assert said.index("This takes some 2 h here. Shorter: --cells 20.") < said.index("Begin? [y/N]")
    assert "Traceback" not in said
    assert (tmp_path / "begun").exists() == (code == 0)


NOBODY = {
    "no terminal": '"$@" </dev/null 2>&1 | cat',
    "messages that go elsewhere": '"$@" 2>messages; cat messages',
    "a command in the background of a terminal": 'set -m; "$@" & wait $!',
}


@pytest.mark.parametrize("name", list(NOBODY))
def test_nothing_waits_for_an_answer_where_nobody_can_give_one(tmp_path, name):
    code, said = at_terminal(tmp_path, ["/bin/bash", "-o", "pipefail", "-c", NOBODY[name], "bash", *SHELL])
    assert code == 0, said
    assert "This takes some 2 h here" in said
    assert "Begin?" not in said
    assert (tmp_path / "begun").exists()


COMMANDS = {
    "score": SCORE,
    "tracks": ["track-kernel", "284", *SMALL, "--epochs", "1", "--train-size", "20"],
    "sensitivity": ["sensitivity", *SMALL, "--cells", "2", "--vary", "seed"],
}


@pytest.mark.parametrize("name", list(COMMANDS))
def test_nothing_is_written_before_the_answer(tmp_path, name):
    code, said = at_terminal(tmp_path, [*REAL, *COMMANDS[name]], "n\n")
    assert (code, list(tmp_path.iterdir())) == (1, []), said
    assert "--channels 4 --cells-per-stage 1" in said


def test_yes_on_the_command_line_asks_nothing(tmp_path):
    code, said = at_terminal(tmp_path, [*REAL, *SCORE, "--yes"])
    assert code == 0, said
    assert "This takes some" not in said
    assert (tmp_path / "scores.h5").exists()


def test_a_script_is_told_and_goes_on(tmp_path):
    done = subprocess.run([*REAL, *SCORE], cwd=tmp_path, capture_output=True, text=True, check=False, input="n\n")
    assert done.returncode == 0, done.stderr
    assert "This takes some" in done.stderr
    assert "Begin?" not in done.stderr
    assert (tmp_path / "scores.h5").exists()


class Study:
    """A study that takes as long as it says."""

    name = "constancy"

    def __init__(self, seconds):
        self.seconds = seconds

    def seconds_before(self):
        return self.seconds


def agreed(monkeypatch, answer, arguments=(), seconds=7200.0):
    """Return the options after a bare study was asked for at a terminal, and how often it was made."""
    from ntknas.cli.study import command

    made = []
    ctx = command.make_context("study", ["constancy", *arguments])
    for module in (asking, study_size):
        monkeypatch.setattr(module, "someone_is_there", lambda: True)
        monkeypatch.setattr(module, "asked", lambda question, answers: answers.get(answer, asking.NO))
    agreed_study(ctx, ctx.params, lambda: made.append(ctx.params["quick"]) or Study(seconds))
    return ctx.params["quick"], made


def test_a_bare_study_offers_its_quick_size_on_a_terminal(monkeypatch, capsys):
    assert agreed(monkeypatch, "q") == (True, [False, True])
    assert "The published size takes some 2 h here" in capsys.readouterr().err
    assert agreed(monkeypatch, "f") == (False, [False])
    with pytest.raises(click.exceptions.Exit):
        agreed(monkeypatch, "n")
    assert agreed(monkeypatch, "n", ["--yes"]) == (False, [False])  # not asked at all


def test_a_study_of_which_something_was_said_keeps_its_size(monkeypatch):
    assert agreed(monkeypatch, "y", ["--family", "cnn"]) == (False, [False])
    with pytest.raises(click.exceptions.Exit):
        agreed(monkeypatch, "q", ["--family", "cnn"])  # no answer there: only yes and no


@pytest.mark.parametrize(("seconds", "is_said"), [(599.0, False), (601.0, True)])
def test_from_ten_minutes_on_it_is_said(capsys, seconds, is_said):
    begin_or_leave(seconds, "--cells 20")
    err = capsys.readouterr().err
    assert ("This takes some 10 min" in err) == is_said
    assert ("--cells 20" in err) == is_said


def test_a_found_settings_file_does_not_answer(capsys, tmp_path, monkeypatch):
    without_variables(monkeypatch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ntknas.toml").write_text("[score]\nyes = true\n")
    code, _, err = ntknas(capsys, *SCORE)
    assert code == 1
    assert "[score] yes is not taken" in err


NAMED = {
    "nothing": ([], "digits", True),
    "a measure": (["--measures", "trace"], "digits", True),
    "cells": (["--cells", "7"], "digits", False),
    "a size of networks": (["--channels", "8"], "digits", False),
    "seeds": (["--seeds", "2"], "digits", False),
    "everything": (["--yes"], "digits", False),
    "a probe": (["--probe", "noise"], "noise", False),
    "missing images": (["--probe", "cifar10"], "cifar10", False),
    "a download": (["--download"], None, False),
    "a recipe with a probe": (["--recipe", "mok"], None, False),
    "a recipe without one": (["--recipe", "mine.toml"], "digits", False),
    "another data set": (["--dataset", "ImageNet16-120"], "digits", True),
}


@pytest.mark.parametrize("name", list(NAMED))
def test_what_is_small_is_what_nobody_named(tmp_path, monkeypatch, name):
    from ntknas.cli.score import FIRST_LOOK, command

    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text('[score]\nmeasures = "trace"\n')
    arguments, probe, is_small = NAMED[name]
    ctx = command.make_context("score", list(arguments))
    first_look.take_images(ctx, ctx.params, FIRST_LOOK)
    assert ctx.params["probe"] == probe
    assert (ctx.params["channels"] == 4 and ctx.params["cells"] == "50") == is_small


def test_a_variable_names_a_size_too(tmp_path, monkeypatch):
    from ntknas.cli.score import FIRST_LOOK, command

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NTKNAS_SCORE_CELLS", "100")
    ctx = command.make_context("score", [], auto_envvar_prefix="NTKNAS_SCORE")
    first_look.take_images(ctx, ctx.params, FIRST_LOOK)
    assert (ctx.params["probe"], ctx.params["channels"]) == ("digits", None)


def test_images_that_are_there_are_taken(tmp_path, monkeypatch):
    from ntknas.cli.score import FIRST_LOOK, command

    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "images/cifar-10-batches-py"
    folder.mkdir(parents=True)
    (folder / "data_batch_1").touch()  # damaged: what reads it says so
    ctx = command.make_context("score", ["--image-data", "images"])
    first_look.take_images(ctx, ctx.params, FIRST_LOOK)
    assert (ctx.params["probe"], ctx.params["cells"], ctx.params["channels"]) == (None, "100", None)


def test_another_folder_is_named_in_both_ways(tmp_path, monkeypatch, capsys):
    from ntknas.cli.score import command

    monkeypatch.chdir(tmp_path)
    ctx = command.make_context("score", ["--image-data", "my images"])
    first_look.take_images(ctx, ctx.params)
    assert "ntknas data fetch cifar10 --image-data 'my images', or put its" in capsys.readouterr().err
    ctx = command.make_context("score", ["--dataset", "ImageNet16-120"])
    first_look.take_images(ctx, ctx.params)
    err = capsys.readouterr().err
    assert "data fetch" not in err  # its licence does not allow it
    assert "put its official files into image_data/ImageNet16" in err


def test_short_runs_are_reckoned_and_others_tried(monkeypatch):
    from ntknas.data import Request, make_probe
    from ntknas.scoring import NetworkOptions, Recipe, session
    from ntknas.spaces import load_space

    tried = []

    class Tried:
        seconds = 1234.0

    monkeypatch.setattr(session, "forecast", lambda *_, **options: tried.append(options["budget"]) or Tried())
    space, probe = load_space("nb201"), make_probe("digits", 64, Request())
    small = {"probe": probe, "recipe": Recipe(network=NetworkOptions(channels=4, cells_per_stage=1))}
    assert 0 < forecast.seconds_of(space, range(50), small) < asking.LONG
    assert not tried
    assert forecast.seconds_of(space, range(1000), {"probe": probe, "recipe": Recipe()}) == 1234.0
    assert tried == [forecast.BRIEF]
