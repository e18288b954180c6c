"""Published scores computed again: equal here, and a mismatch where one is changed, of other images or another code."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ntknas
from ntknas.core.errors import ChoiceError, DataError
from ntknas.published import Release
from ntknas.published.build import build, scores_of
from ntknas.scoring.published_check import LARGEST, MEDIAN, MeasureCheck, check_measure
from ntknas.scoring.recomputation import Recomputation, networks_of
from tests.published.releases import BASELINES, KERNEL, PROBE, SPACE, covered, recipe, scored, source, sources

NOWHERE = Path("no images are needed")


def altered(stores, folder, name="frozen", change=lambda columns: None, fields=None):
    """A release of one way, after a change of its scores or of the fields of its settings."""
    source = next(source for source in sources(stores) if source.name == name)
    columns = {column: values.copy() for column, values in source.table.columns.items()}
    change(columns)
    names = dict(source.table.names)
    if fields:
        names["settings"] = [json.dumps(json.loads(text) | fields, sort_keys=True) for text in names["settings"]]
    table = replace(source.table, columns=columns, names=names)
    build(SPACE, [replace(source, table=table)], "1.0.0", cells=covered()).write(folder / "release", folder)
    return Release.open(folder / "release")


@pytest.mark.parametrize(
    ("way", "seed", "measures"), [("frozen", 1, KERNEL), ("vilhess", 0, KERNEL), ("baselines", 0, BASELINES)]
)
def test_what_is_computed_again_is_equal(release, way, seed, measures):
    check = Recomputation.of(release, way, seed, NOWHERE, "3", 1).run()
    assert check.is_right
    assert check.differing == {}
    assert {measure.measure: (measure.networks, measure.equal) for measure in check.measures} == dict.fromkeys(
        measures, (3, 3)
    )


def test_measures_of_layers_are_computed_again(tmp_path):
    measures = ("trace", "layers_mean_entropy")
    what = recipe(*measures, output="features", batch_norm="per-sample", parameters="weights")
    ntknas.score(SPACE, scored("weights"), recipe=what, probe=PROBE, store=tmp_path / "layers.h5")
    table = scores_of([tmp_path / "layers.h5"])
    built = build(SPACE, [source("layers", "weights", (0,), measures, table)], "1.0.0", cells=covered())
    built.write(tmp_path / "release", tmp_path)
    check = Recomputation.of(Release.open(tmp_path / "release"), "layers", 0, NOWHERE, "3", 1).run()
    assert {measure.measure: (measure.networks, measure.equal) for measure in check.measures} == dict.fromkeys(
        measures, (3, 3)
    )


@pytest.mark.parametrize("way", ["frozen", "vilhess"])
def test_spectra_are_compared_where_they_are(release, written, way):
    check = Recomputation.of(release, way, 0, NOWHERE, "all", spectra=written / "spectra").run()
    (spectrum,) = [measure for measure in check.measures if measure.measure == "spectrum"]
    assert (spectrum.equal, spectrum.largest, spectrum.fault) == (spectrum.networks, 0.0, "")
    assert spectrum.networks == len(networks_of(release, way, 0, "all"))
    without = Recomputation.of(release, "baselines", 0, NOWHERE, "1", spectra=written / "spectra")
    assert without.spectra is None


def test_a_changed_or_missing_spectrum_is_a_mismatch(release, written):
    prepared = Recomputation.of(release, "frozen", 0, NOWHERE, "0:2", spectra=written / "spectra")
    changed, absent = prepared.spectra.copy(), prepared.spectra.copy()
    changed.loc[1, 8] += changed.loc[1, 1]
    absent.loc[0] = np.nan
    faults = [
        replace(prepared, spectra=spectra).run().measures[-1].fault for spectra in (prepared.spectra, changed, absent)
    ]
    assert faults == [
        "",
        "half of the networks differ by more than 1%",
        "cell 0 is absent in the release and there here",
    ]


def test_a_changed_score_and_a_changed_status_are_mismatches(stores, tmp_path):
    def change(columns):
        at = {cell: (columns["cell"] == cell) & (columns["seed"] == 0) for cell in (5, 24)}
        columns["value"][at[5] & (columns["measure"] == 0)] *= 3
        columns["value"][at[24] & (columns["measure"] == 1)] = np.nan
        columns["status"][at[24] & (columns["measure"] == 1)] = 1

    release = altered(stores, tmp_path, change=change)
    names = sources(stores)[0].table.names
    check = Recomputation.of(release, "frozen", 0, NOWHERE, "all").run()
    faults = {measure.measure: measure.fault for measure in check.measures if measure.fault}
    assert faults == {
        names["measures"][0]: f"cell 5 differs by more than {LARGEST:.0%}",
        names["measures"][1]: f"cell 24 is {names['statuses'][1]} in the release and ok here",
    }
    assert not check.is_right


def test_scores_of_another_seed_are_a_mismatch(stores, tmp_path):
    def change(columns):
        columns["seed"] = 1 - columns["seed"]

    release = altered(stores, tmp_path, change=change)
    check = Recomputation.of(release, "frozen", 0, NOWHERE, "5").run()
    assert all(measure.fault == f"half of the networks differ by more than {MEDIAN:.0%}" for measure in check.measures)


def test_other_images_are_refused_with_both_hashes(stores, tmp_path):
    release = altered(stores, tmp_path, fields={"probe_hash": "0" * 64})
    with pytest.raises(DataError, match=f"{'0' * 64} is published, {PROBE.hash} is drawn here"):
        Recomputation.of(release, "frozen", 0, NOWHERE, "1")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"algorithm_version": 99}, "algorithm_version 99 there and 1 here"),
        ({"new_choice": "x"}, "new_choice x there and nothing here"),
        ({"epoch": 3}, "trained networks"),
        ({"probe_source": "elsewhere"}, "Unknown image source 'elsewhere'"),
    ],
)
def test_settings_that_this_version_does_not_compute_are_refused(stores, tmp_path, fields, message):
    release = altered(stores, tmp_path, fields=fields)
    with pytest.raises((DataError, ChoiceError), match=message):
        Recomputation.of(release, "frozen", 0, NOWHERE, "1")


def test_networks_are_drawn_of_those_that_are_scored(release):
    assert networks_of(release, "frozen", 0, "all") == scored("weights")
    assert networks_of(release, "vilhess", 0, "all") == scored("all")
    drawn = networks_of(release, "frozen", 0, "4", 7)
    assert drawn == networks_of(release, "frozen", 0, "4", 7) != networks_of(release, "frozen", 0, "4", 8)
    assert set(drawn) < set(networks_of(release, "frozen", 0, "5", 7))
    assert networks_of(release, "frozen", 0, "0:2") == [0, 1]


@pytest.mark.parametrize(
    ("way", "seed", "cells", "message"),
    [
        ("froze", 0, "3", "Unknown way of nb201 1.0.0 'froze'"),
        ("frozen", 7, "3", "has no seed 7: expected one of 0, 1"),
        ("frozen", 0, "99", "a number from 1 to 8, the networks of frozen"),
        ("frozen", 0, "0", "a number from 1 to 8"),
        ("frozen", 0, "0:20000", "within 0:15625"),
        ("frozen", 0, "0:4", "The cell 2 is outside"),
        ("frozen", 0, "some", "`cells` must be"),
        ("baselines", 0, "4980:4981", "The way baselines has no score of the cell 4980"),
    ],
)
def test_what_is_not_in_the_release_is_refused(release, way, seed, cells, message):
    with pytest.raises(ChoiceError, match=message):
        networks_of(release, way, seed, cells)


@pytest.mark.parametrize(
    ("median", "largest", "fault"),
    [
        (None, None, ""),
        (MEDIAN * 0.9, LARGEST * 0.9, ""),
        (MEDIAN * 1.1, MEDIAN * 1.1, "half of the networks differ by more than"),
        (0.0, LARGEST * 1.1, "cell 5 differs by more than"),
    ],
)
def test_what_is_more_than_rounding(median, largest, fault):
    check = MeasureCheck("cond", 20, 3, median, largest, 5, 1.0, {})
    assert check.fault.startswith(fault) if fault else not check.fault


def test_few_networks_may_be_singular_on_one_side_alone():
    """Where λ_n lies at the threshold rounding decides; of many networks it does not."""
    few, many = (
        MeasureCheck("cond", 20, 10, 0.0, 0.0, 5, 1.0, dict.fromkeys(range(number), ("ok", "singular")))
        for number in (2, 3)
    )
    assert not few.fault
    assert many.fault == "cell 0 is ok in the release and singular here"
    assert replace(few, other_status={7: ("disconnected", "ok")}).fault


def test_the_smallest_eigenvalue_of_a_singular_kernel_is_not_compared():
    index = pd.MultiIndex.from_product([["lambda_min", "cond"], [1, 2]], names=["measure", "cell"])
    values = {"value_there": [1e-17, 2.0, np.nan, 5.0], "value_here": [-3e-17, 2.0, np.nan, 5.0]}
    status = ["ok", "ok", "singular", "ok"]
    pairs = pd.DataFrame({**values, "status_there": status, "status_here": status}, index=index)
    check = check_measure("lambda_min", pairs)
    assert (check.rounding_alone, check.largest, check.fault) == (1, 0.0, "")
