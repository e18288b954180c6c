"""What was reported as done is there, whatever happens to the process, the journal or the file."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import h5py
import numpy as np
import pytest

from ntknas import load_store
from ntknas.cli import main
from ntknas.cli.main import run
from ntknas.core import sealed_file
from ntknas.core.errors import StoreError
from ntknas.core.score import Score, Status
from ntknas.store import ScoreRecord, ScoreStore, Setting, columns, journal
from ntknas.store.layout import journal_path

SETTING = Setting.from_fields({"space": "nb201", "dataset": "cifar10", "output": "sum", "channels": 16})
OTHER = Setting.from_fields({**SETTING.fields, "output": "label"})


def record(cell, setting=SETTING, run="r", seed=0, value=None, status=Status.OK):
    cond = (
        Score("cond", 1.5 + cell if value is None else value)
        if status is Status.OK
        else Score("cond", None, status, "why")
    )
    return ScoreRecord(setting.digest, run, cell, seed, 0.25, {"cond": cond, "trace": Score("trace", cell / 3)})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "scores.h5"


def fill(path, cells, compact=True, setting=SETTING):
    with ScoreStore.open(path) as store:
        store.add_setting(setting)
        run = store.add_run({"recipe": "custom", "torch": "2"})
        for cell in cells:
            store.append(record(cell, setting, run))
        if compact:
            store.compact()


def content(path):
    frame = load_store(path)
    return {(row.setting, row.cell, row.seed, row.measure): row.value for row in frame.itertuples()}


@pytest.mark.parametrize("compact", [True, False])
def test_scores_come_back_as_they_were(path, compact):
    fill(path, [3, 1, 15_624], compact)
    frame = load_store(path)
    assert len(frame) == 6
    row = frame[(frame["cell"] == 15_624) & (frame["measure"] == "trace")].iloc[0]
    assert row["value"] == 15_624 / 3
    assert (row["seed"], row["status"], row["seconds"], row["output"], row["channels"]) == (0, "ok", 0.25, "sum", 16)
    assert frame.attrs["settings"] == {SETTING.digest: dict(SETTING.fields)}
    assert [run["torch"] for run in frame.attrs["runs"].values()] == ["2"]


def test_a_missing_value_keeps_status_and_reason(path):
    with ScoreStore.open(path) as store:
        store.add_setting(SETTING)
        store.append(record(1, run=store.add_run({}), status=Status.SINGULAR))
        store.compact()
    row = load_store(path).query("measure == 'cond'").iloc[0]
    assert np.isnan(row["value"])
    assert (row["status"], row["reason"]) == ("singular", "why")


def test_settings_never_mix(path):
    fill(path, [1, 2])
    fill(path, [1], setting=OTHER)
    with ScoreStore.open(path) as store:
        assert store.done(SETTING.digest, ["cond", "trace"]) == {(1, 0), (2, 0)}
        assert store.done(OTHER.digest, ["cond"]) == {(1, 0)}
        assert store.done(OTHER.digest, ["cond", "lga"]) == set()
    assert len(load_store(path)) == 6


def test_failures_are_tried_again_and_replaced(path):
    with ScoreStore.open(path) as store:
        store.add_setting(SETTING)
        run = store.add_run({})
        store.append(record(1, run=run, status=Status.OOM))
        assert (1, 0) not in store.done(SETTING.digest, ["cond"])
        store.compact()
        store.append(record(1, run=run, value=9.0))
        assert (1, 0) in store.done(SETTING.digest, ["cond"])
        store.compact()
    frame = load_store(path)
    assert len(frame) == 2
    assert frame.query("measure == 'cond'")["value"].item() == 9.0


def test_compacting_twice_and_reopening_changes_nothing(path):
    fill(path, range(20))
    before = content(path)
    with ScoreStore.open(path) as store:
        store.compact()
    assert content(path) == before
    fill(path, range(10, 30))
    assert len(content(path)) == 60
    assert {key: content(path)[key] for key in before} == before


def test_a_process_that_dies_between_file_and_journal_loses_and_doubles_nothing(path):
    fill(path, range(5), compact=False)
    kept = journal_path(path).read_bytes()
    with ScoreStore.open(path) as store:
        store.compact()
    journal_path(path).write_bytes(kept)
    assert len(content(path)) == 10


WRITER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from ntknas.store import ScoreStore
    from tests.store.test_store import SETTING, record
    with ScoreStore.open(Path(sys.argv[1])) as store:
        store.add_setting(SETTING)
        run = store.add_run({})
        start = len(store.done(SETTING.digest, ["cond"]))
        for cell in range(start, start + 100_000):
            store.append(record(cell, run=run))
            print(cell, flush=True)
            if cell % 10 == 9:
                store.compact()
""")


def test_killed_at_any_moment(path, tmp_path):
    """SIGKILL at random moments, also of compaction: every cell reported is there, once, and the file opens."""
    chooser, reported = random.Random(0), set()
    for _ in range(7):
        log, cells = tmp_path / "log", chooser.randint(1, 20)
        with log.open("w") as stream:
            process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=stream, cwd=os.getcwd())
            while log.read_text().count("\n") < cells and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.wait()
        reported |= {int(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")}
        frame = load_store(path)
        assert not frame.duplicated(["setting", "cell", "seed", "measure"]).any()
        values = frame[frame["measure"] == "cond"].set_index("cell")["value"]
        assert reported <= set(values.index)
        assert all(values[cell] == 1.5 + cell for cell in reported)
    assert len(reported) > 20


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_torn_last_line_costs_that_line_alone(path, cut):
    fill(path, range(3), compact=False)
    data = journal_path(path).read_bytes()
    journal_path(path).write_bytes(data[:-cut])
    opened = ScoreStore.read(path)
    assert opened.torn
    assert len(opened) == 4
    with ScoreStore.open(path) as store:
        store.append(record(2, run=next(iter(store.runs))))
    assert len(content(path)) == 6


def test_a_journal_cut_within_its_first_line_starts_afresh(path):
    fill(path, [1])
    journal_path(path).write_bytes(journal_path(path).read_bytes()[:10])
    fill(path, [2])
    assert len(content(path)) == 4


def test_a_damaged_line_in_the_middle_is_left_out_named_and_kept_aside(path):
    fill(path, range(3), compact=False)
    lines = journal_path(path).read_bytes().splitlines(keepends=True)
    lines[4] = lines[4].replace(b"2.5", b"9.5")
    journal_path(path).write_bytes(b"".join(lines))
    with ScoreStore.open(path) as store:
        assert store.damaged == [5]
        store.compact()
    assert len(content(path)) == 4
    assert path.with_name("scores.h5.journal.damaged").exists()


@pytest.mark.parametrize(("line", "left"), [(1, 0), (2, 6)])
def test_scores_whose_setting_or_run_was_damaged(path, line, left):
    """Without its setting a score is nothing; without its run it lacks only the versions."""
    fill(path, range(3), compact=False)
    lines = journal_path(path).read_bytes().splitlines(keepends=True)
    lines[line] = lines[line].replace(b"e", b"E")
    journal_path(path).write_bytes(b"".join(lines))
    assert len(content(path)) == left
    with ScoreStore.open(path) as store:
        store.compact()
    assert (ScoreStore.read(path).orphans, len(content(path))) == (3 if not left else 0, left)


def test_repair_says_what_it_could_not_read(path, capsys):
    fill(path, range(3), compact=False)
    lines = journal_path(path).read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"e", b"E")  # the setting's
    journal_path(path).write_bytes(b"".join(lines))
    assert run(["store", "repair", str(path), "--json"]) == 0
    said = capsys.readouterr()
    assert "3 whose setting's line is damaged or gone" in said.err
    assert json.loads(said.out)["left_out"] == 4


def test_a_record_needs_its_setting_and_run(path):
    with ScoreStore.open(path) as store, pytest.raises(ValueError, match="add_setting and add_run first"):
        store.append(record(1))


@pytest.mark.parametrize("where", [0, 100, 2000, -1])
def test_a_truncated_file_is_refused_and_left_alone(path, where):
    fill(path, range(50))
    data = path.read_bytes()
    path.write_bytes(data[:where])
    for use in (load_store, ScoreStore.open):
        with pytest.raises(StoreError, match=r"scores\.h5.*(Restore|move it away)"):
            use(path)
    assert path.read_bytes() == data[:where]


def test_a_changed_value_is_noticed(path):
    fill(path, range(50))
    with h5py.File(path, "r+") as file:
        file["scores/value"][3] += 1
    for again in (path.read_bytes(), sealed_file.seal(path.read_bytes())):  # with and without a seal that fits
        path.write_bytes(again)
        with pytest.raises(StoreError, match="does not match its checksum"):
            load_store(path)


def test_a_store_from_before_seals_is_converted_when_that_is_asked_for(path, tmp_path):
    fill(path, range(5))
    fill(path, range(5, 8), compact=False)
    before, new = content(path), tmp_path / "new.h5"
    path.write_bytes(path.read_bytes()[sealed_file.HEAD :])  # HDF5's places count from where its own part begins
    whole = path.read_bytes()
    with pytest.raises(StoreError, match=r"without the seal of ntknas.*ntknas store convert .*scores.h5 makes"):
        load_store(path)
    assert main.run(["store", "convert", str(path), "--into", str(new)]) == 0
    assert content(new) == before
    assert path.read_bytes() == whole
    assert main.run(["store", "convert", str(path), "--into", str(new)]) == 1


def test_every_flipped_byte_is_noticed_or_harmless(path):
    """Whatever byte is changed: the store is refused, or says exactly what it said before."""
    fill(path, range(50))
    data, before = path.read_bytes(), content(path)
    for place in random.Random(0).sample(range(len(data)), 150):
        changed = bytearray(data)
        changed[place] ^= 0x41
        path.write_bytes(changed)
        try:
            assert content(path) == before
        except StoreError:
            continue


def test_files_that_are_no_store(path):
    path.write_text("index,value\n1,2\n")
    with pytest.raises(StoreError, match="cannot be opened as a score store: it is neither"):
        load_store(path)
    with h5py.File(path, "w") as file:
        file["x"] = 1
    with pytest.raises(StoreError, match="not a score store"):
        load_store(path)


def test_another_version_is_refused(path):
    fill(path, [1])
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = 99
    path.write_bytes(sealed_file.seal(path.read_bytes()))
    with pytest.raises(StoreError, match="version 99, expected 1"):
        load_store(path)
    path.unlink()
    journal_path(path).write_bytes(journal.encode({"type": "header", "format": journal.FORMAT, "version": 7}))
    with pytest.raises(StoreError, match="version 7, expected 1"):
        load_store(path)
    journal_path(path).write_bytes(b"hello\nworld\n")
    with pytest.raises(StoreError, match="not a journal"):
        load_store(path)


def test_no_store(path, tmp_path):
    with pytest.raises(StoreError, match="No score store.*ntknas score makes one"):
        load_store(path)
    with pytest.raises(StoreError, match="No folder"):
        ScoreStore.open(tmp_path / "none" / "scores.h5")


def test_two_writers(path):
    with ScoreStore.open(path), pytest.raises(StoreError, match="Another process is writing"):
        ScoreStore.open(path)
    ScoreStore.open(path).close()


def test_a_reader_beside_a_writer(path):
    with ScoreStore.open(path) as store:
        store.add_setting(SETTING)
        store.append(record(1, run=store.add_run({})))
        assert len(load_store(path)) == 2


def test_a_full_disk_leaves_everything_as_it_was(path, monkeypatch):
    fill(path, range(5))
    fill(path, range(5, 8), compact=False)
    before = content(path)

    def full(*_):
        raise OSError(28, "No space left on device")

    with ScoreStore.open(path) as store:
        with monkeypatch.context() as patch:
            patch.setattr(columns, "_write", full)
            with pytest.raises(StoreError, match="No space left.*journal"):
                store.compact()
        with monkeypatch.context() as patch:
            partly = os.write
            calls = iter([lambda file, data: partly(file, data[:7]), full])
            patch.setattr(journal.os, "write", lambda file, data: next(calls)(file, data))
            with pytest.raises(StoreError, match="No space left.*run the same command again"):
                store.append(record(99, run=next(iter(store.runs))))
    assert content(path) == before
    assert [p.name for p in path.parent.iterdir() if p.name.startswith(".")] == []
    fill(path, [8])
    assert len(content(path)) == 18


def test_links_lead_to_one_store(path, tmp_path):
    fill(path, [1])
    link = tmp_path / "link.h5"
    link.symlink_to(path)
    fill(link, [2])
    assert link.is_symlink()
    assert content(path) == content(link)
    with ScoreStore.open(path), pytest.raises(StoreError, match="Another process"):
        ScoreStore.open(link)


def test_what_is_no_file_is_no_store(path, tmp_path):
    os.mkfifo(path)
    for place in (path, tmp_path):
        for use in (ScoreStore.read, ScoreStore.open):
            with pytest.raises(StoreError, match="is not a file"):
                use(place)


@pytest.mark.parametrize("size", ["12k", "20k", "32k"])
@pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_disk_that_fills_up_while_compacting(tmp_path, size):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(StoreError, match="No space left.*Nothing is lost"):
            fill(disk / "scores.h5", range(20))
        assert len(load_store(disk / "scores.h5")) == 40
        assert not list(disk.glob(".*"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_really_full_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        path, done = disk / "scores.h5", []
        with ScoreStore.open(path) as store:
            store.add_setting(SETTING)
            run = store.add_run({})
            with pytest.raises(StoreError, match="No space left"):
                for cell in range(10_000):
                    store.append(record(cell, run=run))
                    done.append(cell)
            with pytest.raises(StoreError, match="Nothing is lost"):
                store.compact()
        assert set(load_store(path)["cell"]) == set(done)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(path):
    path.parent.chmod(0o500)
    with pytest.raises(StoreError, match="Permission denied"):
        ScoreStore.open(path)
