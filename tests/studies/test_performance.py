"""Performance: splits that leak nothing, choices within the training samples, tests that allow for shared samples."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from ntknas.cli.main import run as command
from ntknas.core.errors import ChoiceError, KernelError
from ntknas.studies.claims.performance import Performance
from ntknas.studies.paired import corrected_mean
from ntknas.studies.predictors import (
    CLASSIFIERS,
    REGRESSORS,
    check_positive,
    kernel_prediction,
    loss_of,
    train_network,
)
from ntknas.studies.splits import Splits

CLASSES = np.array([0, 1, 2] * 20)
VALUES = np.sin(np.arange(120.0))[:, None]


class TestSplits:
    @pytest.mark.parametrize("targets", [CLASSES, VALUES], ids=["classes", "values"])
    def test_every_sample_is_tested_once_and_never_trained_on(self, targets):
        splits = Splits(targets, 5, 3)
        tested = np.concatenate([test for _, test in splits.outer(0)])
        assert sorted(tested.tolist()) == list(range(len(targets)))
        for training, test in splits.outer(1):
            assert not set(training) & set(test)
            for fit, held in splits.within(training, 1):
                assert not set(fit) & set(held)
                assert set(training[fit]) | set(training[held]) == set(training)

    def test_classes_are_in_proportion(self):
        for training, test in Splits(CLASSES, 5, 3).outer(0):
            assert np.bincount(CLASSES[test]).tolist() == [4, 4, 4]
            assert np.bincount(CLASSES[training]).tolist() == [16, 16, 16]

    def test_windows_of_a_series_share_no_value_with_the_test_part(self):
        splits = Splits(VALUES, 3, 2, gap=11)
        for training, test in splits.outer(0):
            assert (np.diff(test) == 1).all()
            assert np.abs(training[:, None] - test[None]).min() >= 11
            for fit, held in splits.within(training, 0):
                assert np.abs(training[fit][:, None] - training[held][None]).min() >= 11

    def test_repeats_divide_otherwise(self):
        first, again, other = (Splits(CLASSES, 3, 2).outer(repeat)[0][1].tolist() for repeat in (0, 0, 1))
        assert first == again != other

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((np.array([0, 1] * 4), 5), "Class 0 has 4 samples, and 5 folds need 7"),
            ((np.zeros(9, int), 2, 2), "All samples are of one class"),
            ((VALUES, 1), "At least two folds"),
            ((VALUES[:20], 3, 2, 11), "20 samples are too few for 3 folds, which need 105"),
            ((np.array([0] * 30 + [1] * 3), 2, 2), "Class 1 has 3 samples"),
        ],
    )
    def test_bad_choices(self, arguments, message):
        with pytest.raises(ChoiceError, match=message):
            Splits(*arguments)

    @pytest.mark.parametrize(("folds", "inner"), [(2, 2), (3, 3), (5, 5), (10, 5)])
    def test_the_smallest_class_that_is_let_through_is_in_every_fit(self, folds, inner):
        for smallest in range(1, 20):
            targets = np.array([0] * 40 + [1] * smallest)
            try:
                splits = Splits(targets, folds, inner)
            except ChoiceError:
                continue
            for training, _ in splits.outer(0):
                assert all(len(set(targets[training[fit]])) == 2 for fit, _ in splits.within(training, 0))
            break
        assert smallest <= max(folds, 2 * inner)


class TestMachines:
    @pytest.mark.parametrize("name", sorted({**CLASSIFIERS, **REGRESSORS}))
    def test_a_kernel_that_knows_the_answer(self, name):
        targets = CLASSES if name in CLASSIFIERS else VALUES
        machine = {**REGRESSORS, **CLASSIFIERS}[name]
        features = np.eye(3)[CLASSES] if name in CLASSIFIERS else np.concatenate([VALUES, np.ones_like(VALUES)], 1)
        split = Splits(targets, 3, 2).outer(0)[0]
        inner = Splits(targets, 3, 2).within(split[0], 0)
        found, chosen = kernel_prediction(machine, 7 * features @ features.T, targets, split, inner)
        assert np.abs(found - targets[split[1]].ravel()).max() < 0.02
        assert set(chosen) == set(machine.grid)

    def test_test_targets_take_no_part(self):
        generator = np.random.default_rng(0)
        features = generator.standard_normal((60, 5))
        split = Splits(CLASSES, 3, 2).outer(0)[0]
        inner = Splits(CLASSES, 3, 2).within(split[0], 0)
        changed = CLASSES.copy()
        changed[split[1]] = (changed[split[1]] + 1) % 3
        for machine in CLASSIFIERS.values():
            found, again = (
                kernel_prediction(machine, features @ features.T, targets, split, inner)[0]
                for targets in (CLASSES, changed)
            )
            assert found.tolist() == again.tolist()

    def test_kernels_that_are_not_positive(self):
        check_positive(np.ones((3, 3)), "x")
        with pytest.raises(KernelError, match="kernel at initialisation is not positive semi-definite"):
            check_positive(np.array([[1.0, 2.0], [2.0, 1.0]]), "at initialisation")


class TestNetworks:
    def test_the_chosen_training_is_repeated_on_all_training_samples(self):
        x = torch.randn(40, 3).double()
        y = x.sum(1, keepdim=True)
        training = np.arange(30)
        inner = (np.arange(20), np.arange(20, 30))

        def build():
            torch.manual_seed(0)
            return nn.Linear(3, 1).double()

        network, chosen = train_network(build, x, y, training, inner, 100)
        again = build()
        optimizer = torch.optim.Adam(again.parameters(), chosen["learning_rate"])
        for _ in range(int(chosen["steps"])):
            optimizer.zero_grad()
            loss_of(again(x[:30]), y[:30]).backward()
            optimizer.step()
        assert torch.equal(network.weight, again.weight)

    def test_values_are_not_compared_with_every_output(self):
        with pytest.raises(KernelError, match="must have one shape"):
            loss_of(torch.zeros(5), torch.zeros(5, 1))

    def test_divergence(self):
        class Wrong(nn.Module):
            def __init__(self):
                super().__init__()
                self.weight = nn.Parameter(torch.ones(1, 1).double())

            def forward(self, x):
                return x @ self.weight * torch.inf

        x, inner = torch.ones(6, 1).double(), (np.arange(3), np.arange(3, 6))
        with pytest.raises(KernelError, match="diverged at every learning rate"):
            train_network(Wrong, x, torch.ones(6, 1).double(), np.arange(6), inner, 3)


class TestPaired:
    def test_the_corrected_interval_is_wider_than_the_naive_one(self):
        values = np.array([1.0, 2.0, 3.0, 4.0])
        found = corrected_mean(values, 1 / 3)
        error = np.sqrt(values.var(ddof=1) * (1 / 4 + 1 / 3))
        assert found.value == 2.5
        assert found.high - found.value == pytest.approx(3.182446305 * error)
        assert found.p == pytest.approx(0.0850, abs=1e-3)

    def test_few_or_equal_values(self):
        assert np.isnan(corrected_mean(np.array([1.0]), 0.1).p)
        for equal in (np.zeros(5), np.full(3, 10 / 3)):
            assert np.isnan(corrected_mean(equal, 0.1).p)
            assert np.isnan(corrected_mean(equal, 0.1).low)

    def test_false_alarms_are_rare(self):
        """Scores of two methods that are alike, over folds whose training parts overlap."""
        generator, alarms = np.random.default_rng(0), 0
        for _ in range(300):
            x = generator.standard_normal(50)
            noise = generator.standard_normal(50)
            parts = np.array_split(generator.permutation(50), 5)
            differences = [noise[part].mean() - 0.2 * x[np.setdiff1d(np.arange(50), part)].mean() for part in parts]
            alarms += corrected_mean(np.array(differences), 0.25).p < 0.05
        assert alarms < 25


@pytest.mark.parametrize(
    ("family", "data", "samples", "column"), [("rnn", "sine", "72", "rmse"), ("gnn", "mutag", "40", "accuracy")]
)
def test_the_command(tmp_path, capsys, family, data, samples, column):
    arguments = ["study", "performance", "--quick", "--family", family, "--data", data, "--device", "cpu"]
    small = ["--samples", samples, "--widths", "4", "--steps", "5", "--folds", "2"]
    assert command([*arguments, *small, "--out", str(tmp_path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    rows = {row["method"]: row for row in answer["rows"]}
    assert len(rows) == 8
    better = rows["infinite kernel, kernel ridge"][column] - rows["constant"][column]
    assert better > 0 if column == "accuracy" else better < -0.3
    assert all(row["low"] is None or 0 <= row["low"] <= row[column] <= row["high"] for row in rows.values())
    assert (tmp_path / f"performance-{family}-{data}-ntk-quick-scores.png").stat().st_size > 5000
    assert "nothing" not in answer["verdict"]
    assert command([*arguments, "--folds", "50"]) == 1
    assert "fewer --folds or more --samples" in capsys.readouterr().err


def test_repeats_of_a_series_are_no_further_folds():
    study = Performance.of("rnn", "sine", samples=120, widths=(4,), steps=1, folds=3, repeats=4)
    rows = [
        {
            "repeat": repeat,
            "fold": fold,
            "train": 80,
            "test": 40,
            "method": method,
            "score": fold + gain,
            "seconds": 1.0,
        }
        for repeat in range(4)
        for fold in range(3)
        for method, gain in (("network", 0.1 * fold), ("constant", 0.0), ("infinite kernel, SVR", 0.0))
    ]
    many, once = (study.summarise(each).table for each in (rows, rows[:9]))
    for name in ("low", "high", "against_low", "p_holm"):
        np.testing.assert_allclose(many[name], once[name])


def test_the_same_choices_give_the_same_rows():
    study = Performance.of("transformer", "digits", samples=60, widths=(8,), steps=5, folds=3)
    first, again = (study.measure((0, 1)) for _ in range(2))
    for row in (*first, *again):
        row.pop("seconds")
        row.pop("unit_seconds")
    assert first == again
    with pytest.raises(ChoiceError, match="must be positive"):
        Performance.of(steps=0)
