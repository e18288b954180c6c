"""The four bare commands on a fresh machine: an empty folder, no images, no caches, no terminal."""

import json
import os
import re
import subprocess
import sys

import pytest

COMMANDS = {
    "score": ["score", "--bench", "nb201", "--dataset", "cifar10"],
    "correlate": ["correlate"],
    "track": ["track-kernel"],
    "study": ["study", "constancy"],
}


def clean(home):
    """The environment of somebody who has just logged in."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "OMP_NUM_THREADS": "1", "MPLCONFIGDIR": str(home / "mpl")}


def typed(folder, *arguments):
    """Run a command in a folder, without input; returns what it did."""
    return subprocess.run(
        [sys.executable, "-m", "ntknas", *arguments],
        cwd=folder,
        env=clean(folder.parent / "home"),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An empty folder, beside the home of nobody."""
    place = tmp_path_factory.mktemp("fresh")
    (place / "home").mkdir()
    (place / "work").mkdir()
    return place / "work"


@pytest.fixture(scope="module")
def done(folder):
    """What the commands did, one after the other in the folder."""
    return {name: typed(folder, *arguments) for name, arguments in COMMANDS.items()}


@pytest.mark.parametrize("name", list(COMMANDS))
def test_each_ends_with_a_result(done, name):
    assert done[name].returncode == 0, done[name].stderr
    assert done[name].stdout
    assert "Traceback" not in done[name].stderr
    assert "y/N" not in done[name].stderr  # nobody is there to be asked


@pytest.mark.parametrize("name", ["score", "track"])
def test_the_first_line_says_what_serves_and_both_ways_to_the_real_images(done, name):
    first, second, *_ = done[name].stderr.splitlines()
    assert first.startswith("No images of cifar10 in image_data: ")
    assert "handwritten digits serve instead" in first
    assert "ntknas data fetch cifar10, or put its official files into image_data/cifar-10-batches-py" in first
    assert "--channels 4 --cells-per-stage 1" in second
    assert "--yes: the full size" in second


def test_the_study_says_first_what_it_asks_and_that_it_is_quick(done):
    first, second, *_ = done["study"].stderr.splitlines()
    assert first == "constancy: does the kernel change less while training as networks become wider?"
    assert "quick (--quick)" in second
    assert "the claim holds" in done["study"].stdout


def test_every_table_names_the_digits(done):
    assert "Probe: digits" in done["score"].stdout
    assert "4 channels and 1 cell per stage; probe: 64 images of handwritten digits" in done["correlate"].stdout
    assert "probe: 32 images of handwritten digits" in done["track"].stdout
    assert "cifar10-valid/valid/200" in done["correlate"].stdout


def test_the_json_of_each_names_the_digits_and_the_size(done, folder):
    answers = {
        name: json.loads(typed(folder, *arguments, "--json", *(["--resamples", "0"] * (name == "correlate"))).stdout)
        for name, arguments in COMMANDS.items()
    }
    assert answers["score"]["probe"] == "digits"
    assert (answers["score"]["cells"], answers["score"]["kernels_computed"]) == (50, 0)  # all were there
    settings = [*answers["correlate"]["settings"].values(), answers["track"]["setting"]]
    assert {(each["probe_source"], each["channels"], each["cells_per_stage"]) for each in settings} == {
        ("digits", 4, 1)
    }
    assert answers["track"]["setting"]["training_images"] == "digits"
    assert answers["study"]["quick"] is True
    assert answers["study"]["settings"]["samples"] == 60


def test_every_picture_names_the_digits(done, folder):
    looks = ["--format", "svg", "--plots"]  # whose letters are letters
    assert typed(folder, "correlate", "--resamples", "0", *looks, "correlations").returncode == 0
    assert typed(folder, "track-kernel", *looks, "tracked").returncode == 0
    pictures = [*(folder / "correlations").glob("*.svg"), *(folder / "tracked").glob("*.svg")]
    assert len(pictures) > 4
    for picture in pictures:
        assert "digits" in picture.read_text(encoding="utf-8"), picture.name


def test_the_page_of_the_study_says_how_it_was_made(done, folder):
    (page,) = (folder / "studies").glob("*.md")
    assert page.stem == "constancy-mlp-boston-standard-quick"
    assert re.search(r"Made by `ntknas study constancy( --json)? --quick`", page.read_text(encoding="utf-8"))


REFUSED = {
    "a probe": ["score", "--probe", "cifar10"],
    "a probe of tracks": ["track-kernel", "--probe", "cifar10"],
    "a recipe": ["score", "--recipe", "mok"],
    "a recipe of tracks": ["track-kernel", "--recipe", "mok-track"],
    "a sensitivity": ["sensitivity", "--probe", "cifar100", "--dataset", "cifar100"],
    "a kernel": ["kernel", "0", "--probe", "cifar10"],
    "an explanation": ["explain", "0", "--probe", "cifar10"],
    "no scores": ["correlate"],
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_was_named_is_never_replaced_and_nothing_is_written(tmp_path, name):
    (tmp_path / "work").mkdir()
    done = typed(tmp_path / "work", *REFUSED[name])
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "ntknas demo" in line if name == "no scores" else "No CIFAR-10" in line
    assert list((tmp_path / "work").iterdir()) == []


FIRST = """
import io, os, sys

class First(io.StringIO):
    def write(self, text):
        if text:  # click writes nothing first, to see what the stream takes
            os.write(1, text if isinstance(text, bytes) else text.encode())
            os._exit(7 if "torch" in sys.modules else 0)
        return 0

sys.stdout = sys.stderr = First()
from ntknas.cli.main import run
run(sys.argv[1:])
"""


@pytest.mark.parametrize("name", ["score", "track", "study"])
def test_the_first_line_comes_before_torch_is_imported(tmp_path, name):
    command = [sys.executable, "-c", FIRST, *COMMANDS[name]]
    first = subprocess.run(command, cwd=tmp_path, env=clean(tmp_path), capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    assert "digits serve instead" in first.stdout or first.stdout.startswith("constancy: ")
