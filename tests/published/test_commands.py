"""Published scores on the command line, held against the stores that the release was built of."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ntknas import load_store
from ntknas.cli.main import run
from ntknas.cli.scoring_display import ScoringDisplay
from ntknas.core.score import Score, Status
from ntknas.published import Release
from ntknas.published.build import build, scores_of
from ntknas.scoring.events import OtherSetting
from ntknas.spaces.structure import COUNTS
from ntknas.store import ScoreRecord, ScoreStore, Setting
from tests.cli.absent import without
from tests.cli.typed import SMALL, ntknas
from tests.published.releases import SPACE, covered, representative, source

NETWORKS = sorted({representative(cell, "weights") for cell in covered()})
MEASURES = ("trace", "cond")
POLICIES = {"frozen": "frozen", "recommended": "eval"}
"""Batch-norm policy of each way."""
NUMBERS = ("seconds_per_cell", "seed_variance")
"""What goes by numbers, which a release has in float32, beside r; the rest goes by ranks, which are the same."""
SEEDS = {"frozen": 2, "recommended": 1}


def kernel(way):
    """Options of the command that measure a way."""
    return [*SMALL, "--batch-norm", POLICIES[way], "--measures", ",".join(MEASURES)]


def build_of(folder, change=lambda table: table, seeds=SEEDS, version="1.0.0"):
    """A release of stores, whose tables may be changed."""
    ways = [
        source(name, "weights", range(seeds[name]), MEASURES, change(scores_of([folder / f"{name}.h5"])))
        for name in POLICIES
    ]
    return build(SPACE, ways, version, cells=covered())


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A folder with stores that the command made of a few tiny networks, and a release of them."""
    folder = tmp_path_factory.mktemp("digits")
    (folder / "cells.txt").write_text("".join(f"{cell}\n" for cell in NETWORKS))
    for name, seeds in SEEDS.items():
        options = [*kernel(name), "--seeds", seeds, "--cells-file", folder / "cells.txt"]
        assert run([str(word) for word in ["score", *options, "--store", folder / f"{name}.h5"]]) == 0
    build_of(folder).write(folder / "release", folder)
    return folder


def shown(capsys, *arguments):
    """Run a command that prints JSON, and return it with standard error."""
    code, out, err = ntknas(capsys, *arguments, "--json")
    assert code == 0, err
    return json.loads(out), err


def expanded(digits, way, path):
    """A store of a way with the scores of each network at every cell that is it."""
    stored = load_store(digits / f"{way}.h5")
    (fields,) = stored.attrs["settings"].values()
    with ScoreStore.open(path) as store:
        setting, made = store.add_setting(Setting.from_fields(fields)), store.add_run({"recipe": "custom"})
        for cell in covered():
            for seed, rows in stored[stored["cell"] == representative(cell, "weights")].groupby("seed"):
                values = {row.measure: score_of(row) for row in rows.itertuples()}
                store.append(ScoreRecord(setting, made, cell, seed, rows["seconds"].iloc[0], values))
        store.compact()
    return path


def score_of(row):
    """A row of a frame as a score."""
    return Score(row.measure, None if np.isnan(row.value) else row.value, Status(row.status), row.reason)


@pytest.mark.parametrize("way", list(POLICIES))
def test_correlations_are_those_of_a_store_of_every_cell(capsys, digits, tmp_path, way):
    published, err = shown(capsys, "correlate", f"published:{digits / 'release'}", "--way", way)
    stored, _ = shown(capsys, "correlate", expanded(digits, way, tmp_path / "s.h5"))
    for found, wanted in zip(published["rows"], stored["rows"], strict=True):
        numbers = [
            [row.pop("pearson")["value"], *(row.pop(name) or 0.0 for name in NUMBERS)] for row in (found, wanted)
        ]
        assert found == wanted
        assert numbers[0] == pytest.approx(numbers[1], rel=1e-6)
    seeds = "seeds 0, 1" if way == "frozen" else "seed 0"
    assert f"Published scores nb201 1.0.0: {way} (The way {way}), {seeds}." in err
    assert "Other ways: " in err


def test_trade_offs_are_those_of_a_store_of_every_cell(capsys, digits, tmp_path):
    targets = ["--target", "cifar10-valid/valid/200", "--target", "cifar100/valid/200", "--resamples", 200]
    published, err = shown(capsys, "pareto", f"published:{digits / 'release'}", "--way", "frozen", *targets)
    stored, _ = shown(capsys, "pareto", expanded(digits, "frozen", tmp_path / "s.h5"), *targets)
    assert published.pop("published") == "nb201 1.0.0"
    assert published == stored
    assert {row["measure"] for row in stored["rows"]} >= set(MEASURES)
    assert "Published scores nb201 1.0.0: frozen" in err


def test_what_is_shown_first_are_the_measures_of_our_recommendation(capsys, digits):
    source = f"published:{digits / 'release'}"
    first, err = shown(capsys, "correlate", source, "--resamples", 0)
    whole, _ = shown(capsys, "correlate", source, "--resamples", 0, "--way", "recommended")
    named, quiet = shown(capsys, "correlate", source, "--resamples", 0, "--measures", "trace")
    measures = [{row["measure"] for row in answer["rows"]} - set(COUNTS) for answer in (first, whole, named)]
    assert measures == [{"cond"}, {"cond", "trace"}, {"trace"}]
    assert "Of its 2 measures cond only: --way recommended shows all." in err
    assert "only" not in quiet


def test_ways_and_seeds_are_chosen(capsys, digits):
    release = Release.open(digits / "release")
    digest = {name: next(iter(way.settings)) for name, way in release.ways.items()}
    source_of_all = f"published:{digits / 'release'}"
    both, err = shown(capsys, "correlate", source_of_all, "--way", "all", "--resamples", 0)
    assert {row["setting"] for row in both["rows"]} >= set(digest.values())
    assert "Other ways" not in err
    assert both["published"] == "nb201 1.0.0"
    one, err = shown(capsys, "correlate", source_of_all, "--way", "frozen", "--seeds", "1", "--resamples", 0)
    assert "frozen (The way frozen), seed 1." in err
    zero, _ = shown(capsys, "correlate", source_of_all, "--way", "frozen", "--seeds", "0", "--resamples", 0)
    assert [row["kendall"] for row in one["rows"]] != [row["kendall"] for row in zero["rows"]]
    some, err = shown(capsys, "correlate", source_of_all, "--way", "all", "--seeds", "1", "--measures", "cond")
    assert {row["setting"] for row in some["rows"] if row["measure"] == "cond"} == {digest["frozen"]}
    assert "Other ways: recommended" in err


def test_other_options_of_correlate_work_as_with_a_store(capsys, digits, tmp_path):
    mine = pd.DataFrame({"index": covered(), "mine": range(len(covered()))})
    mine.to_csv(tmp_path / "mine.csv", index=False)
    release = f"published:{digits / 'release'}"
    options = ["--scores", tmp_path / "mine.csv", "--combine", "rank(cond)+rank(mine)", "--cells-file"]
    (tmp_path / "cells.txt").write_text("".join(f"{cell}\n" for cell in covered()[:30]))
    answer, _ = shown(capsys, "correlate", release, *options, tmp_path / "cells.txt", "--resamples", 0)
    found = {row["measure"]: row["n"] for row in answer["rows"]}
    assert found["mine"] == 30
    assert found["rank(cond)+rank(mine)"] <= found["cond"] <= 30


WRONG = {
    "an unknown way": (["correlate", "{}", "--way", "frosen"], "expected one of frozen, recommended. Did you mean"),
    "an unknown seed": (["correlate", "{}", "--seeds", "7"], "has no seed 7: expected one of 0"),
    "a seed that is no number": (["correlate", "{}", "--seeds", "0,x"], "--seeds are whole numbers"),
    "an unknown measure": (
        ["correlate", "{}", "--measures", "fro"],
        "Unknown measure of recommended 'fro': expected one of cond, trace",
    ),
    "a way of a store": (["correlate", "{store}", "--way", "frozen"], "--way chooses of published scores"),
    "a release that is not there": (["correlate", "published:nb202"], "Unknown release 'nb202'"),
    "a folder without one": (["correlate", "published:."], "holds no release of published scores"),
    "no name": (["correlate", "published:"], "release"),
    "an unknown way of diff": (["diff", "{}", "{}", "--way", "x"], "Unknown way of nb201 1.0.0 'x'"),
    "a release that is not there, of info": (["published", "info", "nb202"], "Unknown release 'nb202'"),
    "another ending": (["published", "export", "{folder}", "--out", "x.txt"], "ends in .csv, .csv.gz or .parquet"),
    "cells outside": (["published", "verify", "{folder}", "--cells", "0:99999"], "within 0:15625"),
    "more cells than there are": (["published", "verify", "{folder}", "--cells", "99"], "--cells must be a number"),
    "a release in place of a store": (["store", "merge", "{store}", "{}"], "names published scores, and a store is"),
    "a release as the store to make": (["score", "--store", "{}"], "names published scores, and a store is meant"),
    "a release to merge into": (["store", "merge", "{store}", "--into", "{}"], "names published scores, and a store"),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_what_is_not_there_is_said(capsys, digits, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    words, message = WRONG[name]
    places = {"folder": digits / "release", "store": digits / "frozen.h5"}
    arguments = [word.format(f"published:{digits / 'release'}", **places) for word in words]
    code, out, err = ntknas(capsys, *arguments)
    assert code in (1, 2)
    assert out == ""
    assert message in err
    assert not list(tmp_path.iterdir())


def changed_byte(folder):
    """Turn a bit in the middle of the scores."""
    content = bytearray((folder / "scores.parquet").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "scores.parquet").write_bytes(content)


def another_format(folder):
    """Let the manifest be of a later version of the format."""
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"format_version": 2}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [(changed_byte, "is not the file that manifest.json lists"), (another_format, "version 2 of the format")],
)
@pytest.mark.parametrize("command", ["correlate", "info", "verify", "score"])
def test_a_changed_release_is_refused_by_every_command(capsys, digits, tmp_path, damage, message, command):
    folder = tmp_path / "release"
    shutil.copytree(digits / "release", folder)
    damage(folder)
    words = {
        "correlate": ["correlate", f"published:{folder}"],
        "info": ["published", "info", folder],
        "verify": ["published", "verify", folder],
        "score": ["score", *kernel("frozen"), "--published", folder, "--store", tmp_path / "s.h5"],
    }
    code, out, err = ntknas(capsys, *words[command])
    assert (code, out) == (1, "")
    assert message in err
    assert not (tmp_path / "s.h5").exists()


def test_info_counts_what_the_stores_have(capsys, digits):
    answer, _ = shown(capsys, "published", "info", digits / "release")
    assert (answer["release"], answer["version"], answer["licence"]) == ("nb201", "1.0.0", "CC-BY-4.0")
    for way in answer["ways"]:
        stored = load_store(digits / f"{way['name']}.h5")
        counts = stored.groupby(["measure", "status"], observed=True).size()
        expected = {
            name: {str(status): int(number) for (measure, status), number in counts.items() if measure == name}
            for name in MEASURES
        }
        assert way["scores_by_measure_and_status"] == expected
        assert way["networks"] == len(NETWORKS)
        assert set(way["settings"]) == set(stored["setting"])
    code, out, _ = ntknas(capsys, "published", "info", digits / "release")
    assert code == 0
    assert stored["probe_hash"].iloc[0] in out
    assert "frozen: The way frozen" in out


def test_list_names_what_is_in_the_package(capsys):
    answer, _ = shown(capsys, "published", "list")
    (row,) = answer["rows"]
    packaged = Release.open("nb201")
    assert (row["release"], row["version"], set(row["ways"])) == ("nb201", packaged.version, set(packaged.ways))


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_export_writes_the_scores_that_are_meant(capsys, digits, tmp_path, ending):
    out = tmp_path / f"x.{ending}"
    command = ["published", "export", digits / "release", "--way", "frozen", "--seed", 1, "--measures", "cond", "--out"]
    assert ntknas(capsys, *command, out)[0] == 0
    found = (pd.read_parquet if ending == "parquet" else pd.read_csv)(out).set_index("cell")
    stored = load_store(digits / "frozen.h5")
    stored = stored[(stored["seed"] == 1) & (stored["measure"] == "cond")].set_index("cell")
    expected = stored["value"].loc[[representative(cell, "weights") for cell in covered()]]
    np.testing.assert_array_equal(found["value"].loc[list(covered())], expected.to_numpy().astype(np.float32))
    assert set(found["way"].astype(str)) == {"frozen"}
    assert ntknas(capsys, *command, out)[0] == 0  # over itself
    (tmp_path / "thesis.csv").write_text("mine\n")
    code, _, err = ntknas(capsys, *command, tmp_path / "thesis.csv")
    assert code == 1
    assert "is no table that ntknas exported" in err


def test_diff_of_two_versions_names_what_changed(capsys, digits, tmp_path):
    def change(table):
        columns = {name: values.copy() for name, values in table.columns.items()}
        moved = (columns["cell"] == NETWORKS[1]) & (columns["measure"] == table.names["measures"].index("cond"))
        columns["value"][moved] *= 1e6
        return replace(table, columns=columns)

    build_of(digits, change, SEEDS | {"frozen": 1}, "2.0.0").write(tmp_path / "release", tmp_path)
    first, second = f"published:{digits / 'release'}", f"published:{tmp_path / 'release'}"
    answer, err = shown(capsys, "diff", first, second)
    assert list(answer["ways"]) == list(POLICIES)
    alike = sum(representative(cell, "weights") == NETWORKS[1] for cell in covered())
    for held in answer["ways"].values():
        rows = {row["measure"]: row for row in held["rows"]}
        assert rows["trace"]["equal"] == rows["trace"]["n"]
        assert rows["cond"]["equal"] == rows["cond"]["n"] - alike
        assert representative(rows["cond"]["worst"][0]["cell"], "weights") == NETWORKS[1]
    assert "Seed 1 of frozen is in nb201 1.0.0 alone." in err
    code, out, _ = ntknas(capsys, "diff", first, first, "--way", "frozen")
    assert code == 0
    assert "way frozen" in out
    assert "recommended" not in out


def test_diff_of_a_release_and_a_store_takes_the_stores_ways(capsys, digits):
    release = f"published:{digits / 'release'}"
    for a, b in ((release, digits / "frozen.h5"), (digits / "frozen.h5", release)):
        answer, _ = shown(capsys, "diff", a, b)
        (way,) = answer["ways"]
        assert way == "frozen"
        assert all(row["equal"] == row["n"] > 0 for row in answer["ways"][way]["rows"])


def test_score_takes_what_is_published_and_says_so(capsys, digits, tmp_path):
    options = ["score", *kernel("frozen"), "--cells-file", digits / "cells.txt", "--seeds", 3]
    options += ["--store", tmp_path / "s.h5"]
    number = len(NETWORKS)
    code, _, err = ntknas(capsys, *options, "--published", digits / "release")
    assert code == 0
    assert f"Published scores nb201 1.0.0: {2 * number} of way frozen are taken, {number} are left to compute." in err
    stored = load_store(digits / "frozen.h5").set_index(["cell", "seed", "measure"])["value"].sort_index()
    found = load_store(tmp_path / "s.h5").set_index(["cell", "seed", "measure"])["value"].sort_index()
    np.testing.assert_array_equal(found[stored.index], stored.to_numpy().astype(np.float32))
    summary, err = shown(capsys, *options, "--published", digits / "release")
    assert (summary["kernels_published"], summary["kernels_computed"]) == (0, 0)


def test_score_asks_the_release_of_its_space_where_none_is_named(capsys, digits, tmp_path):
    options = [*kernel("frozen"), "--cells", "0:1", "--dry-run", "--store", tmp_path / "s.h5"]
    summary, _ = shown(capsys, "score", "--published", *options)
    assert summary["to_compute"] == 1
    summary, _ = shown(capsys, "score", "--published", digits / "release", *options)
    assert summary["to_compute"] == 0


def test_verify_computes_again_and_fails_on_a_mismatch(capsys, digits, tmp_path):
    command = ["published", "verify", "--cells", 2, "--image-data", tmp_path]
    code, out, _ = ntknas(capsys, *command, digits / "release", "--way", "all")
    assert code == 0
    assert out.count("Equal, to the last bit of float32.") == 2

    def change(table):
        return replace(table, columns={**table.columns, "value": table.columns["value"] * 1.5})

    build_of(digits, change, version="2.0.0").write(tmp_path / "release", tmp_path)
    code, out, _ = ntknas(capsys, *command, tmp_path / "release")
    assert code == 1
    assert "MISMATCH trace: half of the networks differ by more than 1%" in out
    code, out, _ = ntknas(capsys, *command, tmp_path / "release", "--json")
    assert code == 1
    (check,) = json.loads(out)["checks"]
    code, _, err = ntknas(capsys, *command, digits / "release", "--spectra", tmp_path)
    assert code == 0, err  # these ways have none
    assert (check["way"], check["right"], len(check["cells"])) == ("recommended", False, 2)


def test_no_network_needs_no_torch(digits, tmp_path):
    release = f"published:{digits / 'release'}"
    commands = [
        ["correlate", release, "--resamples", "200"],
        ["diff", release, release],
        ["diff", release, digits / "frozen.h5"],
        ["published", "--help"],
        ["published", "list"],
        ["published", "info", digits / "release"],
        ["published", "export", digits / "release", "--out", tmp_path / "x.parquet"],
        ["published", "verify", "--help"],
    ]
    for command, (code, out, err) in zip(commands, without(["torch"], commands, tmp_path), strict=True):
        assert code == 0, (command, err)
        assert out, command
    errors = [["correlate", "published:nb202"], ["diff", "published:nb202", release]]
    for code, _, err in without(["torch", "pandas", "pyarrow"], errors, tmp_path):
        assert code == 1
        assert "Unknown release 'nb202'" in err


def test_a_way_that_is_near_is_said(capsys, digits, tmp_path):
    command = ["score", *kernel("frozen"), "--cells", "0:1", "--store", tmp_path / "s.h5", "--probe-seed", 1]
    code, _, err = ntknas(capsys, *command, "--published", digits / "release")
    assert code == 0
    assert "Published scores nb201 1.0.0: none of these kernels is in them." in err
    assert "The way frozen is near, but not the same, and its scores are not taken:" in err
    assert "probe_seed 0 there and 1 here" in err
    with ScoringDisplay() as display:
        display(OtherSetting("frozen", {"probe_hash": ("a" * 64, "b" * 64)}))
    assert f"the hash of its probe is {'a' * 64}, and {'b' * 64} here" in capsys.readouterr().err
