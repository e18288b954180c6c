"""A measure or a space that raises anything costs its own scores, by name; all others are stored."""

import re

import numpy as np
import pytest
import torch

from ntknas import load_space, load_store
from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError
from ntknas.data import Request, make_probe
from ntknas.measures import Need, registry
from ntknas.scoring import Job, NetworkOptions, Recipe, Strategy, Training, make_plan
from ntknas.scoring.computation import Computation
from ntknas.scoring.engine import Engine
from ntknas.scoring.tracking import Tracking
from ntknas.scoring.trial import tried
from ntknas.store import ScoreStore
from ntknas.tracking.follow import Recording
from ntknas.training import TrainingImages, TrainingOptions

SPACE = load_space("nb201")
PROBE = make_probe("digits", 8, Request(image_size=12))
SMALL = NetworkOptions(channels=2, cells_per_stage=1)
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

    def add(what, name="theirs", needs=(Need.GRAM,), **more):
        def compute(subject):
            if isinstance(what, BaseException):
                raise what
            return what

        registry.register(name, formula="?", better="higher", source="a test", needs=needs, **more)(compute)

    return add


def score(path, measures, cells=(284,), space=SPACE, engine=None, **choices):
    job = Job(space, "cifar10", Recipe(choices=Choices(**choices), network=SMALL, measures=measures), PROBE)
    with ScoreStore.open(path) as store:
        plan = make_plan(job, list(cells), [0], store)
        list((engine or Engine()).run(plan, job, store, store.add_run({})))
        store.compact()
    return load_store(path).set_index(["cell", "measure"])


@pytest.mark.parametrize("needs", [(Need.GRAM,), (Need.NETWORK,)])
@pytest.mark.parametrize("raised", RAISED)
def test_a_measure_that_raises_costs_its_own_scores(tmp_path, add_measure, raised, needs):
    add_measure(RAISED[raised], needs=needs)
    frame = score(tmp_path / "s.h5", ("trace", "theirs", "cond", "naswot"))
    assert frame["status"].astype(str).to_dict() == {
        (284, "trace"): "ok",
        (284, "theirs"): "error",
        (284, "cond"): "ok",
        (284, "naswot"): "ok",
    }
    reason = str(frame["reason"][284, "theirs"])
    assert reason.startswith(f"the measure 'theirs' of tests: {raised}")
    assert re.search(r"\(test_faults\.py, line \d+\)$", reason)
    assert reason.isprintable()


@pytest.mark.parametrize("returned", RETURNED)
def test_a_measure_that_returns_no_number_costs_its_own_scores(tmp_path, add_measure, returned):
    add_measure(RETURNED[returned])
    frame = score(tmp_path / "s.h5", ("trace", "theirs"))
    assert frame["status"].astype(str).to_dict() == {(284, "trace"): "ok", (284, "theirs"): "error"}
    assert "the measure 'theirs' of tests" in str(frame["reason"][284, "theirs"])


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_of_any_kind_are_stored(tmp_path, add_measure, number):
    add_measure(NUMBERS[number])
    assert score(tmp_path / "s.h5", ("theirs",))["value"][284, "theirs"] == float(NUMBERS[number])


def test_memory_that_runs_out_in_a_measure_is_no_error_of_it(tmp_path, add_measure):
    add_measure(MemoryError())
    frame = score(tmp_path / "s.h5", ("theirs", "trace"))
    assert set(frame["status"].astype(str)) == {"oom"}


def test_an_impossible_recipe_still_ends_the_run(tmp_path, add_measure):
    add_measure(ChoiceError("not with such networks"))
    with pytest.raises(ChoiceError, match="not with such networks"):
        score(tmp_path / "s.h5", ("theirs",))


def test_a_signal_still_ends_the_run(tmp_path, add_measure):
    add_measure(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        score(tmp_path / "s.h5", ("theirs",))


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
    frame = score(tmp_path / "s.h5", ("trace", "naswot"), [8216, 5555], TheirSpace(RAISED[raised]))
    assert frame["status"].astype(str).droplevel("measure").to_dict() == {8216: "error", 5555: "ok"}
    assert str(frame["reason"][8216, "trace"]).startswith(f"the space 'theirs' of tests: {raised}")


def test_a_track_that_cannot_be_made_is_one_that_failed(tmp_path):
    training = Training(TrainingImages("digits", Request(image_size=12), 60), TrainingOptions(), (1,))
    job = Job(
        TheirSpace(KeyError("x")), "cifar10", Recipe(network=SMALL, measures=("trace",)), PROBE, training=training
    )
    tracking = Tracking(job, Recording(1, 1, "epoch"))
    [track] = tracking.make([(8216, 0)], tmp_path, torch.device("cpu"), lambda epochs: None)
    assert track.status.value == "error"
    assert track.reason.startswith("the space 'theirs' of tests: KeyError")


def test_a_space_that_knows_no_equal_networks_is_named(tmp_path):
    space = TheirSpace(None)
    space.representative = lambda *_, **__: {}["x"]
    with pytest.raises(ChoiceError, match="Cell 5 cannot be planned: the space 'theirs' of tests: KeyError"):
        score(tmp_path / "s.h5", ("trace",), [5], space)


def test_workers_do_not_die_of_it(tmp_path):
    space = TheirSpace(KeyError("x"))
    frame = score(tmp_path / "s.h5", ("trace",), [8216, 5555], space, Engine(workers=1))
    assert frame["status"].astype(str).droplevel("measure").to_dict() == {8216: "error", 5555: "ok"}


def test_the_trial_leaves_it_to_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr("ntknas.scoring.trial.FEWEST_ITEMS", 1)
    space = TheirSpace(KeyError("x"))
    recipe = Recipe(choices=Choices(batch_norm="coupled"), network=SMALL, measures=("trace", "cond"))
    job = Job(space, "cifar10", recipe, PROBE)
    plan = make_plan(job, [8216], [0], ScoreStore.peek(tmp_path / "s.h5"))
    strategy, record = tried(plan, job, torch.device("cpu"))
    assert strategy == Strategy()
    assert record["cell"] == 8216
    [done] = Computation(job, torch.device("cpu"))(plan.tasks[0])
    assert {score.status.value for score in done.scores.values()} == {"error"}


def test_a_traceback_is_shown_if_it_is_asked_for(tmp_path, add_measure, monkeypatch, capsys):
    add_measure(KeyError("x"))
    score(tmp_path / "a.h5", ("theirs",))
    assert "Traceback" not in capsys.readouterr().err
    monkeypatch.setenv("NTKNAS_TRACEBACK", "1")
    score(tmp_path / "b.h5", ("theirs",))
    assert "Traceback" in capsys.readouterr().err
