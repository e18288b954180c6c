"""Files that are replaced as a whole: their temporary names, their permissions, what killed processes leave."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ntknas.core.files import copy_aside, move_aside, remove_stale, replacing
from ntknas.core.regular_file import SpecialFileError


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_a_planted_link_is_not_followed(tmp_path):
    other = tmp_path / "other"
    other.write_text("precious")
    for name in (f".s.h5.{os.getpid()}.new", ".s.h5.new"):
        (tmp_path / name).symlink_to(other)
    with replacing(tmp_path / "s.h5") as beside:
        assert not beside.is_symlink()
        beside.write_text("new")
    assert other.read_text() == "precious"
    assert (tmp_path / "s.h5").read_text() == "new"


def test_names_differ_and_nothing_stays(tmp_path):
    seen = set()
    for _ in range(5):
        with replacing(tmp_path / "s.h5") as beside:
            seen.add(beside.name)
            beside.write_text("new")
    assert len(seen) == 5
    with pytest.raises(RuntimeError), replacing(tmp_path / "s.h5"):
        raise RuntimeError
    assert names(tmp_path) == ["s.h5"]
    assert (tmp_path / "s.h5").read_text() == "new"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_permissions_stay(tmp_path, mode):
    path = tmp_path / "s.h5"
    path.write_text("old")
    path.chmod(mode)
    with replacing(path) as beside:
        beside.write_text("new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(SpecialFileError), replacing(tmp_path / name):
            pass
    assert names(tmp_path) == ["folder", "pipe"]


def test_a_link_is_replaced_itself(tmp_path):
    other = tmp_path / "other"
    other.write_text("precious")
    (tmp_path / "link").symlink_to(other)
    with replacing(tmp_path / "link") as beside:
        beside.write_text("new")
    assert other.read_text() == "precious"
    assert not (tmp_path / "link").is_symlink()


WRITER = """
import sys, time
from pathlib import Path
from ntknas.core.files import replacing
with replacing(Path(sys.argv[1])) as beside:
    print(beside.name, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_stays(tmp_path):
    place = tmp_path / "s.h5"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": Path.cwd()}
    killed, living = (subprocess.Popen([sys.executable, "-c", WRITER, str(place)], **pipes) for _ in range(2))
    left, written = killed.stdout.readline().strip(), living.stdout.readline().strip()
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    foreign = [".s.h5.mine.new", ".other.h5.12345.new", "s.h5.12345.new"]
    for name in [*foreign, ".s.h5.12345.new"]:  # the last one is as version 0.1.0 named them
        (tmp_path / name).touch()
    assert sorted(file.name for file in remove_stale(place)) == sorted([left, ".s.h5.12345.new"])
    assert names(tmp_path) == sorted([*foreign, written])
    living.communicate("")
    assert place.exists()
    assert names(tmp_path) == sorted([*foreign, "s.h5"])


def test_names_aside_are_fresh(tmp_path):
    path = tmp_path / "s.h5"
    for number in range(3):
        path.write_text(str(number))
        copy_aside(path)
        move_aside(path)
    aside = [f"s.h5.damaged{ending}" for ending in ("", "-2", "-3", "-4", "-5", "-6")]
    assert names(tmp_path) == aside
    assert [(tmp_path / name).read_text() for name in aside] == list("001122")


def test_a_file_system_without_hard_links(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "s.h5"
    path.write_text("content")
    assert move_aside(path).read_text() == "content"
    assert names(tmp_path) == ["s.h5.damaged"]
