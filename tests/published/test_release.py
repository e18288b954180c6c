"""Scores of a release are those of the stores that it was built of, cell by cell, in the form of a store's frame."""

import numpy as np
import pandas as pd
import pytest

import ntknas
from ntknas.core.errors import ChoiceError
from ntknas.published import is_published, load_scores, read_scores
from ntknas.store.frame import settings_of
from ntknas.store.requests import unmeasured
from tests.published.releases import BASELINES, KERNEL, SPACE, SPECTRUM, UNITS, covered, representative

KEY = ["seed", "measure", "cell"]
TEXTS = ["setting", "run", "status", "reason", "recipe"]


def expected(stores, way, measures):
    """The scores of a way's store, each network's at all cells that are it, joined by pandas."""
    stored = ntknas.load_store(stores / f"{way}.h5")
    stored = stored[stored["measure"].isin(measures)].assign(network=stored["cell"]).drop(columns="cell")
    cells = pd.DataFrame({"cell": covered(), "network": [representative(cell, UNITS[way]) for cell in covered()]})
    joined = cells.merge(stored, on="network").drop(columns="network")
    return ordered(joined)


def ordered(frame):
    """Rows by seed, name of the measure, and cell."""
    return frame.astype({"measure": str}).sort_values(KEY).reset_index(drop=True)


@pytest.mark.parametrize(("way", "measures"), [("frozen", KERNEL), ("vilhess", KERNEL), ("baselines", BASELINES)])
def test_scores_of_cells_are_those_of_their_networks(stores, release, way, measures):
    found, wanted = ordered(release.frame([way])), expected(stores, way, measures)
    pd.testing.assert_frame_equal(found[KEY], wanted[KEY], check_dtype=False)
    for column in TEXTS:
        assert found[column].astype(str).tolist() == wanted[column].astype(str).tolist(), column
    for column in ("value", "seconds"):
        np.testing.assert_array_equal(found[column].to_numpy(), wanted[column].to_numpy().astype(np.float32))


def test_units_differ_in_which_cells_share_a_score(release):
    cells = {way: release.frame([way], [0], ["trace"])["value"].nunique() for way in ("frozen", "vilhess")}
    networks = {unit: len({representative(cell, unit) for cell in covered()}) for unit in ("weights", "all")}
    assert cells["frozen"] <= networks["weights"] - 1  # one is disconnected, and has no value
    assert networks["weights"] < networks["all"]
    assert cells["vilhess"] > cells["frozen"]
    scored = set(release.frame(["baselines"])["cell"])
    assert scored == {representative(cell, "weights") for cell in covered()} & set(covered())


def test_the_frame_has_the_form_of_a_store(stores, release):
    stored, published = ntknas.load_store(stores / "frozen.h5"), release.frame(["frozen"])
    assert list(published) == list(stored)
    assert [kind.name for kind in published.dtypes] == [kind.name for kind in stored.dtypes]
    assert published.attrs["settings"] == stored.attrs["settings"]
    assert settings_of(published).keys() == stored.attrs["settings"].keys()
    assert not published.attrs["left_out"]
    (run,) = published.attrs["runs"].values()
    (known,) = stored.attrs["runs"].values()
    assert run == {name: value for name, value in known.items() if name not in ("request", "sequence")}
    assert unmeasured(published) == []


def test_ways_stand_beside_one_another(release):
    both = release.frame()
    alone = [release.frame([way]) for way in release.ways]
    assert len(both) == sum(map(len, alone))
    assert set(both["setting"]) == {digest for way in release.ways.values() for digest in way.settings}
    assert both.groupby(["setting", *KEY], observed=True).size().max() == 1


def test_parts_of_a_release(release):
    whole = release.frame()
    cells = covered()[3:6]
    part = release.frame(["vilhess", "frozen"], [0], ["trace", "lga"], cells)
    wanted = whole[(whole["seed"] == 0) & whole["measure"].isin(["trace", "lga"]) & whole["cell"].isin(cells)]
    assert len(part) == len(wanted) == 2 * 2 * 3
    assert sorted(part["value"].dropna()) == sorted(wanted["value"].dropna())
    assert len(release.frame("vilhess", [0], "trace", cells)) == 3
    assert set(release.frame(measures=["synflow"])["measure"]) == {"synflow"}
    assert set(release.frame(seeds=[1])["setting"]) == set(release.ways["frozen"].settings)


def test_a_wide_table_of_one_way(written, release):
    table = load_scores(written / "release", way="frozen", seed=1)
    long = release.frame(["frozen"], [1])
    wanted = ordered(long).pivot(index="cell", columns="measure", values="value")
    pd.testing.assert_frame_equal(table, wanted, check_names=False, check_index_type=False)
    assert table.index.name == "cell"
    said = {name: table.attrs[name] for name in ("release", "version", "way", "seed")}
    assert said == {"release": "nb201", "version": "1.0.0", "way": "frozen", "seed": 1}
    counts = long[long["measure"] == "cond"]["status"].value_counts()
    assert table.attrs["statuses"]["cond"] == {name: count for name, count in counts.items() if count}
    assert set(table.attrs["statuses"]["cond"]) == {"ok", "disconnected"}
    assert table.attrs["settings"][table.attrs["setting"]["cond"]]["output"] == "sum"
    assert list(load_scores(written / "release", "baselines", measures=["synflow"])) == ["synflow"]
    assert list(load_scores(written / "release", "baselines", measures="synflow")) == ["synflow"]
    assert load_scores(written / "release", "frozen", measures=[]).empty


def test_spectra_are_the_stored_eigenvalues(stores, written, release):
    for way, seed in (("frozen", 1), ("vilhess", 0)):
        wanted = expected(stores, way, SPECTRUM).query("seed == @seed")
        wanted = wanted.pivot(index="cell", columns="measure")["value"]
        found = release.spectra(way, seed, written / "spectra")
        assert found.index.tolist() == wanted.index.tolist() == list(covered())
        assert (found.dtypes == np.float32).all()
        np.testing.assert_array_equal(found.to_numpy(), wanted[list(SPECTRUM)].to_numpy().astype(np.float32))
        traces = release.frame([way], [seed], ["trace"]).set_index("cell")["value"]
        np.testing.assert_allclose(found.sum(axis=1, min_count=1), traces[found.index], rtol=1e-5)


def test_counts_and_networks_are_those_of_the_space(release):
    counts = release.cells.counts
    assert counts.index.tolist() == list(covered())
    for cell in covered():
        wanted = {"parameters": SPACE.parameters(cell), "flops": SPACE.flops(cell), **SPACE.structure(cell)._asdict()}
        assert counts.loc[cell].to_dict() == wanted
    networks = release.networks
    members = pd.Series([representative(cell, "weights") for cell in covered()]).value_counts()
    assert networks["cells"].dropna().to_dict() == members.to_dict()
    assert networks["cells_all"].sum() == len(covered())
    assert {SPACE.index(text) for text in networks["architecture"]} == set(networks.index)
    assert networks.index[networks["disconnected"]].tolist() == [
        cell for cell in networks.index if SPACE.is_disconnected(cell)
    ]


def test_a_source_is_a_store_or_a_release(stores, written):
    folder = written / "release"
    assert is_published(f"published:{folder}")
    assert not is_published(f"./published:{folder}")
    pd.testing.assert_frame_equal(read_scores(stores / "frozen.h5"), ntknas.load_store(stores / "frozen.h5"))
    assert read_scores(f"published:{folder}").attrs["published"] == "nb201 1.0.0"


NAMED = {
    "Unknown way of nb201 1.0.0 'frosen': expected one of frozen, vilhess, baselines. Did you mean 'frozen'?": {
        "ways": ["frosen"]
    },
    "The way vilhess has no seed 1: expected one of 0 (open: 1).": {"ways": ["vilhess"], "seeds": [1]},
    "The way frozen has no seed 7: expected one of 0, 1.": {"ways": ["frozen"], "seeds": [0, 7]},
    "nb201 1.0.0 has no seed 3: expected one of 0, 1.": {"seeds": [3]},
    "Unknown measure of baselines 'cond': expected one of naswot, synflow.": {
        "ways": ["baselines"],
        "measures": ["cond"],
    },
    "The cell 15624 is outside: the release has": {"cells": [0, 15624]},
    "`cells` are indices of cells": {"cells": [0.5]},
}


@pytest.mark.parametrize("message", NAMED)
def test_what_is_not_there_is_said_with_what_is(release, message):
    with pytest.raises(ChoiceError) as error:
        release.frame(**NAMED[message])
    assert message in str(error.value)


def test_baselines_have_no_spectra(release):
    with pytest.raises(ChoiceError, match="The way baselines has no spectra"):
        release.spectra("baselines")
