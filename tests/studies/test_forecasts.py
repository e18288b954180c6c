"""Forecasts of studies, on a made-up clock; and that costs of real ones grow as their widths do."""

import dataclasses

import pytest

from ntknas.cli.main import run as command
from ntknas.studies.claims.constancy import Constancy
from ntknas.studies.claims.convergence import Convergence
from ntknas.studies.claims.determinism import Determinism
from ntknas.studies.claims.lazy import Lazy
from ntknas.studies.claims.loss_bound import LossBound
from ntknas.studies.claims.regression import Regression
from ntknas.studies.forecast import estimate
from ntknas.studies.networks import Widths
from ntknas.studies.subject import Subject


@dataclasses.dataclass
class Slow:
    """A study whose units take a fixed time and one that grows with their cost, and whose first one loads."""

    costs: list[float]
    fixed: float
    rate: float
    now: float = 0.0
    loading: float = 2.0
    measured: list[float] = dataclasses.field(default_factory=list)

    def units(self):
        return list(enumerate(self.costs))

    def cost(self, unit):
        return unit[1]

    def measure(self, unit):
        self.now += self.seconds(unit[1]) + (0.0 if self.measured else self.loading)
        self.measured.append(unit[1])
        return []

    def seconds(self, cost):
        return self.fixed + self.rate * cost


WIDTHS = [50.0, 100, 250, 500, 1000, 2500, 5000, 10_000]


@pytest.mark.parametrize(("fixed", "rate"), [(0.0, 0.01), (1.0, 0.001), (0.3, 0.01), (2.0, 0.0)])
def test_a_forecast_is_what_the_units_take(fixed, rate):
    study = Slow([width for width in WIDTHS for _ in range(50)], fixed, rate)
    trial = estimate(study, 40.0, lambda: study.now)
    truth = sum(study.seconds(cost) for cost in study.costs)
    assert trial.seconds == pytest.approx(truth, rel=0.01)
    assert trial.units > 1


@pytest.mark.parametrize("rate", [0.01, 0.1, 1.0])
def test_trials_stay_within_their_budget_but_for_the_cheapest_unit(rate):
    study = Slow(WIDTHS, 0.5, rate)
    trial = estimate(study, 20.0, lambda: study.now)
    cheapest = study.loading + 2 * study.seconds(50.0)
    assert study.now <= max(20.0, cheapest)
    truth = sum(study.seconds(cost) for cost in study.costs)
    assert truth / 2 < trial.seconds < 2 * truth


def test_one_unit_that_takes_longer_than_the_budget_is_tried_once():
    study = Slow([100.0] * 5, 0.0, 1.0)
    trial = estimate(study, 20.0, lambda: study.now)
    assert study.measured == [100.0]
    assert trial.seconds == pytest.approx(5 * 102.0)


def widths(family, data):
    return Widths(Subject(family, data, 10), (8, 64, 512), 2)


@pytest.mark.parametrize(
    "study",
    [
        Constancy(widths("mlp-1", "boston"), 10, 1e-4),
        Constancy(widths("cnn-average", "mnist"), 10, 1e-4),
        Determinism(widths("transformer-wide", "sine")),
        Determinism(widths("mlp-1", "boston"), contraction="summed-gradients"),
        Convergence.of("rnn", samples=6, widths=(8, 64, 512), repeats=2),
        Lazy.of("rnn", samples=6, widths=(8, 64, 512), alphas=(1.0,), steps=5, repeats=2),
    ],
    ids=lambda study: study.name,
)
def test_wider_networks_cost_more(study):
    by_width = {}
    for unit in study.units():
        width = next(part for part in unit if part in (8, 64, 512))
        by_width.setdefault(width, set()).add(study.cost(unit))
    assert 0 < max(by_width[8]) < min(by_width[64])
    assert max(by_width[64]) < min(by_width[512])


def test_smaller_rates_take_more_steps():
    study = LossBound.of(samples=4, widths=(8,), steps=5)
    costs = {unit: study.cost(unit) for unit in study.units()}
    assert costs["network", "descent", 0.125] == 8 * costs["network", "descent", 1.0]
    assert costs["tanh", "descent", 1.0] < costs["network", "descent", 1.0]


def test_an_infinite_kernel_that_takes_hours_is_not_tried(capsys, monkeypatch):
    monkeypatch.setattr(Regression, "seconds_before", lambda self: 7200.0)
    monkeypatch.setattr(Regression, "measure", lambda *_: pytest.fail("a unit was tried"))
    assert command(["study", "regression", "--quick", "--family", "cnn-pool", "--dry-run"]) == 0
    assert "The infinite kernel alone takes some 2 h; nothing was tried." in capsys.readouterr().out
