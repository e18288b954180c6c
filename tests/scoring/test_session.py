"""Scoring as a library call: names or objects, in memory or in a store, told in events, silent otherwise."""

import numpy as np
import pytest

import ntknas
from ntknas.core.errors import ChoiceError
from ntknas.scoring import Summary
from ntknas.scoring.engines import ENGINES, Here, Processes, Ray, make_engine
from ntknas.scoring.events import Began, CellsLeftOut, JournalTorn, KernelDone, Planned
from ntknas.scoring.forecast import ForecastBegins, ForecastPlanned
from ntknas.scoring.inputs import inputs_of
from ntknas.store.layout import journal_path
from tests.scoring.sessions import PROBE, SPACE, recipe, score


def test_names_and_objects_mean_the_same(capfd):
    cell = SPACE[8216]
    forms = [8216, np.int64(8216), "8216", str(cell), cell]
    results = [ntknas.score("nb201", [form], recipe=recipe("trace"), probe=PROBE) for form in forms]
    assert {result.frame["value"].item() for result in results} == {results[0].frame["value"].item()}
    assert [result.request.cells for result in results] == [[8216]] * len(forms)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("cells", "expected"), [("0:3", [0, 1, 2]), ([5, 5, "7"], [5, 7]), (range(2), [0, 1]), ("2", None)]
)
def test_cells_in_many_forms(cells, expected):
    found = inputs_of("nb201", cells, recipe=recipe(), probe=PROBE).cells
    assert found == expected if expected else len(found) == 2


@pytest.mark.parametrize("cells", [[15_625], [-1], ["no cell"], [1.5], "some"])
def test_what_is_no_cell(cells):
    with pytest.raises(ChoiceError):
        inputs_of("nb201", cells, recipe=recipe(), probe=PROBE)


@pytest.mark.parametrize(("seeds", "expected"), [(2, [0, 1]), ([3], [3]), (range(1, 3), [1, 2])])
def test_seeds_are_a_number_of_them_or_themselves(seeds, expected):
    assert inputs_of("nb201", [0], recipe=recipe(), probe=PROBE, seeds=seeds).seeds == expected


def test_a_named_recipe_decides_what_is_left_open():
    inputs = inputs_of("nb201", [0], recipe="mok-trained", probe="digits")
    assert inputs.job.recipe.name == "mok-trained"
    assert inputs.job.recipe.network.variant == "zero-cost"
    assert inputs.job.recipe.choices.batch_norm == "coupled"
    assert (len(inputs.job.probe), inputs.job.probe.split, inputs.job.probe.draw) == (256, "test", "random")
    assert inputs.job.epochs == (0, 1)
    mine = inputs_of("nb201", [0], recipe="mok", probe=PROBE)
    assert mine.job.probe is PROBE
    assert mine.job.training is None


def test_the_frame_has_what_was_asked_for_and_the_store_all(tmp_path):
    path = tmp_path / "s.h5"
    score(path, [11, 284], recipe("trace", "cond"), seeds=2)
    result = score(path, [284], recipe("trace"), seeds=[1])
    assert result.frame[["cell", "seed", "measure"]].to_numpy().tolist() == [[284, 1, "trace"]]
    assert result.summary == Summary(path, 1, 1, 0, 1, {}, 0, {})
    assert len(ntknas.load_store(path)) == 8


def test_a_recipe_that_trains_does_not_go_untrained_for_want_of_images():
    with pytest.raises(ChoiceError, match="mok-trained trains networks: give `training`"):
        ntknas.score("nb201", [284], recipe="mok-trained", probe=PROBE)


def test_without_a_store_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    result = ntknas.score("nb201", [284], recipe=recipe("trace"), probe=PROBE)
    assert result.frame["status"].tolist() == ["ok"]
    assert (result.summary.store, result.summary.statuses) == (None, {"ok": 1})
    assert not list(tmp_path.iterdir())


def test_events_come_in_order_and_an_error_of_the_listener_ends_the_run(tmp_path):
    events = []
    score(tmp_path / "s.h5", [11, 284], recipe("trace"), on_event=events.append)
    assert [type(event) for event in events] == [Planned, Began, KernelDone, KernelDone]
    assert (events[0].missing, events[0].kernels, events[0].trainings, events[0].engine) == (2, 2, 0, "cpu")

    def fail(event):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        score(tmp_path / "s.h5", [11], recipe("cond"), on_event=fail)


def test_cells_that_are_not_of_the_population_are_told_and_counted(tmp_path):
    events = []
    options = {"population": "connected", "on_event": events.append}
    result = score(tmp_path / "s.h5", [0, 11, 1651, 1], recipe("trace"), **options)
    assert events[0] == CellsLeftOut(1, 4, "connected")
    assert (result.summary.cells, result.summary.cells_left_out) == (3, 1)
    assert sorted(result.frame["cell"]) == [0, 1, 11]


def test_a_torn_journal_is_told(tmp_path):
    path, events = tmp_path / "s.h5", []
    score(path, [11], recipe("trace"))
    with journal_path(path).open("ab") as journal:
        journal.write(b'{"type": "sco')
    score(path, [11], recipe("trace"), on_event=events.append)
    assert isinstance(events[0], JournalTorn)


def test_a_forecast_is_data(tmp_path):
    events = []
    options = {"recipe": recipe("trace"), "probe": PROBE, "store": tmp_path / "s.h5", "on_event": events.append}
    forecast = ntknas.forecast("nb201", [11, 284], **options)
    assert (forecast.requested, forecast.stored, forecast.networks, forecast.workers) == (2, 0, 2, 1)
    assert forecast.seconds == sum(kind.seconds for kind in forecast.kinds) > 0
    assert [type(event) for event in events[:2]] == [ForecastBegins, ForecastPlanned]
    assert not list(tmp_path.iterdir())


def test_engines_by_name():
    assert set(ENGINES) == {"local", "ray"}
    assert make_engine(device="cpu") == Here("cpu")
    assert make_engine(workers=3, timeout=5.0, device="cpu") == Processes(3, 5.0, "cpu")
    assert make_engine(timeout=5.0, device="cpu") == Processes(1, 5.0, "cpu")  # only a process can be ended
    assert make_engine(workers=None, device="cpu") == Processes(None, None, "cpu")
    assert make_engine("ray", workers=0, address="here:1", device="cpu") == Ray(None, None, "cpu", "here:1")
    with pytest.raises(ChoiceError, match="engine"):
        make_engine("slurm")
    for name in ENGINES:
        with pytest.raises(ChoiceError, match="`workers` must be"):
            make_engine(name, workers=-1)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        *(({"seeds": seeds}, "seeds") for seeds in (0, [], "3", [-1], [2**63])),
        ({"cells": 284}, "cells"),
        ({"rows_at_once": 0}, "rows_at_once"),
    ],
)
def test_what_gives_nothing_to_score_is_refused_by_name(wrong, named):
    options = {"cells": [284], "recipe": recipe("trace"), "probe": PROBE, **wrong}
    with pytest.raises(ChoiceError, match=f"^`{named}` "):
        ntknas.score("nb201", **options)


def test_what_runs_are_recorded_with():
    here, workers, ray = Here("cpu").describe(), Processes(2, device_name="cpu").describe(), Ray().describe()
    assert (here["engine"], here["workers"]) == ("local", 0)
    assert (workers["engine"], workers["workers"]) == ("local", 2)
    assert (ray["engine"], ray["workers"], ray["device"]) == ("ray", None, "ray (auto)")
