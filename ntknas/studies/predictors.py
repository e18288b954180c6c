"""What is compared on one split: kernel machines and trained networks, every choice made on the training samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC, SVR
from torch import Tensor, nn

from ntknas.core.errors import KernelError
from ntknas.kernels.kernel_regression import ridge_estimator
from ntknas.studies.splits import Split

C = np.logspace(-2, 4, 7).tolist()
RIDGE = np.logspace(-6, 1, 8).tolist()
EPSILON = [0.001, 0.01, 0.1]
"""Grids for kernels whose mean diagonal over the training samples is 1; ε in standard deviations of the target."""
RATES = (0.003, 0.01, 0.03)
"""Learning rates of Adam."""
MOMENTS = 20
"""How often a network is judged while it trains, to choose when to stop."""
_INDEFINITE = 1e-8


@dataclass(frozen=True)
class Machine:
    """A kernel machine of scikit-learn.

    Attributes:
        make: Makes it.
        grid: What its numbers are chosen from.
        is_ridge: Whether it is kernel ridge: without an intercept, and for classes a regression on one-hot targets.
    """

    make: Callable[[], Any]
    grid: dict[str, list[float]]
    is_ridge: bool = False


_KERNEL_RIDGE = Machine(ridge_estimator, {"alpha": RIDGE}, is_ridge=True)
CLASSIFIERS = {
    "SVC": Machine(lambda: SVC(kernel="precomputed"), {"C": C}),
    "kernel ridge": _KERNEL_RIDGE,
}
REGRESSORS = {
    "SVR": Machine(lambda: SVR(kernel="precomputed"), {"C": C, "epsilon": EPSILON}),
    "kernel ridge": _KERNEL_RIDGE,
}


def check_positive(kernel: np.ndarray, name: str) -> None:
    """Check that a kernel is positive semi-definite to rounding, as kernel machines need.

    Raises:
        KernelError: If it is not, or has an entry that is no number.
    """
    if not np.isfinite(kernel).all():
        raise KernelError(f"The kernel {name} is not finite: scale the features down.")
    values = np.linalg.eigvalsh(kernel)
    if values[0] < -_INDEFINITE * values[-1]:
        raise KernelError(
            f"The kernel {name} is not positive semi-definite: eigenvalues from {values[0]:.3g} to {values[-1]:.3g}."
        )


def kernel_prediction(
    machine: Machine, kernel: np.ndarray, targets: np.ndarray, split: Split, inner: Sequence[Split]
) -> tuple[np.ndarray, dict[str, float]]:
    """Fit a kernel machine, its numbers chosen by cross-validation within the training samples.

    Args:
        machine: The machine.
        kernel: Of all samples, N×N.
        targets: Classes, N, or values, N×1.
        split: Training and test places.
        inner: Places within the training ones.

    Returns:
        Classes or values of the test samples, and what was chosen.
    """
    training, test = split
    scale = kernel[training, training].mean()
    fitted, cross = (kernel[np.ix_(rows, training)] / scale for rows in (training, test))
    classes = targets.ndim == 1
    one_hot = classes and machine.is_ridge
    taught = np.eye(targets.max() + 1)[targets][training] if one_hot else targets.ravel()[training]
    offset = taught.mean(0) if machine.is_ridge else 0  # SVC and SVR have an intercept of their own
    scoring = "accuracy" if classes and not one_hot else "neg_mean_squared_error"
    search = GridSearchCV(machine.make(), machine.grid, cv=list(inner), scoring=scoring)
    search.fit(fitted, taught - offset)
    predicted: np.ndarray = search.predict(cross) + offset
    parameters = {name: float(value) for name, value in search.best_params_.items()}
    return predicted.argmax(1) if one_hot else predicted, parameters


def train_network(
    build: Callable[[], nn.Module], x: Tensor, y: Tensor, training: np.ndarray, inner: Split, steps: int
) -> tuple[nn.Module, dict[str, float]]:
    """Train a network by Adam on all training samples, with the rate and number of steps that did best within them.

    Args:
        build: Makes the network, the same one every time.
        x: Inputs of all samples.
        y: Targets of all samples: classes, N, or values, N×1.
        training: Places of the training samples.
        inner: One division of them into samples to fit and samples to judge by.
        steps: The most steps of full-batch training.

    Returns:
        The network, and what was chosen.

    Raises:
        KernelError: If training diverges at every rate.
    """
    fit, held = (training[rows] for rows in inner)
    marks = sorted({max(1, round(steps * moment / MOMENTS)) for moment in range(1, MOMENTS + 1)})
    losses = []
    for rate in RATES:
        network = build()
        steps_at = _trained(network, x[fit], y[fit], rate, marks)
        losses += [(_loss(network, x[held], y[held]), rate, step) for step in steps_at]
    usable = [trial for trial in losses if math.isfinite(trial[0])]
    if not usable:
        raise KernelError(f"Training diverged at every learning rate of {RATES}: take other `widths`.")
    _, rate, step = min(usable)  # of equal losses the lowest rate and the fewest steps
    network = build()
    for _ in _trained(network, x[training], y[training], rate, [step]):
        pass
    return network, {"learning_rate": rate, "steps": float(step)}


def _trained(network: nn.Module, x: Tensor, y: Tensor, rate: float, marks: Sequence[int]) -> Iterator[int]:
    """Train, and stop by at every mark."""
    optimizer = torch.optim.Adam(network.parameters(), rate)
    for step in range(1, marks[-1] + 1):
        optimizer.zero_grad()
        loss = loss_of(network(x), y)
        loss.backward()
        optimizer.step()
        if step in marks:
            yield step


def loss_of(outputs: Tensor, y: Tensor) -> Tensor:
    """Return cross-entropy of classes N, or the mean square of values N×1.

    Raises:
        KernelError: If outputs and values differ in shape: broadcasting would compare every output with every value.
    """
    if not y.is_floating_point():
        return F.cross_entropy(outputs, y)
    if outputs.shape != y.shape:
        raise KernelError(f"Outputs {tuple(outputs.shape)} and values {tuple(y.shape)} must have one shape.")
    return F.mse_loss(outputs, y)


def _loss(network: nn.Module, x: Tensor, y: Tensor) -> float:
    with torch.no_grad():
        return float(loss_of(network(x), y))


def network_prediction(network: nn.Module, x: Tensor) -> np.ndarray:
    """Return classes, or values N, of samples."""
    with torch.no_grad():
        outputs = network(x)
    predicted: np.ndarray = (outputs.argmax(1) if outputs.shape[1] > 1 else outputs[:, 0]).cpu().numpy()
    return predicted
