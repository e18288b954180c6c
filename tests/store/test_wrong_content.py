"""Files with a right checksum and wrong content: refused at the door, with file and field; nothing is followed."""

import json
import os
import re
import zlib
from typing import ClassVar

import h5py
import numpy as np
import pytest

from ntknas import load_store
from ntknas.cli.main import run
from ntknas.core import plain_hdf5, sealed_file
from ntknas.core.errors import StoreError
from ntknas.core.score import Score, Status
from ntknas.store import ScoreRecord, ScoreStore, Setting, columns, journal, store
from ntknas.store.health import repair
from ntknas.store.layout import journal_path
from ntknas.store.table import COLUMNS
from tests.store.test_merge import FIELDS, make

SETTING = Setting.from_fields(FIELDS)


def with_table(path, change):
    """Write a store whose table was changed, with right checksums inside and out."""
    table = columns.read(path)
    change(table)
    columns._write(path, table)


def put(column, value, dtype=None):
    def change(table):
        values = table.columns[column].astype(dtype or table.columns[column].dtype)
        values[1] = value
        table.columns[column] = values

    return change


def name(kind, text):
    def change(table):
        table.names[kind] = [*table.names[kind], text]

    return change


def setting(**fields):
    return name("settings", json.dumps({**FIELDS, **fields}))


WRONG_TABLES = {
    "a setting's code": (put("setting", 9), "scores/setting holds the code 9, of 1 settings"),
    "a run's code": (put("run", 9), "scores/run holds the code 9"),
    "a measure's code": (put("measure", 9), "scores/measure holds the code 9"),
    "a status's code": (put("status", 99), "scores/status holds the code 99"),
    "a reason's code": (put("reason", 9), "scores/reason holds the code 9"),
    "a cell below 0": (put("cell", -1), "scores/cell holds a cell below 0"),
    "nan with ok": (put("value", np.nan), "scores/value has no finite number where the status is ok"),
    "infinity": (put("value", np.inf), "scores/value has no finite number where the status is ok"),
    "a value with a failure": (put("status", 6), "or one where it is not"),
    "seconds": (put("seconds", np.nan), "scores/seconds holds a number that is not finite"),
    "a setting that is a list": (name("settings", "[1, 2]"), "setting's fields is .* expected a mapping"),
    "a setting that is no JSON": (name("settings", "{"), "Expecting property name"),
    "a setting with NaN": (name("settings", '{"space": NaN}'), "NaN is no number"),
    "a deep setting": (name("settings", "[" * 5000 + "]" * 5000), "nested too deeply"),
    "a setting without space": (name("settings", "{}"), "a setting has no space"),
    "a space that is a number": (setting(space=5), "setting's space is 5, expected a text"),
    "a field that hides values": (setting(value=5), "has a field 'value', which is a column of the scores"),
    "the same setting twice": (name("settings", json.dumps(FIELDS, indent=1)), "names/settings holds the same twice"),
    "a run that is a number": (name("runs", "5"), "a run is 5, expected a mapping"),
    "a run without info": (name("runs", '{"id": "a"}'), "a run has no id, or nothing is known of it"),
    "a run's recipe": (name("runs", '{"id": "a", "info": {"recipe": []}}'), r"run's recipe is \[\], expected a text"),
    "a sequence": (name("runs", '{"id": "a", "info": {"sequence": -1}}'), "run's sequence is -1, expected one from 0"),
    "an unknown status": (name("statuses", "fine"), "a status is 'fine', expected one of ok"),
    "a measure without name": (name("measures", ""), "a measure is '', expected a text"),
}


@pytest.mark.parametrize("case", WRONG_TABLES)
def test_a_table_with_wrong_content(tmp_path, case, capsys):
    path = make(tmp_path / "s.h5", range(3))
    change, message = WRONG_TABLES[case]
    with_table(path, change)
    with pytest.raises(StoreError, match=rf"s\.h5 is damaged: .*{message}"):
        load_store(path)
    assert run(["store", "info", str(path)]) == 1
    assert "s.h5 is damaged" in capsys.readouterr().err


def of_type(column, dtype):
    return lambda file: replace(file, f"scores/{column}", file[f"scores/{column}"][:].astype(dtype))


def replace(file, place, values, **options):
    del file[place]
    file.create_dataset(place, data=values, **options)


WRONG_FILES = {
    "float cells": (of_type("cell", "<f8"), "/scores/cell is float64, expected int32"),
    "wide codes": (of_type("status", "<u8"), "/scores/status is uint64, expected uint8"),
    "big-endian values": (of_type("value", ">f8"), "/scores/value is >f8, expected float64"),
    "a column less": (lambda file: file.__delitem__("scores/seed"), "no /scores/seed"),
    "two dimensions": (lambda file: replace(file, "scores/cell", np.zeros((2, 3), "<i4")), "is 2 × 3, expected 6"),
    "another length": (lambda file: replace(file, "scores/cell", np.zeros(2, "<i4")), "is 2, expected 6"),
    "a group": (lambda file: (file.__delitem__("scores/cell"), file.create_group("scores/cell")), "is no dataset"),
    "names that are numbers": (lambda file: replace(file, "names/runs", [1, 2]), "names/runs is int64, expected texts"),
    "no sha256": (lambda file: file.attrs.__delitem__("sha256"), "no attribute sha256"),
    "rows that are a text": (lambda file: file.attrs.update(rows="6"), "rows is no whole number"),
}


def changed(path, change):
    with h5py.File(path, "r+") as file:
        change(file)
    path.write_bytes(sealed_file.seal(path.read_bytes()))


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_file_with_wrong_types_and_shapes(tmp_path, case):
    path = make(tmp_path / "s.h5", range(3))
    change, message = WRONG_FILES[case]
    changed(path, change)
    with pytest.raises(StoreError, match=f"damaged: .*{message}"):
        load_store(path)


class TestPlanted:
    """A file that leads to others' bytes or declares more than it holds; sealed, and plain for ``convert``."""

    @pytest.fixture
    def secret(self, tmp_path):
        secret = tmp_path / "secret.h5"
        with h5py.File(secret, "w") as file:
            file["value"] = np.arange(6.0)
            file.create_group("scores")
        (tmp_path / "secret.bin").write_bytes(np.arange(6.0).tobytes())
        return secret

    @staticmethod
    def virtual(file, secret):
        layout = h5py.VirtualLayout(shape=(6,), dtype="<f8")
        layout[:] = h5py.VirtualSource(secret, "value", shape=(6,))
        del file["scores/value"]
        file.create_virtual_dataset("scores/value", layout)

    @staticmethod
    def external(file, secret):
        where = [(str(secret.with_suffix(".bin")), 0, 48)]
        del file["scores/value"]
        file.create_dataset("scores/value", shape=(6,), dtype="<f8", external=where)

    @staticmethod
    def link(file, secret):
        del file["scores/value"]
        file["scores/value"] = h5py.ExternalLink(secret, "value")

    @staticmethod
    def soft(file, secret):
        file["scores/other"] = file["scores/value"][:]
        del file["scores/value"]
        file["scores/value"] = h5py.SoftLink("/scores/other")

    @staticmethod
    def group(file, secret):
        del file["scores"]
        file["scores"] = h5py.ExternalLink(secret, "scores")

    @staticmethod
    def empty(file, secret):
        rows = 1 << 40
        for column, dtype in COLUMNS.items():
            del file[f"scores/{column}"]
            file.create_dataset(f"scores/{column}", shape=(rows,), dtype=dtype, chunks=(1024,))
        file.attrs["rows"] = rows

    @staticmethod
    def chunk(file, secret):
        replace(file, "scores/value", np.arange(6.0), chunks=(1 << 10,), maxshape=(None,), compression="gzip")

    MESSAGES: ClassVar = {
        "virtual": "is a virtual data set, and its sources are not read",
        "external": "takes its bytes from another file, which is not read",
        "link": "is a link that leads elsewhere, and is not followed",
        "soft": "is a link that leads elsewhere, and is not followed",
        "group": "/scores is a link that leads elsewhere",
        "empty": "declares 2,199,023,255,552 bytes, and the file holds 0 of it",
        "chunk": "declares 48 bytes",
    }

    @pytest.mark.parametrize("way", MESSAGES)
    def test_is_refused_sealed_or_not(self, tmp_path, secret, way, capsys, monkeypatch):
        monkeypatch.setattr(plain_hdf5, "_MAX_CHUNK", 1 << 12)
        path = make(tmp_path / "s.h5", range(3))
        changed(path, lambda file: getattr(self, way)(file, secret))
        with pytest.raises(StoreError, match=self.MESSAGES[way]):
            load_store(path)
        plain = tmp_path / "plain.h5"
        plain.write_bytes(path.read_bytes()[sealed_file.HEAD :])
        assert run(["store", "convert", str(plain), "--into", str(tmp_path / "new.h5")]) == 1
        assert re.search(self.MESSAGES[way], capsys.readouterr().err)
        assert not (tmp_path / "new.h5").exists()


def entry(**changes):
    good = {"type": "scores", "setting": SETTING.digest, "run": "r", "cell": 1, "seed": 0, "seconds": 0.5}
    return {**good, "scores": {"cond": [2.0, "ok", ""]}, **changes}


WRONG_ENTRIES = {
    "a cell that is a text": (entry(cell="1"), "cell is '1', expected an integer"),
    "a cell that is true": (entry(cell=True), "cell is True, expected an integer"),
    "a cell that is a float": (entry(cell=1.0), "cell is 1.0, expected an integer"),
    "a cell below 0": (entry(cell=-1), "cell is -1, expected one from 0 to 2147483647"),
    "a large cell": (entry(cell=2**31), "cell is 2147483648, expected one from 0"),
    "a large seed": (entry(seed=2**64), "seed is 18446744073709551616, expected one from"),
    "a large number": (entry(seconds=10**400), "expected a finite number"),
    "seconds": (entry(seconds=None), "seconds is None, expected a finite number"),
    "scores that are a list": (entry(scores=[1]), r"its scores is \[1\], expected a mapping"),
    "two parts": (entry(scores={"cond": [1.0, "ok"]}), r"cond is \[1.0, 'ok'\], expected value, status and reason"),
    "a status": (entry(scores={"cond": [1.0, "fine", ""]}), "status of cond is 'fine', expected one of ok"),
    "a status that is a list": (entry(scores={"cond": [1.0, [], ""]}), r"status of cond is \[\]"),
    "ok without value": (entry(scores={"cond": [None, "ok", ""]}), "value exactly if its status is ok"),
    "a value with a failure": (entry(scores={"cond": [1.0, "oom", ""]}), "value exactly if its status is ok"),
    "a value that is a text": (entry(scores={"cond": ["1", "ok", ""]}), "value of cond is '1', expected a finite"),
    "a value that is true": (entry(scores={"cond": [True, "ok", ""]}), "value of cond is True"),
    "a reason": (entry(scores={"cond": [1.0, "ok", 5]}), "reason of cond is 5, expected a text"),
    "half a letter": (entry(scores={"cond": [None, "oom", "\ud800"]}), "letters that no text has"),
    "a zero": (entry(scores={"cond\0": [1.0, "ok", ""]}), "letters that no text has"),
    "no run": ({name: value for name, value in entry().items() if name != "run"}, "it has no run"),
    "a kind": ({"type": "cheese"}, "its type is 'cheese', expected setting, run or scores"),
    "no kind": ({}, "its type is None"),
    "a setting": ({"type": "setting", "fields": [1]}, r"a setting's fields is \[1\], expected a mapping"),
    "a run": ({"type": "run", "id": 5, "info": {}}, "a run's id is 5, expected a text"),
    "what is known of a run": ({"type": "run", "id": "a", "info": None}, "what is known of a run is None"),
}


@pytest.mark.parametrize("case", WRONG_ENTRIES)
def test_a_line_with_wrong_content(tmp_path, case, capsys):
    path = make(tmp_path / "s.h5", range(3), compact=False)
    wrong, message = WRONG_ENTRIES[case]
    lines = journal_path(path).read_bytes().splitlines(keepends=True)
    journal_path(path).write_bytes(b"".join([*lines[:4], journal.encode(wrong), *lines[4:]]))
    whole = journal_path(path).read_bytes()
    with pytest.raises(StoreError, match=rf"s\.h5\.journal, line 5: .*{message}.*ntknas store repair"):
        load_store(path)
    assert run(["store", "compact", str(path)]) == 1
    assert journal_path(path).read_bytes() == whole
    assert run(["store", "verify", str(path)]) == 1
    assert "line 5: " in capsys.readouterr().out
    done = repair(path)
    assert done.scores == 6
    assert [file.read_bytes() for file in done.set_aside] == [whole]
    assert run(["store", "verify", str(path)]) == 0


@pytest.mark.parametrize(
    "text", [b'{"a":NaN}', b"[" * 10_000, b"[1]", b"5", b'{"type":"run","id":1' + b"0" * 5000 + b"}"]
)
def test_a_line_that_is_no_entry_is_a_damaged_one(tmp_path, text):
    path = make(tmp_path / "s.h5", range(3), compact=False)
    whole = journal_path(path).read_bytes()
    journal_path(path).write_bytes(whole + b"%08x %s\n" % (zlib.crc32(text), text))
    assert ScoreStore.read(path).damaged == [7]
    assert len(load_store(path)) == 6


class TestDoor:
    """What a store could not read back is not written."""

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"seed": 2**64}, "seed is 18446744073709551616"),
            (
                {"seed": 2**63},
                "seed is 9223372036854775808, expected one from -9223372036854775808",
            ),
            ({"cell": -1}, "cell is -1"),
            ({"seconds": float("inf")}, "seconds is inf"),
            ({"scores": {"": Score("", 1.0)}}, "a name in its scores is ''"),
        ],
    )
    def test_records(self, tmp_path, change, message):
        fields = {"setting": SETTING.digest, "cell": 1, "seed": 0, "seconds": 0.1, "scores": {"a": Score("a", 1.0)}}
        with ScoreStore.open(tmp_path / "s.h5") as opened:
            opened.add_setting(SETTING)
            run_id = opened.add_run({})
            opened.append(ScoreRecord(**fields, run=run_id))
            with pytest.raises(StoreError, match=f"A score cannot be stored: {message}"):
                opened.append(ScoreRecord(**{**fields, **change}, run=run_id))
            opened.compact()
        assert len(load_store(tmp_path / "s.h5")) == 1

    @pytest.mark.parametrize("fields", [{"value": 1}, {"space": 5}, {"extra": float("nan")}, {"a\0": 1}])
    def test_settings(self, tmp_path, fields):
        with ScoreStore.open(tmp_path / "s.h5") as opened, pytest.raises((StoreError, ValueError)):
            opened.add_setting(Setting.from_fields({**FIELDS, **fields}))

    def test_reasons_of_any_letters(self, tmp_path):
        with ScoreStore.open(tmp_path / "s.h5") as opened:
            opened.add_setting(SETTING)
            reasons = ["zero \0 inside", "half \ud800", "\x1b[31m", "λ\nλ"]
            for cell, reason in enumerate(reasons):
                scores = {"cond": Score("cond", None, Status.ERROR, reason)}
                opened.append(ScoreRecord(SETTING.digest, opened.add_run({}), cell, 0, 0.1, scores))
            opened.compact()
        assert load_store(tmp_path / "s.h5")["reason"].tolist() == [
            "zero \\x00 inside", "half \\ud800", "\x1b[31m", "λ\nλ"
        ]  # fmt: skip


def test_what_a_file_says_does_nothing_to_a_terminal(tmp_path, capsys):
    path = tmp_path / "s.h5"
    evil = "\x1b]0;owned\x07\u202e"
    with ScoreStore.open(path) as opened:
        setting = opened.add_setting(Setting.from_fields({**FIELDS, f"name{evil}": evil}))
        run_id = opened.add_run({"recipe": f"r{evil}", "device": evil, "torch": evil})
        for cell in range(12):
            opened.append(ScoreRecord(setting, run_id, cell, 0, 0.1, {f"m{evil}": Score("m", cell + 1.0)}))
        opened.compact()
    other = make(tmp_path / "b.h5", range(12))
    commands = [
        ["store", "info", path],
        ["store", "info", path, "--json"],
        ["store", "verify", path],
        ["diff", path, other],
    ]
    commands += [["diff", path, path], ["store", "extract", path, "--into", tmp_path / "x", "--recipe", "q"]]
    for command in commands:
        run([str(part) for part in command])
        printed = capsys.readouterr()
        for text in (printed.out, printed.err):
            assert "\x1b" not in text
            assert "\u202e" not in text


class TestMemory:
    def test_a_run_compacts_on_the_way(self, tmp_path, monkeypatch):
        monkeypatch.setattr(store, "MAX_WAITING", 20)
        path, largest = tmp_path / "s.h5", 0
        with ScoreStore.open(path) as opened:
            opened.add_setting(SETTING)
            run_id = opened.add_run({})
            for cell in range(40):
                scores = {"a": Score("a", 1.0 + cell), "b": Score("b", 2.0)}
                opened.append(ScoreRecord(SETTING.digest, run_id, cell, 0, 0.1, scores))
                largest = max(largest, opened.uncompacted)
                if cell % 8 == 3:
                    assert len(load_store(path)) == 2 * (cell + 1)
        assert largest <= 22
        frame = load_store(path)
        assert dict(zip(frame["cell"], frame["value"], strict=True)) == dict.fromkeys(range(40), 2.0)
        assert set(frame["run"]) == {run_id}

    def test_waiting_scores_take_some_forty_bytes(self):
        from ntknas.store.waiting import Waiting

        waiting = Waiting()
        for cell in range(1000):
            scores = {name: Score(name, 1.0) for name in "abcdefgh"}
            waiting.add(ScoreRecord("s", "r", cell, 0, 0.1, scores))
        assert sum(column.itemsize for column in waiting._columns.values()) <= 50
        assert len(waiting) == 8000

    def test_a_line_without_end_costs_no_memory(self, tmp_path, monkeypatch):
        monkeypatch.setattr(journal, "MAX_LINE", 1000)
        path = make(tmp_path / "s.h5", range(3), compact=False)
        lines = journal_path(path).read_bytes().splitlines(keepends=True)
        journal_path(path).write_bytes(b"".join([*lines[:3], b"x" * 10_000 + b"\n", *lines[3:]]))
        assert ScoreStore.read(path).damaged == [4]
        assert len(load_store(path)) == 6
        with journal_path(path).open("wb") as file:
            os.truncate(file.fileno(), 1 << 33)  # a hole: zeros without end
        with pytest.raises(StoreError, match="not a journal of ntknas"):
            load_store(path)


def test_what_was_kept_can_be_compared_with_what_was_reported(tmp_path):
    path = make(tmp_path / "s.h5", range(3))
    make(path, [5], status=Status.OOM, compact=False)
    with ScoreStore.open(path) as opened:
        assert opened.kept(SETTING.digest, ["cond", "trace"]) == {(0, 0), (1, 0), (2, 0), (5, 0)}
        assert opened.done(SETTING.digest, ["cond", "trace"]) == {(0, 0), (1, 0), (2, 0)}
        assert opened.kept(SETTING.digest, ["cond", "lga"]) == set()


def test_a_journal_that_is_removed_under_its_writer(tmp_path):
    path = tmp_path / "s.h5"
    with ScoreStore.open(path) as opened:
        opened.add_setting(SETTING)
        run_id = opened.add_run({})
        opened.append(ScoreRecord(SETTING.digest, run_id, 1, 0, 0.1, {"a": Score("a", 1.0)}))
        journal_path(path).unlink()
        with pytest.raises(StoreError, match="was removed while it was written"):
            opened.append(ScoreRecord(SETTING.digest, run_id, 2, 0, 0.1, {"a": Score("a", 1.0)}))


def test_compacting_removes_what_killed_compactions_left(tmp_path):
    path = make(tmp_path / "s.h5", range(3))
    for left in (".s.h5.4242.new", f".s.h5.{'a' * 16}.new"):
        (tmp_path / left).write_bytes(b"half a store")
    assert run(["store", "compact", str(path)]) == 0
    assert {file.name for file in tmp_path.iterdir()} == {"s.h5", "s.h5.journal"}
