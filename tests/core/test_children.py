"""Child processes do not import from the folder that they are started in."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from ntknas.core.children import safe_context, safe_path

PLANTED = ("pickle.py", "random.py", "signal.py", "_compat_pickle.py", "multiprocessing/__init__.py")


def plant(folder: Path) -> Path:
    """Put modules with the names of Python's own into a folder; return the file that they write when they are run."""
    marker = folder / "was_run"
    for name in PLANTED:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"open({str(marker)!r}, 'a').write({name!r})\nraise SystemExit(3)\n")
    return marker


def test_processes_and_pools_do_not_import_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = plant(tmp_path)
    monkeypatch.chdir(tmp_path)
    context = safe_context()
    process = context.Process(target=os.getpid)
    process.start()
    process.join()
    with ProcessPoolExecutor(2, context) as pool:
        assert list(pool.map(abs, [-1, 2])) == [1, 2]
    assert process.exitcode == 0
    assert not marker.exists()


def test_the_same_folder_is_run_by_pythons_own_way(tmp_path: Path) -> None:
    """The planted files are a test at all."""
    marker = plant(tmp_path)
    run = subprocess.run([sys.executable, "-c", "import pickle"], cwd=tmp_path, check=False)
    assert run.returncode == 3
    assert marker.exists()


@pytest.mark.parametrize("before", [None, "", "1"])
def test_the_environment_is_as_it_was(before: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONSAFEPATH", before)
    with safe_path():
        assert os.environ["PYTHONSAFEPATH"] == "1"
    assert os.environ.get("PYTHONSAFEPATH") == before
