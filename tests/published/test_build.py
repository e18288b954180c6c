"""A release is built of what is finished, the same each time; its version comes after another as its numbers allow."""

import json
import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from ntknas.core.errors import ChoiceError, DataError
from ntknas.core.score import Score, Status
from ntknas.published import Release
from ntknas.published.build import build, scores_of
from ntknas.published.writing import in_float32
from ntknas.store import ScoreRecord, ScoreStore, Setting
from ntknas.store.table import Table
from tests.published.releases import BASELINES, KERNEL, SPACE, SPECTRUM, built, covered, scored, source, sources

FIELDS = {"space": "nb201", "dataset": "cifar10", "output": "network"}


def made(path, values, info=(), fields=(), seconds=2.0, seeds=(0,)):
    """The scores of a store made by hand: a function from (cell, seed, measure) to a value or a status."""
    with ScoreStore.open(path) as store:
        setting, run = store.add_setting(Setting.from_fields({**FIELDS, **dict(fields)})), store.add_run(dict(info))
        for seed in seeds:
            for cell in scored("weights"):
                answers = {name: values(cell, seed, name) for name in BASELINES}
                scores = {name: _score(name, answer) for name, answer in answers.items()}
                store.append(ScoreRecord(setting, run, cell, seed, seconds, scores))
        store.compact()
    return scores_of([path])


def _score(name, answer):
    return Score(name, None, answer, "so it is") if isinstance(answer, Status) else Score(name, answer)


def plain(cell, seed, name):
    """A value that says which it is."""
    return cell + 0.5 * seed + len(name)


def of(table, seeds=(0,), **more):
    """One way of baselines."""
    return source("baselines", "weights", seeds, BASELINES, table, **more)


small = partial(build, SPACE, cells=covered())


def opened(release, folder):
    """The release, written and opened."""
    release.write(folder / "release", folder / "spectra")
    return Release.open(folder / "release")


def test_the_same_stores_give_the_same_bytes(stores, written):
    again = built(stores)
    assert {path.name: path.read_bytes() for path in (written / "release").iterdir()} == {
        **again.files,
        "manifest.json": again.manifest.text.encode(),
    }
    assert {path.name: path.read_bytes() for path in (written / "spectra").iterdir()} == again.spectra


def test_what_is_missing_is_open_with_its_cost(release, stores, tmp_path):
    (still,) = release.open_ways
    assert (still.name, still.seeds) == ("vilhess", (1,))
    assert still.missing == f"seed 1 lacks {len(scored('all'))} of {len(scored('all'))} networks"
    assert still.core_hours == pytest.approx(release.ways["vilhess"].core_hours, rel=0.01)  # as many kernels as seed 0
    nothing = source("coupled", "weights", (0, 1), KERNEL, Table.empty(), core_hours=40.0)
    (unknown, guessed) = (replace(nothing, core_hours=None), nothing)
    found = opened(small([unknown, guessed], "1.0.0"), tmp_path)
    assert [way.core_hours for way in found.open_ways] == [None, 40.0]
    every = len(scored("weights"))
    assert found.open_ways[0].missing == f"seeds 0, 1 lack {every} of {every} networks"
    assert not found.ways
    with pytest.raises(ChoiceError, match="has counts of its cells and no scores yet"):
        found.frame(["coupled"])


@pytest.mark.parametrize("status", [Status.OOM, Status.ERROR, Status.TIMEOUT, Status.CRASHED])
def test_a_failure_is_missing_and_another_status_is_a_result(tmp_path, status):
    for number, answer in enumerate((status, Status.SINGULAR)):

        def at_one(*key, answer=answer):
            return answer if key == (scored("weights")[2], 0, "naswot") else plain(*key)

        folder = tmp_path / str(number)
        folder.mkdir()
        release = opened(small([of(made(folder / "a.h5", at_one))], "1.0.0"), folder)
        if status is answer:
            assert release.open_ways[0].missing == f"seed 0 lacks 1 of {len(scored('weights'))} networks"
        else:
            frame = release.frame(measures=["naswot"])
            reasons = frame.loc[frame["status"] == "singular", "reason"].unique().tolist()
            assert (reasons, release.open_ways) == (["so it is"], ())


def test_hours_count_each_kernel_once_and_every_thread(tmp_path):
    table = made(tmp_path / "a.h5", plain, {"threads": 2}, seeds=(0, 1))
    way = opened(small([of(table, (0, 1))], "1.0.0"), tmp_path).ways["baselines"]
    assert way.hours == pytest.approx(dict.fromkeys((0, 1), len(scored("weights")) * 2.0 * 2 / 3600), abs=1e-6)


def test_measures_with_seconds_of_their_own_count_apart(tmp_path):
    with ScoreStore.open(tmp_path / "a.h5") as store:
        setting, run = store.add_setting(Setting.from_fields(FIELDS)), store.add_run({"threads": 3})
        for cell in scored("weights"):
            for seconds, name in enumerate(BASELINES, start=1):
                store.append(ScoreRecord(setting, run, cell, 0, float(seconds), {name: Score(name, 1.0)}))
    way = opened(small([of(scores_of([tmp_path / "a.h5"]))], "1.0.0"), tmp_path).ways["baselines"]
    assert way.core_hours == pytest.approx(len(scored("weights")) * (1.0 + 2.0) * 3 / 3600, abs=1e-6)


def test_an_environment_names_no_place_of_a_machine(tmp_path):
    info = {
        "cells_file": "/home/somebody/runs/cells.txt",
        "command": "ntknas score --image-data ~/images --store=/data/x/a.h5 --kernel-of mixed:0.5 1/255",
        "strategy": {"folders": ["/tmp/work/"]},
        "recipe": "mine",
        "image_folder": "runs/of/mine",
        "source": "file:///home/somebody/x.csv",
        "device": "ray (2/4 nodes)",
    }
    release = opened(small([of(made(tmp_path / "a.h5", plain, info))], "1.0.0"), tmp_path)
    text = (tmp_path / "release" / "environment.json").read_text()
    assert not re.search(r"/(home|data|tmp|somebody)\b", text)
    (run,) = release.environment.runs.values()
    assert run.info["cells_file"] == "cells.txt"
    assert run.info["command"] == "ntknas score --image-data images --store=a.h5 --kernel-of mixed:0.5 1/255"
    assert (run.info["image_folder"], run.info["source"]) == ("mine", "file:x.csv")
    assert run.info["device"] == info["device"]
    assert set(run.info) == set(info)
    assert release.ways["baselines"].recipe == "mine"


def test_a_measure_under_two_settings_is_refused(tmp_path):
    made(tmp_path / "a.h5", plain)
    made(tmp_path / "a.h5", plain, fields={"probe_hash": "f" * 64})
    with pytest.raises(DataError, match="has naswot under two settings, which differ in probe_hash"):
        small([of(scores_of([tmp_path / "a.h5"]))], "1.0.0")


def test_two_ways_of_one_setting_are_refused(tmp_path):
    way = of(made(tmp_path / "a.h5", plain))
    with pytest.raises(DataError, match="The ways baselines and others both have naswot under the setting .*, seed 0"):
        small([way, replace(way, name="others")], "1.0.0")


def test_stores_of_several_machines_are_one_way(stores, tmp_path, written):
    whole = ScoreStore.read(stores / "frozen.h5").table()
    parts = []
    for number in range(2):
        parts.append(tmp_path / f"{number}.h5")
        with ScoreStore.open(parts[-1]) as store:
            store.replace(whole.rows(whole.columns["cell"] % 2 == number))
    way = source("frozen", "weights", (0, 1), (*KERNEL, *SPECTRUM), scores_of(parts))
    found = opened(small([way], "1.0.0"), tmp_path).frame()
    wanted = Release.open(written / "release").frame(["frozen"])
    assert found[["cell", "seed", "value"]].equals(wanted[["cell", "seed", "value"]])


def test_numbers_beyond_float32_are_kept_in_float64(tmp_path):
    sizes = [1e300, -1e300, 1e-300, 3.4e38, 3.5e38, 1e-38, 0.0, 1.1]
    cells = scored("weights")

    def value(cell, seed, name):
        return sizes[cells.index(cell) % len(sizes)]

    release = opened(small([of(made(tmp_path / "a.h5", value))], "1.0.0"), tmp_path)
    found = release.frame(measures=["synflow"], cells=cells).set_index("cell")["value"]
    wanted = np.array([value(cell, 0, "synflow") for cell in cells])
    np.testing.assert_allclose(found[cells], wanted, rtol=2**-24, atol=0)
    single, wide = in_float32(np.array(sizes))
    assert (
        np.isnan(single).tolist() == (~np.isnan(wide)).tolist() == [True, True, True, False, True, True, False, False]
    )


@pytest.mark.parametrize("version", ["1", "1.0", "01.0.0", "1.0.0-rc1", "", "1.0.0\n"])
def test_versions_are_three_numbers(version):
    with pytest.raises(DataError, match="The `version` of a release cannot be used"):
        small([], version)


def test_what_stores_lack_is_taken_over_from_an_earlier_version(stores, written, tmp_path, release):
    frozen, vilhess, _ = sources(stores)
    alone = replace(frozen, seeds=(1,))
    nothing = replace(vilhess, table=Table.empty())
    next_one = small([alone, nothing], "1.1.0", earlier=release, earlier_spectra=written / "spectra")
    found = opened(next_one, tmp_path)
    assert {name: way.seeds for name, way in found.ways.items()} == {
        "frozen": (0, 1),
        "vilhess": (0,),
        "baselines": (0,),
    }
    key = ["setting", "cell", "seed", "measure", "run", "value", "status", "reason", "seconds"]
    same = [frame[key].astype(str).sort_values(key).to_numpy().tolist() for frame in (found.frame(), release.frame())]
    assert same[0] == same[1]
    assert [(way.name, way.seeds) for way in found.open_ways] == [("vilhess", (1,))]
    spectra = [
        of.spectra("frozen", 0, folder)
        for of, folder in ((found, tmp_path / "spectra"), (release, written / "spectra"))
    ]
    assert spectra[0].equals(spectra[1])
    assert found.ways["frozen"].hours == release.ways["frozen"].hours


def test_seeds_that_were_measured_otherwise_are_not_joined(tmp_path):
    old = opened(small([of(made(tmp_path / "a.h5", plain, seeds=(0, 1)), (0, 1))], "1.0.0"), tmp_path)
    new = of(made(tmp_path / "b.h5", plain, fields={"channels": 4}))
    with pytest.raises(DataError, match="Seeds 1 of the way baselines are in the earlier version alone, with other"):
        small([new], "2.0.0", earlier=old)


def test_an_earlier_version_of_other_cells_is_none(release):
    with pytest.raises(DataError, match="The earlier version 1.0.0 in .* covers other cells than these"):
        build(SPACE, [], "1.1.0", cells=covered()[1:], earlier=release)


CHANGED = {
    "a value": (lambda *key: plain(*key) + (1e-3 if key == (scored("weights")[1], 0, "naswot") else 0), 1),
    "a status": (lambda *key: Status.SINGULAR if key[2] == "naswot" else plain(*key), len(scored("weights"))),
}


@pytest.mark.parametrize("kind", CHANGED)
def test_what_changes_a_number_is_a_major_version(tmp_path, kind):
    values, count = CHANGED[kind]
    old = opened(small([of(made(tmp_path / "a.h5", plain))], "1.2.0"), tmp_path)
    new = of(made(tmp_path / "b.h5", values))
    with pytest.raises(DataError) as error:
        small([new], "1.3.0", earlier=old)
    said = f"(baselines, seed 0: {count} numbers changed or are gone): expected at least 2.0.0."
    assert str(error.value).endswith(said)
    assert small([new], "2.0.0", earlier=old).manifest.version == "2.0.0"


def test_what_changes_none_is_any_later_version(tmp_path):
    table = made(tmp_path / "a.h5", lambda *key: plain(*key) + 1e-9)
    old = opened(small([of(made(tmp_path / "b.h5", plain))], "1.2.0"), tmp_path)
    assert small([of(table)], "1.2.1", earlier=old).manifest.version == "1.2.1"  # equal once rounded to float32
    for version in ("1.2.0", "1.1.9", "0.9.0"):
        with pytest.raises(DataError, match="does not come after 1.2.0"):
            small([of(table)], version, earlier=old)


def test_a_folder_of_something_else_is_left_alone(stores, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match="holds other things than a release: name a new folder"):
        built(stores).write(tmp_path, tmp_path / "spectra")
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(DataError, match="manifest.json is no manifest of published scores"):
        built(stores).write(tmp_path, tmp_path / "spectra")
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "manifest.json"}


def test_a_release_takes_the_place_of_another(stores, tmp_path):
    for version in ("1.0.0", "1.0.1"):
        built(stores, version).write(tmp_path / "release", tmp_path / "spectra")
        assert Release.open(tmp_path / "release").version == version


def test_a_folder_that_cannot_be_written_is_named(stores, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="Cannot write into .*file"):
        built(stores).write(tmp_path / "file", tmp_path / "spectra")


def test_the_manifest_lists_every_file(written):
    manifest = json.loads((written / "release" / "manifest.json").read_text())
    assert set(manifest["files"]) | {"manifest.json"} == {path.name for path in (written / "release").iterdir()}
    assert set(manifest["spectra"]) == {path.name for path in (written / "spectra").iterdir()}
    assert (manifest["name"], manifest["licence"], manifest["complete"]) == ("nb201", "CC-BY-4.0", False)
