"""The bound of the loss: never violated where it is exact, and the excess of descent vanishes with the rate."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from ntknas.cli.main import run as command
from ntknas.core.errors import ChoiceError
from ntknas.studies.claims.loss_bound import LossBound
from ntknas.studies.descent import Path, descend, flow, kernel_of, smallest, squared_error
from ntknas.studies.slopes import fitted


def problem(seed, outputs=1, samples=4, hidden=12, activation=nn.Tanh):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(3, hidden), activation(), nn.Linear(hidden, outputs)).double()
    return network, torch.randn(samples, 3, dtype=torch.float64), torch.randn(samples, outputs, dtype=torch.float64)


@pytest.mark.parametrize(("seed", "outputs"), [(0, 1), (1, 3), (2, 3)])
def test_gradient_flow_never_violates_the_bound(seed, outputs):
    network, x, y = problem(seed, outputs)
    largest = float(torch.linalg.eigvalsh(kernel_of(network, x))[-1])
    path = flow(network, x, y, np.linspace(0, 6 * len(x) / largest, 9).tolist())
    assert path.losses[-1] < 0.9 * path.losses[0]
    assert path.excess < 1e-6
    assert (path.losses <= path.bound * (1 + 1e-6)).all()


def test_with_one_sample_and_one_output_the_bound_is_an_equality():
    network, x, y = problem(0, samples=1)
    path = flow(network, x, y, [0.0, 0.05, 0.1])
    np.testing.assert_allclose(path.losses, path.bound, rtol=1e-6)


def test_flow_is_the_limit_of_descent():
    network, x, y = problem(1)
    path = flow(network, x, y, [0.0, 0.5])
    again, _, _ = problem(1)
    steps = descend(again, x, y, 0.5 / 2000, 2000)
    assert steps.losses[-1] == pytest.approx(path.losses[-1], rel=2e-3)
    assert steps.integral[-1] == pytest.approx(path.integral[-1], rel=2e-3)


@pytest.mark.parametrize("seed", range(4))
def test_linear_models_never_violate_it_under_descent_with_a_rate_that_is_small_enough(seed):
    torch.manual_seed(seed)
    samples, outputs = 3 + seed % 3, 1 + seed % 2
    network = nn.Linear(6, outputs).double()
    x, y = torch.randn(samples, 6, dtype=torch.float64), torch.randn(samples, outputs, dtype=torch.float64)
    largest = float(torch.linalg.eigvalsh(kernel_of(network, x))[-1])
    path = descend(network, x, y, samples / (2 * largest), 60)
    assert path.excess < 1e-9
    np.testing.assert_allclose(path.lambda_min, path.lambda_min[0], rtol=1e-9)
    assert path.constant_until == float("inf")


def test_a_rate_that_is_too_large_violates_it():
    torch.manual_seed(0)
    network = nn.Linear(2, 1).double()
    x, y = torch.eye(2, dtype=torch.float64) * torch.tensor([1.0, 4.0]), torch.ones(2, 1, dtype=torch.float64)
    largest = float(torch.linalg.eigvalsh(kernel_of(network, x))[-1])
    assert descend(network, x, y, 1.99 / largest, 40).excess > 0.1


def test_descent_is_plain_gradient_descent():
    network, x, y = problem(3)
    path = descend(network, x, y, 0.05, 2)
    again, _, _ = problem(3)
    losses, eigenvalues = [], []
    for _ in range(3):
        losses.append(squared_error(again, x, y).item())
        eigenvalues.append(smallest(again, x))
        assert losses[-1] == pytest.approx(float((again(x) - y).square().sum() / 4))
        gradients = torch.autograd.grad(squared_error(again, x, y), list(again.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(again.parameters(), gradients, strict=True):
                parameter -= 0.05 * gradient
    np.testing.assert_allclose(path.losses, losses)
    np.testing.assert_allclose(path.integral, [0, 0.05 * eigenvalues[0], 0.05 * (eigenvalues[0] + eigenvalues[1])])


def _excess(rate, steps):
    study = LossBound.of(samples=2, widths=(4,))
    network, x, y = study._problem("tanh")
    return descend(network, x, y, rate, steps)


def test_the_example_of_tanh():
    path = _excess(0.1, 299)
    above = path.losses > path.bound * (1 + 1e-12)
    assert above.sum() == 299
    assert len(above) == 300


def test_its_excess_goes_with_the_rate():
    rates = np.array([0.2, 0.1, 0.05, 0.025])
    excess = np.array([_excess(rate, round(6 / rate)).excess for rate in rates])
    assert fitted(rates, excess) == pytest.approx(1.0, abs=0.15)


def test_curves_and_the_time_that_the_constant_one_is_a_bound():
    path = Path(
        times=np.array([0.0, 1.0, 2.0]),
        losses=np.array([8.0, 4.0, 3.0]),
        lambda_min=np.array([1.0, 1.5, 0.5]),
        integral=np.array([0.0, 1.0, 2.5]),
        samples=8,
    )
    np.testing.assert_allclose(path.bound, 8 * np.exp([0, -0.5, -1.25]))
    np.testing.assert_allclose(path.constant, 8 * np.exp([0, -0.5, -1.0]))
    np.testing.assert_allclose(path.published, 8 * np.exp([0, -1.0, -2.0]))
    assert path.constant_until == 2.0
    assert path.excess == pytest.approx(3 / (8 * np.exp(-1.25)) - 1)


def test_the_command(tmp_path, capsys):
    options = ["--quick", "--samples", "3", "--widths", "8", "--steps", "4", "--out", str(tmp_path)]
    assert command(["study", "loss-bound", *options, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    flows = [row for row in answer["rows"] if row["kind"] == "flow"]
    assert [row["above_moving"] for row in flows] == [0.0, 0.0]
    assert "never violated" in answer["verdict"][0]
    assert answer["outcome"] == "holds"
    page = (tmp_path / "loss-bound-mlp-boston-standard-quick.md").read_text()
    assert "cross-entropy" in page
    assert (tmp_path / "loss-bound-mlp-boston-standard-quick-curves.png").stat().st_size > 5000


@pytest.mark.parametrize(("samples", "verdict"), [(9, "has rank 4 on 9 samples"), (3, "has full rank, 3, here")])
def test_the_published_matrix_has_no_more_rank_than_there_are_parameter_tensors(samples, verdict):
    study = LossBound.of(samples=samples, widths=(16,), steps=2)
    network, x, _ = study._problem("network")
    rows = [torch.autograd.grad(network(one[None]).sum(), list(network.parameters())) for one in x]
    sums = torch.stack([torch.stack([each.sum() for each in row]) for row in rows])
    values = torch.linalg.eigvalsh(sums @ sums.T)
    assert int((values > 1e-12 * values[-1]).sum()) == min(4, samples)
    assert verdict in study._rank()


def test_bad_input(tmp_path, capsys):
    with pytest.raises(ChoiceError, match="two samples"):
        LossBound.of(samples=1)
    assert command(["study", "loss-bound", "--repeats", "5", "--out", str(tmp_path)]) == 2
    assert "--repeats is no option of loss-bound" in capsys.readouterr().err
