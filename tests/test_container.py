"""The Dockerfile's steps, without Docker: what it copies is there, and what it runs does what it is for."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Step:
    """An instruction of a Dockerfile."""

    stage: str
    word: str
    text: str


def steps(text: str) -> list[Step]:
    """Return the instructions, continued lines as one, with the stage that each is of."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found, stage = [], ""
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stage = rest.partition(" AS ")[2] or "last"
        found.append(Step(stage, word, rest.strip()))
    return found


STEPS = steps((ROOT / "Dockerfile").read_text())


def sources(step: Step) -> list[str]:
    """Return what a COPY takes from the checkout."""
    return [] if step.text.startswith("--from=") else step.text.split()[:-1]


COPIED = [source for step in STEPS if step.word == "COPY" for source in sources(step)]


def test_every_stage_is_made_of_python_or_of_another():
    bases = [step.text.split()[0] for step in STEPS if step.word == "FROM"]
    assert bases == ["python:${PYTHON}-slim", "python:${PYTHON}-slim", "runtime", "runtime"]
    version = next(step.text for step in STEPS if step.word == "ARG").removeprefix("PYTHON=")
    assert f'requires-python = ">={version}"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("source", COPIED)
def test_what_is_copied_is_there_and_not_ignored(source):
    assert (ROOT / source).exists()
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert source in kept


def test_it_copies_what_the_wheel_is_built_from():
    copied = re.search(r"^cp -r (.*) \"", (ROOT / ".ci" / "wheel").read_text(), re.MULTILINE)[1].split()
    assert set(copied) <= set(COPIED)


def test_it_does_not_run_as_root_and_the_smoke_test_is_that_of_the_wheel():
    words = [step.word for step in STEPS if step.stage == "runtime"]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert next(step.text for step in STEPS if step.word == "USER") == "ntknas"
    (smoke,) = (step.text for step in STEPS if step.stage == "smoke" and step.word == "RUN")
    assert smoke == "ntknas demo"
    assert (ROOT / ".ci" / "wheel").read_text().rstrip().endswith('-m ntknas demo"'.rstrip('"'))


def test_the_extras_that_are_installed_exist():
    install = next(step.text for step in STEPS if ".[" in step.text)
    extras = re.search(r"\.\[([\w,]+)\]", install)[1].split(",")
    text = (ROOT / "pyproject.toml").read_text()
    assert all(re.search(rf"^{extra} = \[", text, re.MULTILINE) for extra in extras)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """Run the RUN steps of the two stages in a folder in place of /: packages are those of this environment."""
    root = tmp_path_factory.mktemp("image")
    (root / "source").mkdir()
    (root / "opt").mkdir()
    (root / "bin").mkdir()
    for tool in ("useradd", "chown"):
        (root / "bin" / tool).write_text(f'#!/bin/sh\necho {tool} "$@" >>"{root}/users"\n')
        (root / "bin" / tool).chmod(0o755)
    (root / "bin" / "python").symlink_to(sys.executable)
    for source in COPIED:
        subprocess.run(["cp", "-r", ROOT / source, root / "source"], check=True)
    paths = {"PATH": f"{root}/bin:{os.environ['PATH']}", "DEVICE": "cpu", "HOME": str(root)}
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_QUIET": "1"}
    for step in STEPS:
        if step.word == "RUN" and step.stage in {"build", "runtime"}:
            line = re.sub(r"(?<![\w.])/(opt|work)\b", rf"{root}/\1", step.text)
            subprocess.run(["sh", "-ec", line], cwd=root / "source", env=paths | offline, check=True)
            if "venv" in step.text:  # what pip would fetch is borrowed
                (own,) = (root / "opt").glob("ntknas/lib/python*/site-packages")
                (own / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
                for old in ("setuptools", "_distutils_hack"):  # venv's own, which would come before the borrowed one
                    shutil.rmtree(own / old, ignore_errors=True)
    return root


def test_the_steps_make_an_environment_in_which_the_entry_point_runs_and_a_user_with_a_folder(image):
    entry = json.loads(next(step.text for step in STEPS if step.word == "ENTRYPOINT"))
    path = next(step.text for step in STEPS if step.word == "ENV").split()[0]
    assert path == "PATH=/opt/ntknas/bin:$PATH"
    done = subprocess.run(
        [image / "opt/ntknas/bin" / entry[0], "measures", "cond"], capture_output=True, text=True, cwd=image, check=True
    )
    assert done.stdout.startswith("cond: ")
    where = [image / "opt/ntknas/bin/python", "-c", "import ntknas; print(ntknas.__file__)"]
    assert str(image) in subprocess.run(where, capture_output=True, text=True, cwd=image, check=True).stdout
    assert (image / "work").is_dir()
    assert (image / "users").read_text().splitlines() == [
        "useradd --create-home --uid 1000 ntknas",
        f"chown ntknas {image}/work",
    ]
