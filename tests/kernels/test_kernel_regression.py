"""Kernel regression: against scikit-learn, against gradient flow step by step, and against a linear network."""

import pytest
import torch
from torch import nn

from ntknas import empirical_ntk
from ntknas.core.errors import KernelError
from ntknas.kernels.kernel_regression import KernelRegression, ridge_estimator, ridge_prediction


def problem(samples=12, test=5, features=20):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(samples + test, features, generator=generator, dtype=torch.float64)
    y = torch.randn(samples, 3, generator=generator, dtype=torch.float64)
    kernel = x @ x.T
    return kernel[:samples, :samples], kernel[samples:, :samples], y, x


@pytest.mark.parametrize("ridge", [1e-4, 0.1, 3.0])
def test_all_solvers_give_the_closed_form(ridge):
    kernel, cross, y, _ = problem()
    alpha = ridge * float(torch.linalg.eigvalsh(kernel).mean())
    expected = cross @ torch.linalg.inv(kernel + alpha * torch.eye(12, dtype=torch.float64)) @ y
    by_scikit_learn = ridge_estimator().set_params(alpha=alpha).fit(kernel.numpy(), y.numpy()).predict(cross.numpy())
    predictions = {
        "eigendecomposition": KernelRegression(kernel, cross).ridge(y, ridge),
        "Cholesky": ridge_prediction(kernel, cross, y, ridge),
        "scikit-learn": torch.from_numpy(by_scikit_learn),
    }
    for predicted in predictions.values():
        torch.testing.assert_close(predicted, expected, rtol=1e-8, atol=1e-10)
    assert {predicted.dtype for predicted in predictions.values()} == {torch.float64}


@pytest.mark.parametrize("negative", [-1.0, 0.0])
def test_cholesky_refuses_what_the_ridge_does_not_make_positive(negative):
    kernel = torch.diag(torch.tensor([negative, 2.0, 2.0], dtype=torch.float64))
    cross, y = torch.ones(1, 3, dtype=torch.float64), torch.ones(3, 1, dtype=torch.float64)
    with pytest.raises(KernelError, match="not positive definite"):
        ridge_prediction(kernel, cross, y, 0.0)
    with pytest.raises(KernelError, match="not positive definite"):
        ridge_prediction(torch.zeros_like(kernel), cross, y, 1.0)
    assert torch.isfinite(ridge_prediction(kernel, cross, y, 2.0)).all()


def test_from_the_networks_output_at_initialisation():
    kernel, cross, y, _ = problem()
    regression = KernelRegression(kernel, cross)
    start, start_test = torch.ones(12, 3, dtype=torch.float64), 2 * torch.ones(5, 3, dtype=torch.float64)
    expected = start_test + regression.ridge(y - start, 0.1)
    torch.testing.assert_close(regression.ridge(y, 0.1, start, start_test), expected)


def test_flow_is_the_limit_of_small_steps():
    kernel, cross, y, _ = problem()
    time, steps = 0.3, 20_000
    values, test = torch.zeros_like(y), torch.zeros(5, 3, dtype=torch.float64)
    for _ in range(steps):
        residual = 2 / 12 * (y - values) * time / steps
        values, test = values + kernel @ residual, test + cross @ residual
    torch.testing.assert_close(KernelRegression(kernel, cross).flow(y, time), test, rtol=1e-3, atol=1e-4)


def test_flow_goes_to_the_fit_without_ridge():
    kernel, cross, y, _ = problem()
    regression = KernelRegression(kernel, cross)
    torch.testing.assert_close(regression.flow(y, 1e6), regression.ridge(y, 0.0), rtol=1e-6, atol=1e-8)
    own = KernelRegression(kernel, kernel)
    torch.testing.assert_close(own.ridge(y, 0.0), y, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(own.flow(y, 0.0), torch.zeros_like(y))


def test_a_linear_network_trained_by_small_steps_is_its_kernels_flow():
    _, _, y, x = problem()
    network = nn.Linear(20, 3, bias=False).double()
    with torch.no_grad():
        start = network(x)
    matrix = empirical_ntk(network, x, "traced", parameters="all").matrix / 3
    time, steps = 0.5, 4000
    optimizer = torch.optim.SGD(network.parameters(), time / steps)
    for _ in range(steps):
        optimizer.zero_grad()
        ((network(x[:12]) - y).square().sum() / 12).backward()
        optimizer.step()
    flowed = KernelRegression(matrix[:12, :12], matrix[12:, :12]).flow(y, time, start[:12], start[12:])
    torch.testing.assert_close(network(x[12:]).detach(), flowed, rtol=5e-3, atol=5e-3)


def test_a_singular_kernel_has_the_fit_of_the_smallest_norm():
    kernel, cross, y, x = problem(features=4)
    regression = KernelRegression(kernel, cross)
    assert regression.is_singular
    weights = torch.linalg.pinv(x[:12]) @ y
    torch.testing.assert_close(regression.ridge(y, 0.0), x[12:] @ weights, rtol=1e-7, atol=1e-8)
    assert torch.isfinite(regression.flow(y, 10.0)).all()
    assert not KernelRegression(*problem()[:2]).is_singular


def test_the_ridge_with_the_smallest_error_on_the_validation_part():
    kernel, cross, y, _ = problem(samples=30, features=10)
    validation = torch.arange(30) % 5 == 0
    ridges = (0.0, 1e-2, 1e3)
    errors = []
    for ridge in ridges:
        model = KernelRegression(kernel[~validation][:, ~validation], kernel[validation][:, ~validation])
        errors.append(float((model.ridge(y[~validation], ridge) - y[validation]).square().mean()))
    assert KernelRegression(kernel, cross).best_ridge(y, validation, ridges) == ridges[errors.index(min(errors))]


def test_kernels_that_do_not_fit():
    kernel, cross, _, _ = problem()
    with pytest.raises(KernelError, match="N×N kernel"):
        KernelRegression(kernel, cross[:, :3])
    with pytest.raises(KernelError, match="without NaN"):
        KernelRegression(kernel * float("nan"), cross)
