"""Merging, examining, repairing and exporting stores."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from ntknas import load_store
from ntknas.cli.main import run
from ntknas.core.errors import StoreError
from ntknas.core.score import Score, Status
from ntknas.store import ScoreRecord, ScoreStore, Setting, columns, journal
from ntknas.store.health import examine, repair
from ntknas.store.layout import journal_path, worker_journals
from ntknas.store.merge import merge
from ntknas.store.run import Run
from ntknas.store.worker_journal import WorkerJournal

FIELDS = {"space": "nb201", "dataset": "cifar10", "output": "sum", "batch_norm": "frozen", "probe_hash": "ab" * 32}
KEY = ["setting", "cell", "seed", "measure"]


def make(path, cells, *, value=float, status=Status.OK, compact=True, seeds=(0,), **fields):
    setting = Setting.from_fields({**FIELDS, **fields})
    with ScoreStore.open(path) as store:
        store.add_setting(setting)
        run_id = store.add_run({"recipe": "custom"})
        for cell in cells:
            for seed in seeds:
                scores = {
                    name: Score(name, value(cell) + shift if status is Status.OK else None, status, "")
                    for shift, name in enumerate(("trace", "cond"))
                }
                store.append(ScoreRecord(setting.digest, run_id, cell, seed, 0.5, scores))
        if compact:
            store.compact()
    return path


def content(path):
    frame = load_store(path)
    return frame.astype({"setting": str, "measure": str}).set_index(KEY)["value"].sort_index()


def test_shards_make_the_whole(tmp_path):
    whole = make(tmp_path / "whole.h5", range(30))
    parts = [make(tmp_path / f"{n}.h5", range(n, 30, 3), compact=n != 1) for n in range(3)]
    done = merge(tmp_path / "merged.h5", parts)
    assert (done.scores, done.added, done.repeated) == (60, 60, 0)
    pd.testing.assert_series_equal(content(tmp_path / "merged.h5"), content(whole))
    assert len(load_store(parts[1])) == 20  # only read


def test_merging_again_or_in_another_order_changes_nothing(tmp_path):
    a, b = make(tmp_path / "a.h5", range(10)), make(tmp_path / "b.h5", range(5, 15))
    first, second = tmp_path / "first.h5", tmp_path / "second.h5"
    merge(first, [a, b])
    before = first.read_bytes()
    assert merge(first, [a, b]).added == 0
    assert merge(first, [b, first]).added == 0
    assert first.read_bytes() == before
    merge(second, [b, a])
    pd.testing.assert_series_equal(content(first), content(second))


def test_the_first_stores_value_is_kept_and_differences_are_counted(tmp_path):
    a = make(tmp_path / "a.h5", range(1, 11))
    b = make(tmp_path / "b.h5", range(1, 11), value=lambda cell: cell * (1.0 if cell < 9 else 1.5))
    done = merge(tmp_path / "m.h5", [a, b])
    assert (done.repeated, done.differing) == (20, 4)
    assert done.largest_difference == pytest.approx(1 / 3)
    pd.testing.assert_series_equal(content(tmp_path / "m.h5"), content(a))


def test_a_score_replaces_a_failure_and_no_failure_a_score(tmp_path):
    failed, good = make(tmp_path / "f.h5", [1, 2], status=Status.OOM), make(tmp_path / "g.h5", [2, 3])
    merge(tmp_path / "m.h5", [failed, good])
    frame = load_store(tmp_path / "m.h5")
    statuses = frame[frame["measure"] == "cond"].set_index("cell")["status"].astype(str).to_dict()
    assert statuses == {1: "oom", 2: "ok", 3: "ok"}
    merge(tmp_path / "n.h5", [good, failed])
    assert content(tmp_path / "n.h5").equals(content(tmp_path / "m.h5"))


@pytest.mark.parametrize(
    ("field", "value"), [("probe_hash", "cd" * 32), ("batch_norm", "coupled"), ("dataset", "cifar100")]
)
def test_what_was_measured_otherwise_is_refused_by_name_unless_wanted(tmp_path, field, value, capsys):
    a, b = make(tmp_path / "a.h5", range(5)), make(tmp_path / "b.h5", range(5), **{field: value})
    before = a.read_bytes()
    assert run(["store", "merge", str(a), str(b)]) == 1
    message = capsys.readouterr().err
    assert field in message
    assert repr(value) in message
    assert a.read_bytes() == before
    assert run(["store", "merge", str(a), str(b), "--mixed"]) == 0
    assert load_store(a)[field].nunique() == 2


def test_several_kernels_of_one_run_belong_together(tmp_path):
    a = make(tmp_path / "a.h5", range(5))
    merge(tmp_path / "m.h5", [a, make(tmp_path / "b.h5", range(5), output="label")])
    assert load_store(tmp_path / "m.h5")["output"].nunique() == 2


def test_merging_needs_stores_that_are_there_and_whole(tmp_path):
    a = make(tmp_path / "a.h5", range(5))
    with pytest.raises(StoreError, match="No score store"):
        merge(a, [tmp_path / "none.h5"])
    (tmp_path / "b.h5").write_bytes(a.read_bytes()[:500])
    with pytest.raises(StoreError):
        merge(a, [tmp_path / "b.h5"])
    assert len(load_store(a)) == 10


def test_parts_of_workers_belong_to_the_store(tmp_path):
    path = make(tmp_path / "s.h5", range(3), compact=False)
    setting = Setting.from_fields(FIELDS)
    part = WorkerJournal(path, "1", [setting], Run("r", {"recipe": "custom"}))
    part.append(ScoreRecord(setting.digest, "r", 7, 0, 0.1, {"trace": Score("trace", 1.0)}))
    assert len(load_store(path)) == 7
    with ScoreStore.open(path) as store:
        store.compact()
        assert worker_journals(path)  # a worker still writes it
        part.close()
        store.compact()
    assert not worker_journals(path)
    assert len(load_store(path)) == 7


@pytest.mark.parametrize("compact", [True, False])
def test_a_whole_store_is_healthy(tmp_path, compact, capsys):
    path = make(tmp_path / "s.h5", range(5), compact=compact)
    assert run(["store", "verify", str(path)]) == 0
    assert "10 scores, every checksum right, none missing" in capsys.readouterr().out


def test_missing_and_failed_scores_are_named(tmp_path, capsys):
    path = make(tmp_path / "s.h5", range(5))
    make(path, [7], status=Status.TIMEOUT)
    setting = Setting.from_fields(FIELDS)
    with ScoreStore.open(path) as store:
        store.append(ScoreRecord(setting.digest, store.add_run({}), 9, 0, 0.1, {"trace": Score("trace", 1.0)}))
    assert run(["store", "verify", str(path), "--json"]) == 3
    gaps = {gap["measure"]: (gap["missing"], gap["failed"]) for gap in json.loads(capsys.readouterr().out)["gaps"]}
    assert gaps == {"cond": (1, 1), "trace": (0, 1)}


def _blocks(size):
    return sorted({0, 1, 7, 8, *range(0, size, max(1, size // 12)), size - 1})


def test_a_file_cut_anywhere_is_noticed_set_aside_and_made_anew_from_its_journal(tmp_path):
    path = make(tmp_path / "s.h5", range(5))
    make(path, range(5, 8), compact=False)
    whole, journalled = path.read_bytes(), journal_path(path).read_bytes()
    for place in _blocks(len(whole)):
        folder = tmp_path / str(place)
        folder.mkdir()
        damaged = folder / "s.h5"
        damaged.write_bytes(whole[:place])
        journal_path(damaged).write_bytes(journalled)
        assert examine(damaged).faults, place
        done = repair(damaged)
        assert done.scores == 6, place
        assert [file.read_bytes() for file in done.set_aside] == [whole[:place]]
        assert not examine(damaged).faults


def test_a_journal_cut_anywhere_loses_no_line_before_the_cut(tmp_path):
    path = make(tmp_path / "s.h5", range(6), compact=False)
    whole = journal_path(path).read_bytes()
    lines = whole.splitlines(keepends=True)
    for place in _blocks(len(whole)):
        journal_path(path).write_bytes(whole[:place])
        kept = sum(b'"scores"' in line for line in whole[:place].splitlines(keepends=True) if line in lines)
        assert repair(path).scores == 2 * kept
        assert not examine(path).faults
        path.unlink(missing_ok=True)


def test_a_flipped_byte_in_a_journal_is_named_and_costs_its_line_alone(tmp_path):
    path = make(tmp_path / "s.h5", range(6), compact=False)
    whole = journal_path(path).read_bytes()
    first = whole.index(b"\n") + 1
    generator = np.random.default_rng(0)
    for place in generator.integers(first, len(whole) - 1, 15):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(generator.integers(8))
        journal_path(path).write_bytes(bytes(flipped))
        faults = examine(path).faults
        assert len(faults) == 1, (place, faults)
        done = repair(path)
        assert done.scores >= 8 or b'"setting"' in whole[whole.rindex(b"\n", 0, place) :][:40]
        assert done.set_aside or place >= whole.rindex(b"\n", 0, -1)  # a wrong last line is an unfinished one
        assert not examine(path).faults
        for file in (path, *done.set_aside):
            file.unlink(missing_ok=True)
        journal_path(path).unlink()


def test_a_journal_whose_header_is_damaged_is_set_aside(tmp_path):
    path = make(tmp_path / "s.h5", range(4))
    journal_path(path).write_bytes(b"something else\n" * 3)
    assert "not a journal" in examine(path).faults[0]
    done = repair(path)
    assert done.scores == 8
    assert done.set_aside[0].read_bytes().startswith(b"something else")
    journal_path(path).write_bytes(b"other\n" * 3)
    assert repair(path).set_aside[0].name.endswith("damaged-2")


@pytest.mark.parametrize("make_it", ["text", "hdf5", "version", "journal version", "part version"])
def test_foreign_files_and_other_versions_are_named_and_left_alone(tmp_path, make_it, monkeypatch, capsys):
    import h5py

    path = tmp_path / "s.h5"
    if make_it == "text":
        path.write_text("hello")
    elif make_it == "hdf5":
        h5py.File(path, "w").close()
    elif make_it == "version":
        monkeypatch.setattr(columns, "VERSION", 7)
        make(path, [1])
        monkeypatch.undo()
    else:
        make(path, [1], compact=make_it == "part version")
        file = journal_path(path) if make_it == "journal version" else path.with_name("s.h5.journal.part-1")
        file.write_bytes(journal.encode({"type": "header", "format": journal.FORMAT, "version": 7}))
    (fault,) = examine(path).faults
    assert {"text": "cannot be opened", "hdf5": "not a score store"}.get(make_it, "version 7") in fault
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert run(["store", "repair", str(path)]) == 1
    assert {"text": "nothing that ntknas wrote", "hdf5": "store convert"}.get(
        make_it, "version 7"
    ) in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_repair_of_a_healthy_store_changes_nothing(tmp_path):
    path = make(tmp_path / "s.h5", range(4))
    before = path.read_bytes()
    done = repair(path)
    assert (done.scores, done.set_aside, path.read_bytes()) == (8, [], before)


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_exports_hold_every_score_and_field(tmp_path, kind):
    path = make(tmp_path / "s.h5", range(4), seeds=(0, 1))
    make(path, [9], status=Status.SINGULAR)
    out = tmp_path / f"t.{kind}"
    assert run(["store", "export", str(path), f"--{kind.removesuffix('.gz')}", str(out)]) == 0
    frame = pd.read_parquet(out) if kind == "parquet" else pd.read_csv(out)
    expected = load_store(path)
    assert list(frame.columns) == list(expected.columns)
    np.testing.assert_array_equal(frame["value"], expected["value"])
    for name in ("setting", "measure", "status", "probe_hash", "recipe"):
        assert frame[name].astype(str).tolist() == expected[name].astype(str).tolist()


def test_bad_exports(tmp_path, capsys):
    path = make(tmp_path / "s.h5", range(4))
    assert run(["store", "export", str(path)]) == 2
    assert run(["store", "export", str(path), "--csv", str(tmp_path / "none" / "t.csv")]) == 1
    assert "Cannot write" in capsys.readouterr().err


def test_compacting_by_hand(tmp_path, capsys):
    path = make(tmp_path / "s.h5", range(4), compact=False)
    shutil.copy(journal_path(path), tmp_path / "before")
    assert run(["store", "compact", str(path)]) == 0
    assert "8 scores, 8 of them from journals" in capsys.readouterr().out
    assert path.exists()
