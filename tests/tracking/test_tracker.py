"""The tracker in plain training loops: what theory says of the kernel while training, and what it leaves alone."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from ntknas import KernelTracker, empirical_ntk, load_space
from ntknas.core.errors import ChoiceError, KernelError
from ntknas.data import Request, make_probe
from ntknas.tracking import DRIFTS


def _train(model, x, y, steps, rate, tracker, every=1):
    optimiser = torch.optim.SGD(model.parameters(), lr=rate)
    tracker.record(0)
    for step in range(1, steps + 1):
        optimiser.zero_grad()
        loss = (model(x) - y).square().mean()
        loss.backward()
        optimiser.step()
        if step % every == 0:
            tracker.record(step, loss=loss.item())
    return tracker


def _data(samples=12):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(samples, 5, generator=generator, dtype=torch.float64)
    return x, torch.sin(x.sum(1, keepdim=True))


class NTKLinear(nn.Linear):
    """Weights of variance 1, output divided by √fan-in."""

    def reset_parameters(self):
        nn.init.normal_(self.weight)
        nn.init.normal_(self.bias)

    def forward(self, x):
        return nn.functional.linear(x, self.weight / math.sqrt(self.in_features), self.bias * 0.1)


def test_a_linear_models_kernel_does_not_move():
    x, y = _data()
    model = nn.Linear(5, 1).double()
    tracker = _train(model, x, y, 5, 0.1, KernelTracker(model, x, parameters="all"))
    values = tracker.frame().set_index(["quantity", "step"])["value"]
    for name, each in DRIFTS.items():
        assert np.allclose(values[name], each.unchanged, atol=1e-12)
        assert np.allclose(values[f"{name}/previous"], each.unchanged, atol=1e-12)
    assert values["parameter_change"].iloc[-1] > 0.01


def test_the_linearised_networks_kernel_does_not_move():
    """f_0 + J_0 (θ − θ_0), trained by its own parameters."""
    x, y = _data()
    network = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 1)).double()
    rows = torch.stack([_row(network, each) for each in x])
    linearised = nn.Linear(rows.shape[1], 1, bias=False).double()
    tracker = _train(linearised, rows, y, 5, 1e-3, KernelTracker(linearised, rows))
    expected = empirical_ntk(network, x, parameters="all").matrix
    assert torch.allclose(empirical_ntk(linearised, rows).matrix, expected, rtol=1e-9)
    assert tracker.snapshots[-1].scores["relative_difference"].value <= 1e-12


def _row(network, x):
    gradients = torch.autograd.grad(network(x[None]).sum(), list(network.parameters()))
    return torch.cat([gradient.flatten() for gradient in gradients])


def test_wide_networks_move_less():
    """NTK parametrisation and a smooth activation: the relative difference falls as width^-1/2 or faster."""
    x, y = _data()
    widths, drifts = [32, 64, 128, 256, 512, 1024], []
    for width in widths:
        differences = []
        for seed in range(4):
            torch.manual_seed(seed)
            model = nn.Sequential(NTKLinear(5, width), nn.Tanh(), NTKLinear(width, 1)).double()
            tracker = _train(model, x, y, 20, 0.5, KernelTracker(model, x, parameters="all"), every=20)
            differences.append(tracker.snapshots[-1].scores["relative_difference"].value)
        drifts.append(np.mean(np.log(differences)))
    fit = stats.linregress(np.log(widths), drifts)
    low, high = fit.slope - 3 * fit.stderr, fit.slope + 3 * fit.stderr
    assert high < -0.4
    assert low > -1.3


def test_a_record_holds_drifts_measures_norms_and_what_the_caller_adds():
    space = load_space("nb201")
    probe = make_probe("digits", 10, Request(image_size=12))
    model = space.build(space[11], channels=2, cells_per_stage=1)
    tracker = KernelTracker(model, probe, measures=("trace", "lga"), keep_kernels=True)
    before = {key: value.clone() for key, value in model.train().state_dict().items()}
    first = tracker.record(0, loss=2.3)
    assert model.training
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.1)
    second = tracker.record(4, loss=math.nan)
    assert set(first.scores) == {*DRIFTS, *(f"{name}/previous" for name in DRIFTS), "trace", "lga", "label_alignment"}
    assert second.parameter_change == pytest.approx(0.1, rel=1e-4)
    assert second.scores["trace"].value == pytest.approx(float(second.kernel.matrix.trace()))
    frame = tracker.frame()
    assert frame.groupby("step").size().tolist() == [18, 18]
    assert frame[(frame["quantity"] == "loss") & (frame["step"] == 4)]["status"].tolist() == ["non-finite"]


def test_against_the_first_and_against_the_one_before():
    x, y = _data()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1)).double()
    tracker = _train(model, x, y, 4, 0.2, KernelTracker(model, x, keep_kernels=True))
    a, b, c = (tracker.snapshots[place] for place in (0, -2, -1))
    assert c.scores["relative_difference"].value == pytest.approx(
        float((c.kernel.matrix - a.kernel.matrix).norm() / a.kernel.matrix.norm())
    )
    assert c.scores["relative_difference/previous"].value == pytest.approx(
        float((c.kernel.matrix - b.kernel.matrix).norm() / b.kernel.matrix.norm())
    )


def test_bad_input():
    model, x = nn.Linear(3, 2), torch.eye(3)
    with pytest.raises(KernelError, match="needs more than one"):
        KernelTracker(model, x, measures=("naswot",))
    with pytest.raises(ChoiceError, match="Unknown measure"):
        KernelTracker(model, x, measures=("condition",))
    tracker = KernelTracker(model, x)
    tracker.record(3)
    with pytest.raises(KernelError, match="step 3 comes after step 3"):
        tracker.record(3)
    probe = make_probe("digits", 4, Request(image_size=12))
    with pytest.raises(KernelError, match="labels of its own"):
        KernelTracker(model, probe, torch.zeros(4))
    with torch.no_grad():
        model.weight.fill_(math.nan)
    assert tracker.record(4).scores["kernel_cosine"].status == "ok"  # a linear kernel does not see its weights
