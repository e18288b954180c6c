"""Squared-error training with the smallest eigenvalue of the kernel beside it: gradient flow and gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from ntknas.core.errors import KernelError
from ntknas.kernels import empirical_ntk

_NEGLIGIBLE = 1e-3  # of the first loss; the solver's error is relative to outputs, not to what is left of the loss


@dataclass(frozen=True)
class Path:
    """The loss L = (1/N) Σ_i ‖f(x_i) − y_i‖² along a training.

    Attributes:
        times: Time of each point: t of the flow, η × steps of descent.
        losses: L at each.
        lambda_min: Smallest eigenvalue of the NC×NC kernel at each.
        integral: ∫ λ_min(K_s) ds up to each; of descent η Σ_{s<t} λ_min(K_s).
        samples: N.
    """

    times: np.ndarray
    losses: np.ndarray
    lambda_min: np.ndarray
    integral: np.ndarray
    samples: int

    @property
    def bound(self) -> np.ndarray:
        """L_0 exp(−(4/N) ∫ λ_min(K_s) ds): a bound of gradient flow; descent may exceed it by an order of η."""
        moving: np.ndarray = self.losses[0] * np.exp(-4 / self.samples * self.integral)
        return moving

    @property
    def constant(self) -> np.ndarray:
        """L_0 exp(−(4/N) λ_min(K_0) t): a bound only while λ_min(K_s) ≥ λ_min(K_0)."""
        curve: np.ndarray = self.losses[0] * np.exp(-4 / self.samples * self.lambda_min[0] * self.times)
        return curve

    @property
    def published(self) -> np.ndarray:
        """L_0 exp(−λ_min(K_0) · step), with neither η nor N: no bound."""
        curve: np.ndarray = self.losses[0] * np.exp(-self.lambda_min[0] * np.arange(len(self.times)))
        return curve

    @property
    def excess(self) -> float:
        """The largest L_t / bound − 1, at least 0, where the loss is above a thousandth of the first."""
        large = self.losses > _NEGLIGIBLE * self.losses[0]
        return float(max(0.0, (self.losses[large] / self.bound[large] - 1).max()))

    @property
    def constant_until(self) -> float:
        """Time from which λ_min(K_s) is below λ_min(K_0) for the first time; infinity if never."""
        below = np.flatnonzero(self.lambda_min < self.lambda_min[0] * (1 - 1e-9))
        return float(self.times[below[0]]) if len(below) else float("inf")


def squared_error(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Return L = (1/N) Σ_i ‖f(x_i) − y_i‖²."""
    outputs: Tensor = network(x)
    return (outputs - y).square().sum() / len(x)


def kernel_of(network: nn.Module, x: Tensor) -> Tensor:
    """Return the NC×NC kernel of all parameters."""
    return empirical_ntk(network, x, "full", parameters="all", verify=False).matrix


def smallest(network: nn.Module, x: Tensor) -> float:
    """Return λ_min of the NC×NC kernel of all parameters; rounding below zero is zero."""
    return max(0.0, float(torch.linalg.eigvalsh(kernel_of(network, x))[0]))


def descend(network: nn.Module, x: Tensor, y: Tensor, learning_rate: float, steps: int) -> Path:
    """Train by plain full-batch gradient descent.

    Args:
        network: The network, trained in place.
        x: Inputs.
        y: Targets, N×C.
        learning_rate: η.
        steps: Number of steps.

    Returns:
        The path of the loss.
    """
    losses, eigenvalues = [], []
    parameters = list(network.parameters())
    for step in range(steps + 1):
        loss = squared_error(network, x, y)
        losses.append(loss.item())
        eigenvalues.append(smallest(network, x))
        if step == steps:
            break
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                if gradient is not None:
                    parameter.sub_(learning_rate * gradient)
    series = np.array(eigenvalues)
    integral = learning_rate * np.concatenate([[0.0], np.cumsum(series[:-1])])
    return Path(learning_rate * np.arange(steps + 1), np.array(losses), series, integral, len(x))


def flow(network: nn.Module, x: Tensor, y: Tensor, times: Sequence[float], relative: float = 1e-8) -> Path:
    """Follow gradient flow dθ/dt = −∇L by an ODE solver of order 5 with the integral of λ_min as one more unknown.

    Args:
        network: The network; its parameters are those at the last time afterwards.
        x: Inputs.
        y: Targets, N×C.
        times: Times to report, ascending from 0.
        relative: Relative tolerance of the solver; the absolute one is a hundredth of it. Kinks of ReLU make it slow.

    Returns:
        The path of the loss.

    Raises:
        KernelError: If the solver does not reach the last time.
    """
    parameters = list(network.parameters())

    def derivative(_: float, state: np.ndarray) -> np.ndarray:
        # A copy: parameters become views of the vector, whose memory is the solver's.
        vector_to_parameters(torch.from_numpy(state[:-1].copy()).to(x), parameters)
        used = torch.autograd.grad(squared_error(network, x, y), parameters, allow_unused=True)
        gradients = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, used, strict=True)]
        downhill = parameters_to_vector([torch.neg(gradient) for gradient in gradients]).detach().cpu().numpy()
        return np.append(downhill, smallest(network, x))

    start = np.append(parameters_to_vector(parameters).detach().cpu().numpy().astype(float), 0.0)
    solved = solve_ivp(derivative, (times[0], times[-1]), start, t_eval=times, rtol=relative, atol=relative / 100)
    if not solved.success:
        raise KernelError(f"Gradient flow could not be followed to time {times[-1]:g}: {solved.message}")
    losses, eigenvalues = [], []
    for state in solved.y.T:
        vector_to_parameters(torch.from_numpy(state[:-1].copy()).to(x), parameters)
        with torch.no_grad():
            losses.append(squared_error(network, x, y).item())
        eigenvalues.append(smallest(network, x))
    return Path(np.asarray(times, float), np.array(losses), np.array(eigenvalues), solved.y[-1], len(x))
