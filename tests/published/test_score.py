"""``ntknas.score`` with published scores: what they have is not computed, and says where it is from."""

from dataclasses import replace

import numpy as np
import pytest

import ntknas
from ntknas.published import Release
from ntknas.scoring.events import OtherSetting, PublishedTaken
from tests.published.releases import KERNEL, PROBE, SPACE, covered, recipe, representative

FROZEN = recipe(*KERNEL, output="sum", parameters="weights")
CELLS = covered()[:20]


def score(store, what=FROZEN, cells=CELLS, **options):
    """Score into a store; returns the result, and the events that tell of published scores."""
    events = []
    options = {"probe": PROBE, "on_event": events.append, **options}
    result = ntknas.score(SPACE, cells, recipe=what, store=store, **options)
    return result, [event for event in events if isinstance(event, PublishedTaken | OtherSetting)]


def test_what_is_published_is_taken_and_the_rest_is_computed(stores, written, tmp_path):
    result, events = score(tmp_path / "s.h5", seeds=3, published=written / "release")
    networks = {representative(cell, "weights") for cell in CELLS}
    assert events == [PublishedTaken("nb201 1.0.0", {"frozen": 2 * len(CELLS)}, len(CELLS))]
    summary = result.summary
    assert (summary.kernels_published, summary.kernels_computed) == (2 * len(CELLS), len(networks))
    assert sum(summary.statuses.values()) == len(result.frame) == 3 * len(CELLS) * len(KERNEL)

    stored = ntknas.load_store(stores / "frozen.h5").set_index(["cell", "seed", "measure"])["value"]
    taken = result.frame[result.frame["seed"] < 2]
    networks = taken["cell"].map(lambda cell: representative(cell, "weights"))
    keys = list(zip(networks, taken["seed"], taken["measure"], strict=True))
    np.testing.assert_array_equal(taken["value"], stored[keys].to_numpy().astype(np.float32))

    again, nothing_is_missing = score(tmp_path / "s.h5", seeds=3, published=written / "release")
    assert nothing_is_missing == []
    assert again.summary.kernels_stored_before == 3 * len(CELLS)


def test_taken_scores_have_a_run_of_their_own_that_says_the_release(stores, written, tmp_path):
    path = tmp_path / "s.h5"
    score(path, cells=CELLS[:2], seeds=2, published=written / "release")
    frame = score(path, cells=CELLS[:4], seeds=3, published=written / "release")[0].frame
    runs = ntknas.load_store(path).attrs["runs"]
    of_seed = {seed: set(rows["run"]) for seed, rows in frame.groupby("seed")}
    assert len(of_seed[0] | of_seed[1]) == len(of_seed[2]) == 1  # one run, however often it is taken from
    (taken,), (computed,) = of_seed[0], of_seed[2]
    (origin,) = ntknas.load_store(stores / "frozen.h5").attrs["runs"]
    named = ("published", "way", "published_run", "recipe", "torch")
    versions = runs[computed]["torch"]
    assert [runs[taken].get(name) for name in named] == ["nb201 1.0.0", "frozen", origin, "tiny", versions]
    assert "published" not in runs[computed]


def test_without_asking_nothing_is_taken(tmp_path):
    result, events = score(tmp_path / "s.h5", cells=CELLS[:1])
    assert (events, result.summary.kernels_published, result.summary.kernels_computed) == ([], 0, 1)


def test_a_kernel_is_taken_whole_or_not_at_all(written, tmp_path):
    what = recipe("trace", "fro", output="sum", parameters="weights")
    result, (event,) = score(tmp_path / "s.h5", what, CELLS[:1], published=written / "release")
    assert event == PublishedTaken("nb201 1.0.0", {}, 1, {"frozen": ("fro",)})
    assert result.summary.kernels_computed == 1


def test_scores_by_cell_are_those_of_the_cells_that_were_scored(written, tmp_path):
    cells = [0, 4980]
    assert representative(4980, "weights") == 0
    result, (event,) = score(tmp_path / "s.h5", recipe("naswot"), cells, published=written / "release")
    assert (event.kernels, event.left) == ({"baselines": 1}, 1)
    assert result.summary.statuses == {"ok": 2}


def test_other_images_are_said_with_both_hashes(written, tmp_path):
    other = replace(PROBE, images=PROBE.images + 0.5)
    _, events = score(tmp_path / "s.h5", cells=CELLS[:1], probe=other, published=written / "release")
    fields = {"probe_hash": (PROBE.hash, other.hash)}
    assert events == [PublishedTaken("nb201 1.0.0", {}, 1), OtherSetting("frozen", fields)]
    assert events[1].is_of_images_alone


def test_a_way_that_is_near_is_said_with_what_differs(written, tmp_path):
    seeded = replace(PROBE, seed=7, draw="random")
    _, events = score(tmp_path / "s.h5", cells=CELLS[:1], probe=seeded, published=written / "release")
    fields = {"probe_draw": ("balanced", "random"), "probe_seed": (0, 7)}
    assert events[1:] == [OtherSetting("frozen", fields)]
    far = recipe("trace", output="traced", batch_norm="coupled", parameters="weights-no-head", normalisation="cosine")
    far = replace(far, network=replace(far.network, channels=1))
    _, events = score(tmp_path / "s.h5", far, CELLS[:1], published=written / "release")
    assert events == [PublishedTaken("nb201 1.0.0", {}, 1)]


def test_beside_a_kernel_that_is_published_others_are_computed_without_a_word(written, tmp_path):
    what = recipe("trace", "class_lambda_min", output="sum", parameters="weights")
    _, events = score(tmp_path / "s.h5", what, CELLS[:1], published=written / "release")
    assert events == [PublishedTaken("nb201 1.0.0", {"frozen": 1}, 1)]


def test_cells_that_the_release_does_not_cover_are_computed(written, tmp_path):
    outside = next(cell for cell in range(len(SPACE)) if cell not in covered())
    result, (event,) = score(tmp_path / "s.h5", cells=[CELLS[0], outside], published=written / "release")
    assert (event.kernels, event.left) == ({"frozen": 1}, 1)
    assert set(result.frame["cell"]) == {CELLS[0], outside}


def test_a_forecast_leaves_out_what_is_published(written):
    release = Release.open(written / "release")
    options = {"recipe": FROZEN, "probe": PROBE, "seeds": 3, "published": release}
    forecast = ntknas.forecast(SPACE, CELLS[:2], **options)
    assert (forecast.requested, forecast.networks) == (6, 2)


@pytest.mark.parametrize("name", ["nowhere", "nb202"])
def test_a_release_that_is_not_there(name, tmp_path):
    with pytest.raises(ntknas.NtknasError, match="Unknown release"):
        score(tmp_path / "s.h5", published=name)
    assert not list(tmp_path.iterdir())
