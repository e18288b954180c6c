"""Plans compute each network once; runs resume; what is stored can be computed again."""

import pandas as pd
import pytest
import torch

from ntknas import empirical_ntk, load_store, make_probe, measure
from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError, DataError, KernelError
from ntknas.core.score import Status
from ntknas.data import Request
from ntknas.scoring import NetworkOptions, Recipe, computation, make_plan
from ntknas.scoring.cells import find, read_cells_file, sample, select
from ntknas.scoring.events import KernelDone
from ntknas.scoring.inputs import inputs_of
from ntknas.spaces.nb201 import identity
from ntknas.store import ScoreStore
from tests.scoring.sessions import DISCONNECTED, PROBE, SMALL, SPACE, TINY, computed, recipe, score


def _twins():
    """Two connected cells that are one network."""
    weights = identity.class_representatives("weights")
    return next((r, i) for i, r in enumerate(weights) if r != i and not SPACE.is_disconnected(i))


def test_the_same_command_twice_computes_nothing_twice(tmp_path):
    path = tmp_path / "s.h5"
    cells = [0, 11, 284]
    assert computed(path, cells, seeds=2) == 6
    before = load_store(path)
    assert computed(path, cells, seeds=2) == 0
    assert load_store(path).equals(before)


@pytest.mark.parametrize("output", ["sum", "label"])
def test_coupled_means_come_from_class_forms_and_equal_the_kernels(tmp_path, output):
    choices = {"output": output, "batch_norm": "coupled", "precision": "float64"}
    for name, measures in (
        ("forms", ("mean", "alignment_numerator")),
        ("kernel", ("mean", "alignment_numerator", "fro")),
    ):
        score(tmp_path / f"{name}.h5", [11, DISCONNECTED, 284], recipe(*measures, **choices))
    forms, kernel = (load_store(tmp_path / f"{name}.h5") for name in ("forms", "kernel"))
    kernel = kernel[kernel["measure"] != "fro"].reset_index(drop=True)
    assert forms["status"].tolist() == kernel["status"].tolist()
    assert forms["setting"].tolist() == kernel["setting"].tolist()
    pd.testing.assert_series_equal(forms["value"], kernel["value"], rtol=1e-9)


def test_an_interrupted_run_goes_on_where_it_was(tmp_path):
    whole, cut = tmp_path / "whole.h5", tmp_path / "cut.h5"
    cells, seen = [0, 11, 284, 8216], []

    def stop(event):
        seen.extend([event] * isinstance(event, KernelDone))
        if len(seen) == 2:
            raise KeyboardInterrupt

    score(whole, cells)
    with pytest.raises(KeyboardInterrupt):
        score(cut, cells, on_event=stop)
    assert computed(cut, cells) == 2
    key = ["cell", "measure"]
    a, b = (
        load_store(path).sort_values(key)[[*key, "value", "status"]].reset_index(drop=True) for path in (whole, cut)
    )
    assert a.equals(b)


def test_more_cells_seeds_or_measures_compute_what_is_missing(tmp_path):
    path = tmp_path / "s.h5"
    assert computed(path, [0, 11], recipe("trace")) == 2
    assert computed(path, [0, 11, 284], recipe("trace")) == 1
    assert computed(path, [0, 11, 284], recipe("trace"), seeds=2) == 3
    assert computed(path, [0, 11, 284], recipe("trace", "cond")) == 3


@pytest.mark.parametrize(
    "changed",
    [
        {"choices": Choices(batch_norm="eval")},
        {"choices": Choices(normalisation="cosine")},
        {"choices": Choices(precision="float64")},
        {"network": NetworkOptions(channels=3, cells_per_stage=1)},
        {"network": NetworkOptions(channels=2, cells_per_stage=1, init="xavier")},
    ],
)
def test_a_changed_setting_never_mixes_with_old_scores(tmp_path, changed):
    path = tmp_path / "s.h5"
    score(path, [0], recipe("trace"))
    other = Recipe(**{"choices": Choices(), "network": SMALL, "measures": ("trace",), **changed})
    assert computed(path, [0], other) == 1
    assert load_store(path)["setting"].nunique() == 2


def test_a_changed_probe_never_mixes_with_old_scores(tmp_path):
    path = tmp_path / "s.h5"
    score(path, [0], recipe("trace"))
    assert computed(path, [0], recipe("trace"), probe=make_probe("digits", 8, Request(image_size=8, seed=1))) == 1
    assert load_store(path)["probe_hash"].nunique() == 2


@pytest.mark.parametrize(("cells", "seeds"), [([0], [2**63]), ([0], [0.5]), ([-1], [0]), ([2**31], [0])])
def test_numbers_that_no_store_can_hold_are_refused_before_anything_is_computed(tmp_path, cells, seeds):
    job = inputs_of(SPACE, [], recipe=recipe("trace"), probe=PROBE).job
    with pytest.raises(ChoiceError, match="cannot be scored"):
        make_plan(job, cells, seeds, ScoreStore.peek(tmp_path / "s.h5"))


def test_cells_that_are_one_network_are_computed_once(tmp_path):
    path = tmp_path / "s.h5"
    twins = list(_twins())
    assert computed(path, twins) == 1
    frame = load_store(path)
    by_cell = [frame[frame["cell"] == cell].set_index("measure")["value"] for cell in twins]
    assert by_cell[0].equals(by_cell[1])


def test_a_twin_scored_earlier_is_copied(tmp_path):
    path = tmp_path / "s.h5"
    first, second = _twins()
    assert computed(path, [first]) == 1
    assert computed(path, [second]) == 0
    assert set(load_store(path)["cell"]) == {first, second}


def test_a_stored_score_is_reproduced_by_building_the_cell(tmp_path):
    path = tmp_path / "s.h5"
    first, second = _twins()
    score(path, [first, second, 284], recipe(precision="float64"), seeds=[5])
    stored = load_store(path).set_index(["cell", "measure"])["value"]
    for cell in (first, second, 284):
        network = SPACE.build(cell, seed=5, channels=2, cells_per_stage=1).double()
        kernel = empirical_ntk(network, PROBE.images.double(), labels=PROBE.labels)
        for name in ("trace", "cond", "lga"):
            assert measure(name, kernel).value == pytest.approx(stored[cell, name], rel=1e-9)


def test_disconnected_cells_have_a_status_under_every_set(tmp_path):
    path = tmp_path / "s.h5"
    for parameters in ("weights", "all"):
        score(path, [DISCONNECTED], recipe("trace", "cond", parameters=parameters))
    frame = load_store(path)
    assert set(frame["status"]) == {"disconnected"}
    assert frame["value"].isna().all()


def test_a_measure_that_needs_another_output_gets_its_own_kernel(tmp_path):
    path = tmp_path / "s.h5"
    what = recipe("trace", "class_lambda_min")
    assert [(group.output, group.measures) for group in what.groups()] == [
        ("sum", ("trace",)),
        ("label", ("class_lambda_min",)),
    ]
    assert computed(path, [0], what, probe=make_probe("digits", 20, TINY)) == 2
    frame = load_store(path)
    assert dict(zip(frame["measure"], frame["output"], strict=True)) == {"trace": "sum", "class_lambda_min": "label"}


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), Status.OOM),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), Status.OOM),
        (MemoryError(), Status.OOM),
        (RuntimeError("something else"), Status.ERROR),
    ],
)
def test_a_network_that_fails_becomes_a_status_and_the_run_goes_on(tmp_path, monkeypatch, fault, status):
    path, real = tmp_path / "s.h5", computation.cell_network

    def failing(space, cell, *arguments):
        if cell == 0:
            raise fault
        return real(space, cell, *arguments)

    monkeypatch.setattr(computation, "cell_network", failing)
    score(path, [0, 11], recipe("trace"))
    assert load_store(path).set_index("cell")["status"].to_dict() == {0: status.value, 11: "ok"}
    monkeypatch.setattr(computation, "cell_network", real)
    assert computed(path, [0, 11], recipe("trace")) == 1
    assert set(load_store(path)["status"]) == {"ok"}


@pytest.mark.parametrize("batch_norm", ["frozen", "coupled"])
def test_what_does_not_fit_is_computed_in_smaller_chunks(tmp_path, monkeypatch, batch_norm):
    whole, real, tried = tmp_path / "whole.h5", computation.compute_perturbed_kernel, []
    what = recipe(batch_norm=batch_norm, precision="float64")
    score(whole, [11, 284], what)

    def small(network, batch, choices, pixel_range, method, seed):
        tried.append(method.chunk)
        if method.chunk is None or method.chunk > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(network, batch, choices, pixel_range, method, seed)

    monkeypatch.setattr(computation, "compute_perturbed_kernel", small)
    score(tmp_path / "chunks.h5", [11, 284], what)
    assert tried == [None, 4, 2] * 2
    values = [load_store(path).set_index(["cell", "measure"])["value"] for path in (whole, tmp_path / "chunks.h5")]
    pd.testing.assert_series_equal(*values, rtol=1e-8)


def test_an_impossible_recipe_stops_the_run_with_its_message(tmp_path):
    tiny = make_probe("digits", 10, Request(image_size=4))
    with pytest.raises(KernelError, match="two values per channel"):
        score(tmp_path / "s.h5", [8216], recipe(batch_norm="per-sample"), probe=tiny)


def test_recipes_that_cannot_be():
    with pytest.raises(ChoiceError, match="Unknown measure"):
        Recipe(measures=("conditioning",))
    with pytest.raises(ChoiceError, match="at least one measure"):
        Recipe(measures=())


def test_samples_are_seeded_and_without_repetition():
    assert sample(SPACE, 50, 0) == sample(SPACE, 50, 0)
    assert sample(SPACE, 50, 0) != sample(SPACE, 50, 1)
    assert len(set(sample(SPACE, 500, 0))) == 500
    assert select(SPACE, "all", 0) == list(range(15_625))
    assert select(SPACE, "0:1001", 0) == list(range(1001))
    assert select(SPACE, "15620:15625", 0) == list(range(15_620, 15_625))
    for wrong in ("none", "0", "15626", "-3", "1.5", "5:5", "9:3", "0:15626", "1:", ":3", "a:b"):
        with pytest.raises(ChoiceError, match="`cells` must be 'all' or a number from 1 to 15625"):
            select(SPACE, wrong, 0)


def test_a_cells_file(tmp_path):
    path = tmp_path / "cells.txt"
    path.write_text(f"# mine\n7\n\n{SPACE[9]}\n7\n 12 \n")
    assert read_cells_file(SPACE, path) == [7, 9, 12]
    for text, message in [
        ("", "names no cells"),
        ("7\n99999\n", "line 2: Cell index out of range"),
        ("|x|\n", "line 1: Not a NAS-Bench-201 cell"),
        ("-1\n", "line 1: Cell index out of range"),
    ]:
        path.write_text(text)
        with pytest.raises(DataError, match=message):
            read_cells_file(SPACE, path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is no text in UTF-8: save it as plain text in UTF-8"):
        read_cells_file(SPACE, path)
    with pytest.raises(DataError, match="Cannot read the cells file"):
        read_cells_file(SPACE, tmp_path / "none")


def test_cells_by_name():
    assert find(SPACE, "8216") == 8216
    assert find(SPACE, str(SPACE[3])) == 3
