"""A measure or a space that raises anything costs its own scores, by name; all others are stored."""

import logging
import re

import numpy as np
import pytest
import torch

from ntknas.cli.main import run as command
from ntknas.core.errors import ChoiceError
from ntknas.data import Request
from ntknas.measures import Need, registry
from ntknas.scoring import Job, Strategy, Training, make_plan
from ntknas.scoring.computation import Computation
from ntknas.scoring.inputs import inputs_of
from ntknas.scoring.tracking import Tracking
from ntknas.scoring.trial import choose_rows
from ntknas.store import ScoreStore
from ntknas.tracking.follow import Recording
from ntknas.training import TrainingImages, TrainingOptions
from tests.scoring.sessions import PROBE, SPACE, recipe, score, statuses

RAISED = {
    "ValueError": ValueError("no such row\nsecond line"),
    "KeyError": KeyError("x"),
    "ZeroDivisionError": ZeroDivisionError(),
    "AssertionError": AssertionError("never"),
    "RuntimeError": RuntimeError("shapes"),
    "SystemExit": SystemExit(0),
    "Exception": Exception("\0 \x1b[2J \ud800"),
}
RETURNED = {"a text": "12.x", "nothing": None, "complex": 1j, "two numbers": torch.zeros(2)}
NUMBERS = {"numpy": np.float32(2.5), "tensor": torch.tensor(2.5), "integer": 2, "boolean": True}


@pytest.fixture
def add_measure(monkeypatch):
    """Register a measure for one test."""
    registry.all_measures()
    monkeypatch.setattr(registry, "_MEASURES", dict(registry._MEASURES))

    def add(what, name="theirs", needs=(Need.KERNEL,), **more):
        def compute(subject):
            if isinstance(what, BaseException):
                raise what
            return what

        registry.register(name, formula="?", better="higher", source="a test", needs=needs, **more)(compute)

    return add


@pytest.mark.parametrize("needs", [(Need.KERNEL,), (Need.NETWORK,)])
@pytest.mark.parametrize("raised", RAISED)
def test_a_measure_that_raises_costs_its_own_scores(tmp_path, add_measure, raised, needs):
    add_measure(RAISED[raised], needs=needs)
    result = score(tmp_path / "s.h5", [284], recipe("trace", "theirs", "cond", "naswot"))
    assert statuses(result) == {
        (284, "trace"): "ok",
        (284, "theirs"): "error",
        (284, "cond"): "ok",
        (284, "naswot"): "ok",
    }
    reason = _reason(result, 284, "theirs")
    assert reason.startswith(f"the measure 'theirs' of tests: {raised}")
    assert re.search(r"\(test_faults\.py, line \d+\)$", reason)
    assert reason.isprintable()


@pytest.mark.parametrize("returned", RETURNED)
def test_a_measure_that_returns_no_number_costs_its_own_scores(tmp_path, add_measure, returned):
    add_measure(RETURNED[returned])
    result = score(tmp_path / "s.h5", [284], recipe("trace", "theirs"))
    assert statuses(result) == {(284, "trace"): "ok", (284, "theirs"): "error"}
    assert "the measure 'theirs' of tests" in _reason(result, 284, "theirs")


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_of_any_kind_are_stored(tmp_path, add_measure, number):
    add_measure(NUMBERS[number])
    [value] = score(tmp_path / "s.h5", [284], recipe("theirs")).frame["value"]
    assert value == float(NUMBERS[number])


def test_memory_that_runs_out_in_a_measure_is_no_error_of_it(tmp_path, add_measure):
    add_measure(MemoryError())
    assert set(statuses(score(tmp_path / "s.h5", [284], recipe("theirs", "trace"))).values()) == {"oom"}


def test_an_error_of_ours_in_a_measure_costs_its_own_scores_too(tmp_path, add_measure):
    add_measure(ChoiceError("not with such networks"))
    result = score(tmp_path / "s.h5", [284], recipe("theirs", "trace"))
    assert statuses(result) == {(284, "trace"): "ok", (284, "theirs"): "error"}
    assert "not with such networks" in _reason(result, 284, "theirs")


def test_a_signal_still_ends_the_run(tmp_path, add_measure):
    add_measure(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        score(tmp_path / "s.h5", [284], recipe("theirs"))


class TheirSpace:
    """NAS-Bench-201 of somebody else, of which one cell cannot be built."""

    name = "theirs"

    def __init__(self, error):
        self.error = error

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(SPACE, name)

    def __getitem__(self, index):
        return SPACE[index]

    def __len__(self):
        return len(SPACE)

    def build(self, cell, **options):
        if cell.index == 8216:
            raise self.error
        return SPACE.build(cell, **options)


@pytest.mark.parametrize("raised", RAISED)
def test_a_space_that_cannot_build_a_cell_costs_that_cell(tmp_path, raised):
    space = TheirSpace(RAISED[raised])
    result = score(tmp_path / "s.h5", [8216, 5555], recipe("trace", "naswot"), space=space)
    assert {cell: status for (cell, _), status in statuses(result).items()} == {8216: "error", 5555: "ok"}
    assert _reason(result, 8216, "trace").startswith(f"the space 'theirs' of tests: {raised}")


def test_a_track_that_cannot_be_made_is_one_that_failed(tmp_path):
    training = Training(TrainingImages("digits", Request(image_size=8), 60), TrainingOptions(), (1,))
    job = Job(TheirSpace(KeyError("x")), "cifar10", recipe("trace"), PROBE, training=training)
    tracking = Tracking(job, Recording(1, 1, "epoch"))
    [track] = tracking.make([(8216, 0)], tmp_path, torch.device("cpu"), lambda epochs: None)
    assert track.status.value == "error"
    assert track.reason.startswith("the space 'theirs' of tests: KeyError")


def test_a_space_that_knows_no_equal_networks_is_named(tmp_path):
    space = TheirSpace(None)
    space.representative = lambda *_, **__: {}["x"]
    with pytest.raises(ChoiceError, match="Cell 5 cannot be planned: the space 'theirs' of tests: KeyError"):
        score(tmp_path / "s.h5", [5], recipe("trace"), space=space)


def test_the_trial_leaves_it_to_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr("ntknas.scoring.trial.MIN_ITEMS", 1)
    space = TheirSpace(KeyError("x"))
    job = inputs_of(space, [], recipe=recipe("trace", "cond", batch_norm="coupled"), probe=PROBE).job
    plan = make_plan(job, [8216], [0], ScoreStore.peek(tmp_path / "s.h5"))
    strategy, record = choose_rows(plan, job, torch.device("cpu"))
    assert strategy == Strategy()
    assert record["cell"] == 8216
    [done] = Computation(job, torch.device("cpu"))(plan.tasks[0])
    assert {score.status.value for score in done.scores.values()} == {"error"}


def test_a_traceback_is_logged_once_for_all_cells_that_have_it(tmp_path, add_measure, caplog, capfd):
    add_measure(KeyError("x"))
    with caplog.at_level(logging.WARNING, "ntknas.scoring"):
        score(tmp_path / "s.h5", [284, 5555], recipe("theirs", "trace"))
    assert [record.name for record in caplog.records] == ["ntknas.scoring"] * 2
    assert caplog.text.count("Traceback") == 1
    assert "cell 284, seed 0, epoch 0, theirs: error: the measure 'theirs' of tests: KeyError: 'x'" in caplog.text
    assert "cell 5555" in caplog.text
    assert capfd.readouterr() == ("", "")  # the library itself is silent


@pytest.mark.parametrize("asked", [False, True])
def test_the_command_writes_a_log_beside_the_store(tmp_path, add_measure, monkeypatch, capsys, asked):
    add_measure(KeyError("x"))
    if asked:
        monkeypatch.setenv("NTKNAS_TRACEBACK", "1")
    (tmp_path / "cells").write_text("284\n")
    arguments = ["--probe", "digits", "--probe-size", "8", "--channels", "2", "--cells-per-stage", "1"]
    arguments += ["--cells-file", str(tmp_path / "cells"), "--store", str(tmp_path / "s.h5")]
    assert command(["score", *arguments, "--measures", "trace"]) == 0
    assert not (tmp_path / "s.h5.log").exists()
    capsys.readouterr()
    assert command(["score", *arguments, "--measures", "theirs"]) == 3
    printed = capsys.readouterr()
    assert "Traceback" in (tmp_path / "s.h5.log").read_text()
    assert f"Tracebacks are in {tmp_path / 's.h5.log'}" in printed.out
    assert ("Traceback" in printed.err) == asked


def _reason(result, cell, measure):
    return str(result.frame.set_index(["cell", "measure"])["reason"][cell, measure])
