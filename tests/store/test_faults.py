"""What was found from outside: scores lost or wrong in silence, other people's files touched, damage without a word."""

import json
import os

import h5py
import pytest

from ntknas import load_store
from ntknas.cli.main import run
from ntknas.core.errors import StoreError
from ntknas.core.score import Score, Status
from ntknas.store import ScoreRecord, ScoreStore, Setting, journal, store, tables
from ntknas.store.health import examine, repair
from ntknas.store.layout import journal_path, worker_journals
from ntknas.store.merge import merge
from ntknas.store.run import Run
from ntknas.store.worker_journal import WorkerJournal
from tests.store.test_merge import FIELDS, content, make

SETTING = Setting.from_fields(FIELDS)


def scored(run_id, cell, value=None, status=Status.OK):
    return ScoreRecord(SETTING.digest, run_id, cell, 0, 0.1, {"cond": Score("cond", value, status)})


def left_by_killed_worker(path, name, sequence, *records):
    info = {} if sequence is None else {"sequence": sequence}
    part = WorkerJournal(path, name, [SETTING], Run(name, info))
    for cell, value, status in records:
        part.append(scored(name, cell, value, status))
    part.close()
    return part.path


def values(path):
    frame = load_store(path)
    return dict(
        zip(frame["cell"], zip(frame["value"].fillna(-1), frame["status"].astype(str), strict=True), strict=True)
    )


def lines_of(path):
    return journal_path(path).read_bytes().splitlines(keepends=True)


class TestOrder:
    """A score beats a failure; of two, the later run's; of one run's, the later in the journal."""

    def test_a_failure_in_a_part_does_not_beat_a_later_runs_score(self, tmp_path):
        path = tmp_path / "s.h5"
        left_by_killed_worker(path, "zzz", 0, *[(cell, None, Status.ERROR) for cell in range(4)])
        with ScoreStore.open(path) as opened:
            opened.add_setting(SETTING)
            run_id = opened.add_run({})
            for cell in range(5):
                opened.append(scored(run_id, cell, 1.0 + cell))
            expected = {cell: (1.0 + cell, "ok") for cell in range(5)}
            assert values(path) == expected
            opened.compact()
        assert values(path) == expected
        assert not worker_journals(path)

    @pytest.mark.parametrize("failure", list(tables.FAILURES))
    @pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
    def test_a_score_counts_in_whatever_part_and_run_it_stands(self, tmp_path, failure, order):
        path, (good, bad) = tmp_path / "s.h5", order
        left_by_killed_worker(path, good, 0, (1, 5.0, Status.OK))
        left_by_killed_worker(path, bad, 1, (1, None, Status(failure)))
        assert values(path) == {1: (5.0, "ok")}

    @pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
    def test_the_later_runs_score_counts_whatever_its_part_is_called(self, tmp_path, names):
        path = tmp_path / "s.h5"
        for sequence, name in enumerate(names):
            left_by_killed_worker(path, name, sequence, (1, 10.0 + sequence, Status.OK))
        assert values(path) == {1: (11.0, "ok")}

    def test_runs_without_a_sequence_come_before(self, tmp_path):
        path = tmp_path / "s.h5"
        left_by_killed_worker(path, "z", None, (1, 1.0, Status.OK), (2, 2.0, Status.OK), (2, 3.0, Status.OK))
        left_by_killed_worker(path, "a", 0, (1, 7.0, Status.OK))
        assert values(path) == {1: (7.0, "ok"), 2: (3.0, "ok")}

    def test_every_run_has_a_place_after_all_that_the_store_knows(self, tmp_path):
        path = tmp_path / "s.h5"
        left_by_killed_worker(path, "w", 6, (1, 1.0, Status.OK))
        with ScoreStore.open(path) as opened:
            assert opened.runs[opened.add_run({"recipe": "mok"})].info == {"recipe": "mok", "sequence": 7}
            assert opened.runs[opened.add_run({})].sequence == 8

    def test_merging_keeps_the_first_stores_scores_whatever_run_they_are_of(self, tmp_path):
        a, b = make(tmp_path / "a.h5", range(3)), tmp_path / "b.h5"
        left_by_killed_worker(b, "w", 99, (1, 50.0, Status.OK), (7, 70.0, Status.OK))
        merge(a, [b])
        found = content(a)
        assert found[SETTING.digest, 1, 0, "cond"] == 2.0
        assert found[SETTING.digest, 7, 0, "cond"] == 70.0


class TestNothingIsDeleted:
    def test_a_part_whose_setting_is_damaged_is_kept(self, tmp_path, capsys):
        path = tmp_path / "s.h5"
        part = left_by_killed_worker(path, "w", 0, *[(cell, 1.0, Status.OK) for cell in range(18)])
        whole = part.read_bytes().replace(b'"nb201"', b'"nb2x1"')
        part.write_bytes(whole)
        assert run(["store", "compact", str(path)]) == 0
        assert part.read_bytes() == whole
        assert "18 whose setting's line is damaged" in capsys.readouterr().err
        make(path, [1])  # and the part is kept aside once there is something to write
        (copy,) = path.parent.glob("*.damaged*")
        assert copy.read_bytes() == whole
        assert not part.exists()

    def test_scores_whose_setting_becomes_known_again_are_read(self, tmp_path):
        path = tmp_path / "s.h5"
        part = left_by_killed_worker(path, "w", 0, *[(cell, 1.0, Status.OK) for cell in range(18)])
        part.write_bytes(part.read_bytes().replace(b'"nb201"', b'"nb2x1"'))
        with ScoreStore.open(path) as opened:
            opened.add_setting(SETTING)
            assert len(opened.done(SETTING.digest, ["cond"])) == 18
            opened.compact()
        assert len(load_store(path)) == 18

    def test_copies_never_replace_one_another(self, tmp_path):
        path, kept = tmp_path / "s.h5", []
        for _ in range(3):
            make(path, range(3), compact=False)
            lines = lines_of(path)
            lines[3] = lines[3].replace(b"1.0", b"9.9")
            kept.append(b"".join(lines))
            journal_path(path).write_bytes(kept[-1])
            with ScoreStore.open(path) as opened:
                opened.compact()
        names = [f"s.h5.journal.damaged{ending}" for ending in ("", "-2", "-3")]
        assert [path.with_name(name).read_bytes() for name in names] == kept

    def test_a_planted_link_is_no_place_for_a_copy(self, tmp_path):
        path, other = make(tmp_path / "s.h5", range(3), compact=False), tmp_path / "other"
        other.write_text("precious")
        path.with_name("s.h5.journal.damaged").symlink_to(other)
        lines = lines_of(path)
        journal_path(path).write_bytes(b"".join([*lines[:3], b"junk\n", *lines[3:]]))
        repair(path)
        assert other.read_text() == "precious"
        assert path.with_name("s.h5.journal.damaged-2").exists()

    def test_a_full_disk_while_copying_leaves_the_journal(self, tmp_path, monkeypatch):
        path = make(tmp_path / "s.h5", range(3), compact=False)
        journal_path(path).write_bytes(journal_path(path).read_bytes() + b"junk\n")
        whole = journal_path(path).read_bytes()

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(store, "copy_aside", full)
        with ScoreStore.open(path) as opened, pytest.raises(StoreError, match="No space left.*Nothing is lost"):
            opened.compact()
        assert journal_path(path).read_bytes() == whole
        assert len(load_store(path)) == 6

    def test_what_a_part_got_after_it_was_read_stays(self, tmp_path, monkeypatch):
        path = tmp_path / "s.h5"
        part = left_by_killed_worker(path, "w", 0, (1, 1.0, Status.OK))
        with ScoreStore.open(path) as opened:
            write = store.columns.write

            def late(*arguments):
                write(*arguments)
                late_part = WorkerJournal(path, "w", [SETTING], Run("w", {"sequence": 0}))
                late_part.append(scored("w", 2, 2.0))
                late_part.close()

            monkeypatch.setattr(store.columns, "write", late)
            opened.compact()
        assert part.exists()
        assert set(values(path)) == {1, 2}


class TestHeader:
    @pytest.mark.parametrize("place", [*range(0, 64, 7), 64])  # the last one is the line feed
    def test_a_flipped_byte_in_the_first_line_costs_nothing(self, tmp_path, place):
        path = make(tmp_path / "s.h5", range(9), compact=False)
        whole = bytearray(journal_path(path).read_bytes())
        whole[place] ^= 1
        journal_path(path).write_bytes(bytes(whole))
        assert len(load_store(path)) == 18
        assert len(examine(path).faults) == 1
        done = repair(path)
        assert done.scores == 18
        assert [copy.read_bytes() for copy in done.set_aside] == [bytes(whole)]

    def test_without_its_first_line_it_is_missed(self, tmp_path):
        path = make(tmp_path / "s.h5", range(9), compact=False)
        journal_path(path).write_bytes(b"".join(lines_of(path)[1:]))
        assert ScoreStore.read(path).left_out.missing == 1
        assert repair(path).scores == 18


class TestOtherPeoplesFiles:
    FILES = (
        b"my notes, one line",
        b"my notes\n",
        b"a,b\n1,2\n3,4",
        b"{}",
        b'00000000 {"type":"scores"}\n',
        b"\0" * 500,
    )

    @pytest.mark.parametrize("text", FILES)
    def test_at_the_place_of_a_journal_they_are_left_alone(self, tmp_path, text, capsys):
        path = tmp_path / "s.h5"
        journal_path(path).write_bytes(text)
        commands = (["store", "info"], ["store", "compact"], ["correlate"], ["store", "verify"])
        for command in commands:
            assert run([*command, str(path)]) == 1
            message = capsys.readouterr()
            assert "is not a journal of ntknas" in message.err + message.out
        with pytest.raises(StoreError, match="is not a journal of ntknas"):
            ScoreStore.open(path)
        with pytest.raises(StoreError, match="is not a journal of ntknas"):
            journal.JournalWriter(journal_path(path))
        assert journal_path(path).read_bytes() == text

    def test_an_empty_file_is_taken(self, tmp_path):
        path = tmp_path / "s.h5"
        journal_path(path).touch()
        assert len(load_store(make(path, range(2), compact=False))) == 4

    @pytest.mark.parametrize("kind", ["journal", "part"])
    @pytest.mark.parametrize("what", ["pipe", "device", "folder", "link", "loop"])
    def test_what_is_no_file_is_not_opened(self, tmp_path, kind, what, capsys):
        path = make(tmp_path / "s.h5", range(2))
        journal_path(path).unlink()
        place = journal_path(path) if kind == "journal" else path.with_name("s.h5.journal.part-1")
        if what == "pipe":
            os.mkfifo(place)
        elif what == "folder":
            place.mkdir()
        else:
            place.symlink_to({"device": "/dev/zero", "link": tmp_path / "other", "loop": place}[what])
            (tmp_path / "other").write_text("precious")
        for command in (["store", "info"], ["store", "verify"], ["store", "repair"], ["store", "compact"]):
            assert run([*command, str(path)]) == 1
            message = capsys.readouterr()
            assert str(place) in message.err + message.out
            assert "file" in message.err + message.out
        assert os.path.lexists(place)
        assert what in ("pipe", "folder") or (tmp_path / "other").read_text() == "precious"

    def test_without_permission_to_read(self, tmp_path, monkeypatch, capsys):
        path = make(tmp_path / "s.h5", range(2))

        def refused(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("ntknas.core.sealed_file.open_regular", refused)
        before = path.read_bytes()
        for command in (["store", "info"], ["store", "repair"], ["store", "compact"], ["correlate"]):
            assert run([*command, str(path)]) == 1
            assert "Permission denied" in capsys.readouterr().err
        assert [file.name for file in tmp_path.iterdir() if "damaged" in file.name] == []
        assert path.read_bytes() == before


class TestWords:
    """What is left out is said, by every command that reads a store."""

    @pytest.fixture
    def path(self, tmp_path):
        path = make(tmp_path / "s.h5", range(12), compact=False)
        lines = lines_of(path)
        lines[4] = lines[4].replace(b"1.0", b"9.9")
        lines[7] = lines[7][:-3] + b"!}\n"
        journal_path(path).write_bytes(b"".join(lines))
        return path

    @pytest.mark.parametrize("command", ["info", "export", "merge", "correlate", "diff", "extract"])
    def test_they_say_so(self, path, command, capsys, tmp_path):
        arguments = {
            "info": ["store", "info", path, "--json"],
            "export": ["store", "export", path, "--csv", tmp_path / "t.csv"],
            "merge": ["store", "merge", path, "--into", tmp_path / "m.h5", "--json"],
            "correlate": ["correlate", path, "--json", "--resamples", 0],
            "diff": ["diff", path, path, "--json"],
            "extract": ["store", "extract", path, "--into", tmp_path / "e.h5", "--measures", "cond"],
        }[command]
        assert run(list(map(str, arguments))) == 0
        captured = capsys.readouterr()
        assert "2 line(s) of the journals are left out: 2 damaged" in captured.err
        if "--json" in arguments:
            left_out = json.loads(captured.out)["left_out"]
            assert left_out in (2, {str(path): 2})

    def test_a_whole_store_needs_none(self, tmp_path, capsys):
        path = make(tmp_path / "s.h5", range(12), compact=False)
        assert run(["store", "info", str(path), "--json"]) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        assert json.loads(captured.out)["left_out"] == 0

    @pytest.mark.parametrize("line", range(1, 14))
    def test_a_line_that_was_taken_out_is_missed(self, path, line):
        journal_path(path).unlink()
        make(path, range(12), compact=False)
        lines = lines_of(path)
        journal_path(path).write_bytes(b"".join(lines[:line] + lines[line + 1 :]))
        assert ScoreStore.read(path).left_out.missing == 1
        assert any("lacks 1 line(s)" in fault for fault in examine(path).faults)

    def test_runs_without_their_line_are_named(self, path):
        journal_path(path).unlink()
        make(path, range(2), compact=False)
        lines = [line for line in lines_of(path) if b'"type":"run"' not in line]
        journal_path(path).write_bytes(b"".join(lines))
        assert "Recipe and versions of 1 run(s) are not known" in ScoreStore.read(path).left_out.message(path)


class TestLinks:
    @pytest.fixture
    def link(self, tmp_path):
        (tmp_path / "real").mkdir()
        make(tmp_path / "real" / "s.h5", range(3), compact=False)
        link = tmp_path / "link.h5"
        link.symlink_to(tmp_path / "real" / "s.h5")
        return link

    def test_verify_and_repair_see_what_the_link_leads_to(self, link, tmp_path, capsys):
        journal = journal_path(tmp_path / "real" / "s.h5")
        journal.write_bytes(journal.read_bytes() + b"junk\n")
        assert run(["store", "verify", str(link)]) == 1
        assert "damaged lines (7)" in capsys.readouterr().out
        assert run(["store", "repair", str(link)]) == 0
        assert "6 scores" in capsys.readouterr().out
        assert link.is_symlink()
        assert len(load_store(link)) == 6
        assert journal.with_name("s.h5.journal.damaged").exists()
        assert {file.name for file in tmp_path.iterdir()} == {"real", "link.h5"}

    def test_parts_and_checkpoints_stand_beside_the_file(self, link, tmp_path):
        from ntknas.scoring.shards import Shard
        from ntknas.store.layout import checkpoints_path

        part = left_by_killed_worker(link, "w", 1, (9, 9.0, Status.OK))
        assert part.parent == tmp_path / "real"
        assert 9 in set(load_store(link)["cell"])
        assert checkpoints_path(link) == tmp_path / "real" / "s.h5.checkpoints"
        assert Shard(1, 2).store(link) == tmp_path / "real" / "s.shard-1-of-2.h5"


def test_repair_is_advised_only_where_it_helps(tmp_path, capsys):
    path = make(tmp_path / "s.h5", range(2))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"HDF5 1\n", b"HDF5 9\n", 1))
    assert run(["store", "verify", str(path)]) == 1
    assert "version 9" in (said := capsys.readouterr().out)
    assert "ntknas store repair" not in said
    path.write_bytes(whole[:-1])
    assert run(["store", "verify", str(path)]) == 1
    assert "ntknas store repair" in capsys.readouterr().out
    path.unlink()
    path.with_name("s.h5.journal").write_text("notes of somebody else\n")
    assert run(["store", "verify", str(path)]) == 1
    assert "ntknas store repair" in capsys.readouterr().out
    path.with_name("s.h5.journal").unlink()
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "ntknas-scores"
    assert run(["store", "verify", str(path)]) == 1
    assert "ntknas store convert" in (said := capsys.readouterr().out)
    assert "ntknas store repair" not in said
