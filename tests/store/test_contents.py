"""Parts of stores, stores without some scores, and outputs that replace nothing but their like."""

import gzip
import os

import h5py
import pandas as pd
import pytest

from ntknas import load_store
from ntknas.cli.main import run
from ntknas.core import sealed_file
from ntknas.core.score import Score
from ntknas.store import ScoreRecord, ScoreStore, Setting
from ntknas.store.layout import journal_path
from ntknas.store.requests import Request, unmeasured
from tests.store.test_merge import content, make


@pytest.fixture
def path(tmp_path):
    path = make(tmp_path / "s.h5", range(4))
    make(path, range(3), space="nb101", output="label")
    return make(path, range(2), dataset="cifar100", compact=False)


def snapshot(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (["--space", "nb101"], 6),
        (["--dataset", "cifar10", "--measures", "cond"], 7),
        (["--recipe", "custom", "--measures", "cond, trace"], 18),
        ([], 18),
    ],
)
def test_an_extract_holds_what_was_chosen_and_no_more(path, tmp_path, options, rows, capsys):
    before, new = snapshot(tmp_path), tmp_path / "new.h5"
    assert run(["store", "extract", str(path), "--into", str(new), *options]) == 0
    assert f"{rows} of 18 scores" in capsys.readouterr().out
    frame, whole = load_store(new), content(path)
    assert len(frame) == rows
    pd.testing.assert_series_equal(content(new), whole[whole.index.isin(content(new).index)])
    assert set(frame.attrs["settings"]) == set(frame["setting"])
    assert set(frame.attrs["runs"]) == set(frame["run"])
    assert {name: data for name, data in snapshot(tmp_path).items() if not name.startswith("new")} == before


def test_what_extract_refuses(path, tmp_path, capsys):
    new = tmp_path / "new.h5"
    for options, message in [
        (["--space", "nb301"], "expected one of nb101, nb201"),
        (["--space", "nb101", "--dataset", "cifar100"], "No score is of all of these at once"),
        (["--measures", ""], "one of the options is empty"),
    ]:
        assert run(["store", "extract", str(path), "--into", str(new), *options]) in (1, 2)
        assert message in capsys.readouterr().err
        assert not new.exists()
    before = snapshot(tmp_path)
    for there in (path, path.with_name("s.h5.journal")):
        assert run(["store", "extract", str(path), "--into", str(there), "--space", "nb101"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert snapshot(tmp_path) == before


def test_dropping_asks_keeps_a_copy_and_leaves_the_rest(path, tmp_path, capsys):
    before, whole = snapshot(tmp_path), content(path)
    assert run(["store", "drop", str(path), "--space", "nb101"]) == 2
    assert "6 of 18 scores" in capsys.readouterr().err
    assert snapshot(tmp_path) == before
    assert run(["store", "drop", str(path), "--yes"]) == 1
    assert "Say what to drop" in capsys.readouterr().err
    assert run(["store", "drop", str(path), "--space", "nb101", "--yes"]) == 0
    kept = tmp_path / "s.dropped.h5"
    assert str(kept) in capsys.readouterr().out
    pd.testing.assert_series_equal(pd.concat([content(path), content(kept)]).sort_index(), whole)
    assert set(load_store(path)["space"]) == {"nb201"}
    assert len(ScoreStore.read(path).settings) == 2
    assert run(["store", "drop", str(path), "--dataset", "cifar100", "--yes"]) == 0
    assert len(load_store(tmp_path / "s.dropped-2.h5")) == 4
    assert run(["store", "drop", str(path), "--measures", "cond", "--yes", "--no-copy"]) == 0
    assert len(list(tmp_path.glob("s.dropped*.h5"))) == 2
    assert len(load_store(path)) == 4


class TestWhatIsTakenOutIsNotMissing:
    """Of a part of a store nothing is said to be unmeasured because of what is in the other part."""

    @pytest.fixture
    def asked(self, path):
        """A run was asked for ten cells and three measures under two settings, and ended after six cells."""
        names = {"trace": Score("trace", 1.0), "cond": Score("cond", 2.0), "mean": Score("mean", 3.0)}
        settings = [Setting.from_fields({"space": space, "dataset": "cifar10"}) for space in ("nb201", "nb101")]
        request = Request({setting.digest: tuple(names) for setting in settings}, range(10), [0])
        with ScoreStore.open(path.with_name("asked.h5")) as store:
            digests = [store.add_setting(setting) for setting in settings]
            number = store.add_run({"recipe": "mok", "request": request.as_json()})
            for cell in range(6):
                for digest in digests:
                    store.append(ScoreRecord(digest, number, cell, 0, 0.1, names))
        return path.with_name("asked.h5")

    @pytest.mark.parametrize("command", ["extract", "drop"])
    @pytest.mark.parametrize(
        "options", [["--measures", "trace"], ["--space", "nb101"], ["--measures", "trace,cond", "--space", "nb201"]]
    )
    def test_only_cells_that_no_part_has_are_missing(self, asked, tmp_path, command, options, capsys):
        if command == "extract":
            assert run(["store", "extract", str(asked), "--into", str(tmp_path / "new.h5"), *options]) == 0
            parts = [asked, tmp_path / "new.h5"]
        else:
            assert run(["store", "drop", str(asked), "--yes", *options]) == 0
            parts = [asked, tmp_path / "asked.dropped.h5"]
        for part in parts:
            frame = load_store(part)
            said = unmeasured(frame)
            assert {item.setting: (item.missing, item.asked) for item in said} == dict.fromkeys(
                frame["setting"].unique(), (4, 10)
            )
        capsys.readouterr()
        assert run(["store", "verify", str(asked)]) in (0, 3)

    def test_parts_that_are_merged_again_are_the_store(self, asked, tmp_path):
        whole, kept = content(asked), tmp_path / "asked.dropped.h5"
        assert run(["store", "drop", str(asked), "--measures", "cond", "--yes"]) == 0
        for number, parts in enumerate([(asked, kept), (kept, asked)]):
            new = tmp_path / f"new{number}.h5"
            assert run(["store", "merge", "--into", str(new), *map(str, parts)]) == 0
            pd.testing.assert_series_equal(content(new), whole)
            frame = load_store(new)
            assert {item.missing for item in unmeasured(frame)} == {4}
        assert (tmp_path / "new0.h5").read_bytes() == (tmp_path / "new1.h5").read_bytes()

    def test_a_copy_that_knows_less_of_a_run_is_merged(self, tmp_path):
        setting = Setting.from_fields({"space": "nb201", "dataset": "cifar10"})
        paths = [tmp_path / "a.h5", tmp_path / "b.h5"]
        with ScoreStore.open(paths[0]) as store:
            number, digest = store.add_run({"recipe": "mok"}), store.add_setting(setting)
            store.append(ScoreRecord(digest, number, 0, 0, 0.1, {"trace": Score("trace", 1.0)}))
            store.compact()
            paths[1].write_bytes(paths[0].read_bytes())
            store.add_to_run(number, {"strategy": "auto"})
            store.announce(number, [digest])
            store.append(ScoreRecord(digest, number, 1, 0, 0.1, {"trace": Score("trace", 2.0)}))
            store.compact()
        assert run(["store", "merge", *map(str, paths)]) == 0
        merged = ScoreStore.read(paths[0])
        assert (len(merged), merged.runs[number].info["strategy"]) == (2, "auto")

    def test_a_complete_store_has_complete_parts(self, path, tmp_path, capsys):
        settings = Setting.from_fields({"space": "nb201", "dataset": "cifar10"})
        request = Request({settings.digest: ("trace", "cond")}, range(3), [0])
        with ScoreStore.open(tmp_path / "whole.h5") as store:
            number = store.add_run({"request": request.as_json()})
            for cell in range(3):
                scores = {"trace": Score("trace", 1.0), "cond": Score("cond", 2.0)}
                store.append(ScoreRecord(store.add_setting(settings), number, cell, 0, 0.1, scores))
        assert run(["store", "drop", str(tmp_path / "whole.h5"), "--measures", "cond", "--yes"]) == 0
        capsys.readouterr()
        for part in ("whole.h5", "whole.dropped.h5"):
            assert run(["store", "info", str(tmp_path / part)]) == 0
            assert "not yet measured" not in "".join(capsys.readouterr())


class TestOutputs:
    """An output replaces its like, and nothing else; an input of the command least of all."""

    @pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
    def test_an_earlier_export_is_replaced(self, path, tmp_path, kind):
        out = tmp_path / f"t.{kind}"
        for _ in range(2):
            assert run(["store", "export", str(path), f"--{kind.removesuffix('.gz')}", str(out)]) == 0
        assert len(pd.read_parquet(out) if kind == "parquet" else pd.read_csv(out)) == 18

    @pytest.mark.parametrize("option", ["--csv", "--parquet"])
    @pytest.mark.parametrize(
        "other",
        [
            lambda path: path.write_text("index,accuracy\n1,2\n"),
            lambda path: path.write_bytes(gzip.compress(b"index,accuracy\n")),
            lambda path: path.write_bytes(b"PAR1 something else"),
            lambda path: path.write_bytes(b"\x89HDF"),
            lambda path: pd.DataFrame({"a": [1]}).to_parquet(path),
        ],
    )
    def test_somebody_elses_file_is_not(self, path, tmp_path, option, other, capsys):
        for name in ("t", "t.gz"):
            out = tmp_path / name
            other(out)
            before = out.read_bytes()
            assert run(["store", "export", str(path), option, str(out)]) == 1
            assert "no table that ntknas exported: name another file, or remove it" in capsys.readouterr().err
            assert out.read_bytes() == before

    @pytest.mark.parametrize("which", ["s.h5", "s.h5.journal", "hard", "soft"])
    def test_the_store_itself_is_not(self, path, tmp_path, which, capsys):
        os.link(path, tmp_path / "hard")
        (tmp_path / "soft").symlink_to(path)
        before = snapshot(tmp_path)
        assert run(["store", "export", str(path), "--csv", str(tmp_path / which)]) == 1
        assert "belongs to the store that is exported" in capsys.readouterr().err
        assert snapshot(tmp_path) == before

    def test_a_device_is_not_replaced(self, path, tmp_path, capsys):
        os.mkfifo(tmp_path / "pipe")
        assert run(["store", "export", str(path), "--csv", str(tmp_path / "pipe")]) == 1
        assert "pipe" in capsys.readouterr().err
        assert not (tmp_path / "pipe").is_file()

    def test_a_dash_is_standard_output(self, path, tmp_path, capsys, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert run(["store", "export", str(path), "--csv", "-"]) == 0
        (tmp_path / "printed").write_text(capsys.readouterr().out)
        assert len(pd.read_csv(tmp_path / "printed")) == 18
        assert not (tmp_path / "-").exists()
        assert run(["store", "export", str(path), "--parquet", "-"]) == 2

    @pytest.mark.parametrize("what", ["text", "hdf5", "csv"])
    def test_merging_and_scoring_into_somebody_elses_file(self, path, tmp_path, what, capsys):
        other = tmp_path / "other.h5"
        if what == "hdf5":
            with h5py.File(other, "w") as file:
                file["precious"] = 1
        else:
            other.write_text({"text": "precious", "csv": "index,accuracy\n1,2\n"}[what])
        before = other.read_bytes()
        for command in (["merge", path, "--into", other], ["repair", other], ["compact", other]):
            assert run(["store", *map(str, command)]) == 1
            assert str(other) in capsys.readouterr().err
        assert other.read_bytes() == before
        assert not journal_path(other).exists()


def test_a_sealed_store_is_not_converted(path, tmp_path, capsys):
    for old in (path, tmp_path / "none.h5"):
        assert run(["store", "convert", str(old), "--into", str(tmp_path / "new.h5")]) == 1
        assert "nothing to convert" in capsys.readouterr().err


def test_a_track_from_before_seals_is_converted(tmp_path, capsys):
    from ntknas.core.errors import StoreError
    from ntknas.core.score import Status
    from ntknas.tracking import track
    from ntknas.tracking.follow import ended

    old = track.write(tmp_path / "tracks", ended({"cell": 1, "seed": 0}, Status.DISCONNECTED, "no path"))
    before = track.read(old)
    old.write_bytes(old.read_bytes()[sealed_file.HEAD :])
    with pytest.raises(StoreError, match="no track that can be trusted.*ntknas store convert"):
        track.read(old)
    assert run(["store", "convert", str(old), "--into", str(tmp_path / "new.h5")]) == 0
    assert track.read(tmp_path / "new.h5").digest() == before.digest()
