"""Whatever byte of a store is changed, cut or taken out, under every command: no traceback, no value changed unsaid."""

import contextlib
import functools
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntknas import load_store
from ntknas.core.errors import StoreError
from ntknas.core.score import Score
from ntknas.store import ScoreRecord, ScoreStore, Setting, columns, journal
from ntknas.store.layout import journal_path
from ntknas.store.run import Run
from ntknas.store.worker_journal import WorkerJournal
from tests.damage import cuts, few, flips, ntknas, removals
from tests.store.test_merge import FIELDS, make

COMMANDS = {
    "info": ["store", "info", "{store}"],
    "verify": ["store", "verify", "{store}"],
    "repair": ["store", "repair", "{store}"],
    "compact": ["store", "compact", "{store}"],
    "merge": ["store", "merge", "{store}", "--into", "{folder}/new.h5"],
    "export": ["store", "export", "{store}", "--csv", "{folder}/t.csv"],
    "extract": ["store", "extract", "{store}", "--into", "{folder}/new.h5", "--measures", "cond"],
    "drop": ["store", "drop", "{store}", "--measures", "trace", "--yes"],
    "diff": ["diff", "{store}", "{other}"],
    "correlate": ["correlate", "{store}", "--resamples", "0", "--json"],
}


@functools.cache
def whole() -> Path:
    """Return a folder with a store: eleven cells in its file, eleven in its journal, eleven in a worker's part."""
    folder = Path(tempfile.mkdtemp())
    path = make(folder / "s.h5", range(11))
    make(path, range(11, 22), compact=False)
    part = WorkerJournal(path, "1", [Setting.from_fields(FIELDS)], Run("r", {"recipe": "custom", "sequence": 5}))
    for cell in range(22, 33):
        scores = {name: Score(name, cell + 1.0 + place) for place, name in enumerate(("trace", "cond"))}
        part.append(ScoreRecord(Setting.from_fields(FIELDS).digest, "r", cell, 0, 0.5, scores))
    part.close()
    make(folder / "other.h5", range(11))
    return folder


def values(path):
    frame = load_store(path)
    frame = frame.astype({"setting": str, "measure": str})
    return dict(zip(zip(frame["setting"], frame["cell"], frame["measure"], strict=True), frame["value"], strict=True))


@pytest.mark.parametrize("file", ["s.h5.journal", "s.h5.journal.part-1"])
@pytest.mark.parametrize("command", ["info", "compact", "repair"])
def test_the_last_line_feed(file, command):
    check(file, lambda data: data[:-1] + b"\x0b", command)


@functools.cache
def right():
    return values(whole() / "s.h5")


@pytest.fixture(autouse=True)
def _raise_what_is_not_foreseen(monkeypatch):
    monkeypatch.setenv("NTKNAS_TRACEBACK", "1")


def check(file, damage, command):
    """Damage a file of a store, run a command, and compare what is said with what there was."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(whole(), folder, dirs_exist_ok=True)
        store, damaged = folder / "s.h5", folder / file
        damaged.write_bytes(damage(damaged.read_bytes()))
        before = damaged.read_bytes()
        arguments = [part.format(store=store, folder=folder, other=folder / "other.h5") for part in COMMANDS[command]]
        code, out, err = ntknas(*arguments)
        said = code != 0 or "left out" in err or "not known" in err or "unfinished" in err or "Set aside" in out
        left = left_in(store)
        if left is not None:
            missing = {key for key in right() if key not in left}
            assert all(right()[key] == value for key, value in left.items()), (command, code, out, err)
            is_cut = (whole() / file).read_bytes().startswith(before)  # what stood behind may never have been written
            if command not in ("drop", "repair", "compact") and missing and not is_cut:
                assert said, (command, missing, out, err)
            if command in ("repair", "compact") and missing and not is_cut and not _only_lacks_scores(file, before):
                assert any(copy.read_bytes() == before for copy in folder.glob("*.damaged*")) or damaged.exists()
        else:
            assert code == 1, (command, out, err)


def left_in(store):
    try:
        return values(store)
    except StoreError:
        return None


def _only_lacks_scores(file, damaged):
    """Whether lines were taken out of a journal, and all that are left in it can be read."""
    lines = (whole() / file).read_bytes().splitlines()
    return set(damaged.splitlines()) <= set(lines) and lines[1] in damaged


@few(36)
@given(damage=flips() | cuts() | removals(), command=st.sampled_from(sorted(COMMANDS)))
def test_journals(damage, command):
    check("s.h5.journal", damage, command)


@few(24)
@given(damage=flips() | cuts() | removals(), command=st.sampled_from(sorted(COMMANDS)))
def test_worker_journals(damage, command):
    check("s.h5.journal.part-1", damage, command)


@few(30)
@given(damage=flips() | cuts(), command=st.sampled_from(sorted(COMMANDS)))
def test_files(damage, command):
    check("s.h5", damage, command)


@few(40)
@given(damage=flips() | cuts())
def test_a_damaged_file_is_never_given_to_hdf5(damage):
    """Its library may loop forever on one: whether it ends is no question of time if it is not asked."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        path = Path(name) / "s.h5"
        data = damage((whole() / "s.h5").read_bytes())
        path.write_bytes(data)
        patch.setattr(columns.h5py, "File", lambda *_, **__: pytest.fail("a damaged file was opened"))
        with pytest.raises(StoreError, match=r"cannot be opened|version|not a score store"):
            columns.read(path)


@few(40)
@given(damage=flips() | cuts() | removals())
def test_a_journal_is_read_in_as_many_steps_as_it_has_lines(damage):
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        path, decode, steps = Path(name) / "s.h5", journal._decode, []
        journal_path(path).write_bytes(damage((whole() / "s.h5.journal").read_bytes()))
        patch.setattr(journal, "_decode", lambda line: steps.append(1) or decode(line))
        with contextlib.suppress(StoreError):
            ScoreStore.read(path)
        assert len(steps) <= 8 * (journal_path(path).read_bytes().count(b"\n") + 2)
