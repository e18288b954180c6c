"""Forecasts of runs: bounded trials on a made-up clock, against what it was given; and what is said meanwhile."""

import json
from dataclasses import replace

import pytest
import torch

from ntknas.cli.main import run as command
from ntknas.core.choices import Choices
from ntknas.data import Request, make_probe
from ntknas.scoring import Job, Recipe, Training, forecast, time_left, trials
from ntknas.scoring.fewer_images import fewer, sizes
from ntknas.scoring.plan import Plan, WorkItem
from ntknas.spaces import load_space
from ntknas.training import TrainingImages, TrainingOptions

SPACE = load_space("nb201")
CELLS = list(range(0, 1001, 3))


def job(images=256, measures=("cond",), training=None, **choices):
    choices = {"batch_norm": "coupled", **choices}
    probe = make_probe("noise", images, Request(image_size=8))
    return Job(SPACE, "cifar10", Recipe(choices=Choices(**choices), measures=measures), probe, training=training)


def plan(job, cells=CELLS, seeds=1, kind="kernel", measures=("cond",)):
    return Plan(
        [
            (WorkItem(f"{kind}-{measures}", job.recipe.choices, cell, seed, measures, (cell,), kind),)
            for cell in cells
            for seed in range(seeds)
        ],
        [],
        len(cells),
        0,
    )


class Machine:
    """A made-up machine: a pass through a network has a fixed part, and one that grows with FLOPs and images."""

    def __init__(self, job, power, fixed, rate, loading=0.0):
        self.job, self.power, self.fixed, self.rate, self.loading = job, power, fixed, rate, loading
        self.now, self.tried = 0.0, []

    def seconds(self, cell, images):
        flops = SPACE.flops(SPACE[cell]) / 1e8
        return images ** (self.power - 1) * (self.fixed + self.rate * flops * images)

    def __call__(self, task, images):
        taken = self.seconds(task[0].cell, images) + (0 if self.tried else self.loading)
        self.tried.append((task[0].cell, images))
        self.now += taken
        return taken

    def forecast(self, monkeypatch, plan, budget=60.0):
        monkeypatch.setattr(forecast, "trying", lambda *_: self)
        said = []
        kinds = forecast.forecast_plan(plan, self.job, torch.device("cpu"), said.append, budget, lambda: self.now)
        return kinds, said


@pytest.mark.parametrize(
    ("fixed", "rate", "budget", "within"),
    [
        (1e-4, 1e-6, 60.0, 0.10),  # all trials fit: their mean
        (1e-3, 1e-4, 60.0, 0.10),  # the lightest one fits with all images
        (1e-3, 1e-3, 60.0, 0.10),
        (1e-2, 1e-2, 60.0, 0.50),  # few images alone
        (1e-2, 1e-1, 60.0, 0.50),
    ],
)
def test_a_coupled_kernel(monkeypatch, fixed, rate, budget, within):
    this = job()
    machine = Machine(this, 2, fixed, rate, loading=1.0)
    (kind,), _ = machine.forecast(monkeypatch, plan(this), budget)
    truth = sum(machine.seconds(cell, 256) for cell in CELLS)
    assert kind.seconds == pytest.approx(truth, rel=within)
    longest = max(machine.seconds(cell, images) for cell, images in machine.tried)
    assert machine.now <= budget + longest


def test_networks_that_take_no_time(monkeypatch):
    this = job()
    (kind,), _ = Machine(this, 2, 0.0, 0.0).forecast(monkeypatch, plan(this))
    assert (kind.seconds, kind.spread) == (0.0, True)


def test_a_decoupled_kernel(monkeypatch):
    this = job(64, batch_norm="frozen")
    machine = Machine(this, 1, 0.01, 0.01)
    (kind,), _ = machine.forecast(monkeypatch, plan(this))
    truth = sum(machine.seconds(cell, 64) for cell in CELLS)
    assert kind.seconds == pytest.approx(truth, rel=0.1)
    assert (kind.images, kind.spread) == (64, True)
    assert kind.uncertainty > 0


@pytest.mark.parametrize("rate", [1e-3, 1.0, 1e3])
def test_kinds_share_the_budget_and_each_exceeds_it_by_one_trial_at_the_most(monkeypatch, rate):
    this = job()
    parts = [plan(this, kind=kind, measures=("cond",)) for kind in ("kernel", "regression", "network")]
    whole = Plan([task for part in parts for task in part.tasks], [], 0, 0)
    machine = Machine(this, 2, 0.0, rate)
    kinds, said = machine.forecast(monkeypatch, whole)
    assert [kind.kind for kind in kinds] == ["kernel", "regression", "network"]
    assert machine.now <= 60 + 3 * max(machine.seconds(cell, images) for cell, images in machine.tried)
    begun = [event for event in said if isinstance(event, forecast.KindBegins)]
    assert [(event.number, event.kinds, event.networks) for event in begun] == [(n, 3, 334) for n in (1, 2, 3)]
    tried = [(event.cell, event.images) for event in said if isinstance(event, trials.CellTried)]
    assert tried == machine.tried
    assert isinstance(said[0], forecast.KindBegins)


def test_what_is_said_comes_before_the_first_trial(monkeypatch):
    this = job()
    machine, said = Machine(this, 2, 0.0, 1.0), []
    monkeypatch.setattr(forecast, "trying", lambda *_: lambda *task: (said.append("trial"), machine(*task))[1])
    forecast.forecast_plan(plan(this), this, torch.device("cpu"), said.append, 60.0, lambda: machine.now)
    assert said.index("trial") == 1


def test_only_some_cells_of_a_large_plan_are_looked_up(monkeypatch):
    class Counting:
        asked = 0

        def __len__(self):
            return len(SPACE)

        def __getitem__(self, cell):
            return SPACE[cell]

        def flops(self, cell):
            self.asked += 1
            return SPACE.flops(cell)

    space = Counting()
    this = replace(job(16, batch_norm="frozen"), space=space)
    machine = Machine(this, 1, 0.01, 0.01)
    cells = list(range(10_000))
    (kind,), _ = machine.forecast(monkeypatch, plan(this, cells))
    assert space.asked <= 2 * trials.SAMPLE
    truth = sum(machine.seconds(cell, 16) for cell in cells)
    assert kind.seconds == pytest.approx(truth, rel=0.1)
    space.asked = 0
    left = time_left.kernels_left(plan(this, cells), this)
    assert space.asked <= 2 * trials.SAMPLE
    (amount,) = left.remaining.values()
    assert amount.units == 10_000
    assert amount.cost == pytest.approx(sum(SPACE.flops(SPACE[cell]) for cell in cells), rel=0.05)


def test_fewer_images_are_of_all_classes_and_train_on_as_small_a_share():
    images = TrainingImages("digits", Request())
    training = Training(images, TrainingOptions(), (0, 1))
    whole = replace(job(training=training), probe=make_probe("digits", 100, Request()).with_held_out(Request()))
    some = fewer(whole, 10)
    assert sorted(some.probe.labels.tolist()) == list(range(10))
    assert len(some.probe.held_out) == 10
    assert len(some.training.images) == -(-len(images) // 10)
    assert len(some.training.images.validation) == -(-len(images.validation) // 10)
    assert some.training.images.expected == ""
    assert torch.equal(fewer(whole, 100).probe.images, whole.probe.images)
    assert len(fewer(whole, 100).training.images) == len(images)


def test_probes_of_each_seed_are_cut_too():
    fresh = replace(job(), probe=make_probe("noise", 16, Request(image_size=8), fresh=True))
    cut = fewer(fresh, 4)
    assert len(cut.probe.of_seed(3)) == 4
    assert torch.equal(cut.probe.of_seed(3).images, fresh.probe.of_seed(3).images[::4])


@pytest.mark.parametrize(("images", "steps"), [(3, [3]), (4, [4]), (64, [4, 16, 64]), (100, [4, 16, 64, 100])])
def test_numbers_of_images(images, steps):
    assert list(sizes(images)) == steps


SMALL = ["--probe", "digits", "--probe-size", "8", "--channels", "2", "--cells-per-stage", "1", "--device", "cpu"]


def test_a_dry_run_says_at_once_what_it_does_and_stores_nothing(tmp_path, capsys):
    options = [*SMALL, "--cells", "0:40", "--measures", "trace,naswot", "--store", str(tmp_path / "s.h5")]
    assert command(["score", *options, "--dry-run"]) == 0
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert lines[0].startswith("Forecast of 40 cells × 1 seed(s)")
    assert "none is stored" in lines[0]
    assert any(line.startswith("Kind 2 of 2") for line in lines)
    assert "networks have to be computed" in captured.out
    assert not list(tmp_path.iterdir())


def test_a_dry_run_that_is_stopped_does_not_speak_of_scores(tmp_path, capsys, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(trials, "_seconds", stop)
    options = [*SMALL, "--cells", "2", "--store", str(tmp_path / "s.h5"), "--dry-run"]
    assert command(["score", *options]) == 130
    assert "stored; the same command" not in capsys.readouterr().err


def test_json_says_what_the_forecast_is_from(tmp_path, capsys):
    options = [*SMALL, "--cells", "3", "--measures", "trace", "--store", str(tmp_path / "s.h5"), "--dry-run", "--json"]
    assert command(["score", *options]) == 0
    (kind,) = json.loads(capsys.readouterr().out)["kinds"]
    assert kind["images"] == 8
    assert kind["spread"] is True
    assert kind["seconds"] == pytest.approx(kind["items"] * sum(kind["tried"]) / len(kind["tried"]))
