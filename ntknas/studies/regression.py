"""Regression: is the trained network the function that its kernels predict?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ntknas.core.errors import ChoiceError, KernelError, check_known
from ntknas.kernels import empirical_ntk
from ntknas.kernels.analytic import convolutional, finite_network, fully_connected, infinite_kernel
from ntknas.kernels.analytic.infinite import estimated_seconds
from ntknas.kernels.analytic.layers import Layer
from ntknas.kernels.kernel_regression import KernelRegression
from ntknas.measures.alignment import centred, cosine
from ntknas.report.figures import BarGroup, Bars, Figure, Line, LineGrid, LinePanel
from ntknas.studies.base import Findings, Row, Unit
from ntknas.studies.data import load

RIDGES = (0.0, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""In units of the kernel's mean eigenvalue."""
VALIDATION_SHARE = 5  # every fifth training sample
LAYERS: dict[str, list[Layer]] = {
    "mlp": fully_connected(1, "relu", 2**0.5, 0.1),
    "cnn": convolutional(2, "relu", 2**0.5, 0.1, stride=2),
    "cnn-pool": convolutional(2, "relu", 2**0.5, 0.1, stride=2, pooling=True),
}
KERNELS = {"start": "at initialisation", "end": "after training", "infinite": "infinite width"}


@dataclass(frozen=True)
class Regression:
    """A trained network against three kernels, as functions on test samples.

    Attributes:
        family: A key of ``LAYERS``; networks are in NTK parametrisation.
        data: ``mnist`` (one-hot targets) or ``boston``.
        samples: Training samples; a balanced set of MNIST.
        test: Test samples.
        width: Width of the network.
        steps: Steps of full-batch gradient descent, with rate N / (2 λ_max).
        repeats: Initialisations.
        seed: Seed of the first.
        folder: Folder of downloaded images.
        device: Where to compute.

    Raises:
        ChoiceError: If a name or number is out of range.
    """

    family: str = "mlp"
    data: str = "mnist"
    samples: int = 1000
    test: int = 100
    width: int = 512
    steps: int = 500
    repeats: int = 5
    seed: int = 0
    folder: Path = Path("image_data")
    device: str = "cpu"

    name: ClassVar[str] = "regression"
    title: ClassVar[str] = "The trained network and three kernel predictors"
    claim: ClassVar[str] = (
        "In the infinite-width limit a network trained by gradient flow is the kernel regression with its tangent "
        "kernel, which does not change. Of finite networks: is the trained function that of the kernel at "
        "initialisation, of the kernel after training, or of infinite width?"
    )
    formula: ClassVar[str] = (
        "L = (1/N) Σ ‖f(x_i) − y_i‖², K the kernel averaged over outputs (traced / C), used for every output. flow: "
        "f_0(x) + k K⁻¹(I − exp(−2Kt/N))(y − f_0(X)) at the time t of the network's training; ridge: k (K + r λ̄ I)⁻¹ "
        "y with r chosen on a fifth of the training samples, λ̄ the mean eigenvalue. Distance: ‖f − f_net‖ / ‖f_net‖ "
        "on test samples; alignment: centred alignment (CKA) of kernels."
    )

    def __post_init__(self) -> None:
        """Check names and numbers."""
        check_known("family of networks", self.family, LAYERS)
        check_known("data of this study", self.data, ("mnist", "boston"))
        if self.family != "mlp" and self.data == "boston":
            raise ChoiceError("Convolutional networks take images: choose --data mnist.")
        if min(self.samples, self.test) < 10 or self.steps < 1 or self.repeats < 1:
            raise ChoiceError(
                f"At least 10 training and test samples, a step and a repeat are needed, got {self.samples}, "
                f"{self.test}, {self.steps}, {self.repeats}."
            )

    def settings(self) -> dict[str, Any]:
        """Return every choice but the number of repeats."""
        names = ("family", "data", "samples", "test", "width", "steps", "seed")
        return {**{name: getattr(self, name) for name in names}, "parametrisation": "ntk", "source": self._loaded[2]}

    def units(self) -> list[Unit]:
        """Return the repeats."""
        return [(repeat,) for repeat in range(self.repeats)]

    def cost(self, unit: Unit) -> float:
        """Return one: all repeats are alike."""
        return 1.0

    def bytes_needed(self) -> int:
        """Return the memory of kernels and activations."""
        x, _, _ = self._loaded
        positions = x[0, 0].numel() if self.family != "mlp" else 1
        return 8 * (12 * len(x) ** 2 + 8 * len(x) * self.width * positions)

    def measure(self, unit: Unit) -> list[Row]:
        """Train one network, and compare it with the kernels."""
        (repeat,) = unit
        x, y, _ = self._loaded
        seed = self.seed * 1_000_003 + repeat
        network = finite_network(LAYERS[self.family], x.shape[1:], self.width, y.shape[1], seed).to(x.device, x.dtype)
        with torch.no_grad():
            start = network(x)
        kernels = {"start": self._kernel(network, x)}
        rate = self.samples / (2 * float(torch.linalg.eigvalsh(kernels["start"][: self.samples, : self.samples])[-1]))
        loss = _train(network, x[: self.samples], y[: self.samples], rate, self.steps)
        kernels |= {"end": self._kernel(network, x), "infinite": self._infinite}
        with torch.no_grad():
            trained = network(x)[self.samples :]
        rows = [{**self._judged("network", trained, trained), "loss": loss}]
        for name, kernel in kernels.items():
            rows += self._predictions(name, kernel, start, trained, rate * self.steps)
        aligned = {f"{a}~{b}": _alignment(kernels[a], kernels[b]) for a, b in _PAIRS}
        spectra = {name: _eigenvalues(kernel[: self.samples, : self.samples]) for name, kernel in kernels.items()}
        return [*rows, {"method": "kernels", "alignment": aligned, "spectra": spectra if repeat == 0 else {}}]

    def _kernel(self, network: nn.Module, x: Tensor) -> Tensor:
        kernel = empirical_ntk(network, x, "traced", parameters="all", verify=False)
        return kernel.matrix / kernel.outputs

    def seconds_of_the_infinite_kernel(self) -> float:
        """Return about how long the infinite kernel takes, which is the longest part with global average pooling."""
        return estimated_seconds(LAYERS[self.family], self._loaded[0])

    @cached_property
    def _infinite(self) -> Tensor:
        return infinite_kernel(LAYERS[self.family], self._loaded[0]).ntk.cpu()

    def _predictions(self, name: str, kernel: Tensor, start: Tensor, trained: Tensor, time: float) -> list[Row]:
        """Flow and ridge regression with one kernel."""
        n, y = self.samples, self._loaded[1]
        start, y = start.cpu(), y.cpu()
        regression = KernelRegression(kernel[:n, :n], kernel[n:, :n])
        validation = torch.arange(n) % VALIDATION_SHARE == 0
        ridge = regression.best_ridge(y[:n], validation, RIDGES)
        flowed = regression.flow(y[:n], time, start[:n], start[n:])
        ridged = regression.ridge(y[:n], ridge)
        trained = trained.cpu()
        return [
            {**self._judged(f"flow, {name}", flowed, trained), "singular": regression.is_singular},
            {**self._judged(f"ridge, {name}", ridged, trained), "ridge": ridge, "singular": regression.is_singular},
        ]

    def _judged(self, method: str, found: Tensor, trained: Tensor) -> Row:
        """Error, accuracy, and how near a function is to the network's."""
        y = self._loaded[1][self.samples :].to(found)
        row = {
            "method": method,
            "error": float((found - y).square().mean()),
            "distance": float((found - trained).norm() / trained.norm()),
        }
        if self.data == "mnist":
            row |= {
                "accuracy": 100 * float((found.argmax(1) == y.argmax(1)).double().mean()),
                "agreement": 100 * float((found.argmax(1) == trained.argmax(1)).double().mean()),
            }
        return row

    @cached_property
    def _loaded(self) -> tuple[Tensor, Tensor, str]:
        """Inputs and targets, training samples first; classes are one-hot, less their mean."""
        found = load(self.data, self.samples + self.test, self.folder)
        y = F.one_hot(found.y, found.outputs).double() - 0.1 if found.is_classification else found.y
        return found.x.to(self.device), y.to(self.device), found.source

    def summarise(self, rows: Sequence[Row]) -> Findings:
        """Return the mean over repeats of every method, alignments, and which kernel is nearest."""
        methods = pd.DataFrame([row for row in rows if row["method"] != "kernels"])
        groups = methods.groupby("method", sort=False)
        columns = [name for name in ("accuracy", "error", "distance", "agreement") if name in methods]
        table = groups[columns].mean().reset_index()
        for name in columns:
            table[f"{name}_sd"] = groups[name].std().to_numpy()
        kernels = [row for row in rows if row["method"] == "kernels"]
        return Findings(table, self._figures(table, kernels), self._verdict(table, methods, kernels))

    def _figures(self, table: pd.DataFrame, kernels: Sequence[Row]) -> dict[str, Figure]:
        text = f"{self.family} of width {self.width}, {self.samples} samples of {self.data}"
        chosen = table[table["method"] != "network"]
        value, spread = (chosen[name].to_numpy(float) for name in ("distance", "distance_sd"))
        group = BarGroup("mean of repeats, ± standard deviation", value, value - spread, value + spread)
        label = "‖f − f_net‖ / ‖f_net‖ on test samples"
        bars = Bars(f"Distance from the trained network: {text}", label, chosen["method"].tolist(), [group])
        spectra: dict[str, list[float]] = next((row["spectra"] for row in kernels if row["spectra"]), {})
        lines = [Line(KERNELS[name], np.arange(1, len(each) + 1), np.array(each)) for name, each in spectra.items()]
        panel = LinePanel("spectrum of the training samples' kernel", lines, y_scale="log")
        return {"distance": bars, "spectra": LineGrid(f"Spectra: {text}", "i", "eigenvalue", [panel], "log")}

    def _verdict(self, table: pd.DataFrame, methods: pd.DataFrame, kernels: Sequence[Row]) -> list[str]:
        by = table.set_index("method")
        flows = by.loc[[f"flow, {name}" for name in KERNELS], "distance"]
        nearest = str(flows.idxmin()).removeprefix("flow, ")
        shown = ", ".join(f"{KERNELS[name]} {flows[f'flow, {name}']:.3f}" for name in KERNELS)
        lines = [
            f"{self.family} of width {self.width} in NTK parametrisation, {self.samples} training and {self.test} "
            f"test samples of {self.data}, {self.repeats} repeats.",
            f"Distance of gradient flow with the kernel from the trained network: {shown}: nearest {KERNELS[nearest]}.",
        ]
        if "accuracy" in by:
            best = by["accuracy"].idxmax()
            lines.append(
                f"Test accuracy: network {by.loc['network', 'accuracy']:.1f} %, best {best} "
                f"{by.loc[best, 'accuracy']:.1f} %; flow with the kernel at initialisation predicts the network's "
                f"class in {by.loc['flow, start', 'agreement']:.1f} % of the cases."
            )
        else:
            best = by["error"].idxmin()
            lines.append(
                f"Test error (mean square, of targets of variance 1): network {by.loc['network', 'error']:.3f}, best "
                f"{best} {by.loc[best, 'error']:.3f}."
            )
        means = {key: np.mean([row["alignment"][key] for row in kernels]) for key in kernels[0]["alignment"]}
        lines.append("Alignment of kernels: " + ", ".join(f"{key} {value:.3f}" for key, value in means.items()) + ".")
        if methods["singular"].fillna(value=False).astype(bool).any():
            lines.append("A kernel was singular: its fit without ridge is the one of the smallest norm.")
        return lines


_PAIRS = (("start", "end"), ("start", "infinite"), ("end", "infinite"))


def _train(network: nn.Module, x: Tensor, y: Tensor, rate: float, steps: int) -> float:
    """Train by full-batch gradient descent and return the last loss.

    Raises:
        KernelError: If the loss diverges.
    """
    optimizer = torch.optim.SGD(network.parameters(), rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (network(x) - y).square().sum() / len(x)
        loss.backward()
        optimizer.step()
    last = loss.item()
    if not np.isfinite(last):
        raise KernelError(f"Training diverged at rate {rate:.3g}: take a larger --widths, or fewer --steps.")
    return last


def _alignment(first: Tensor, second: Tensor) -> float:
    return cosine(centred(first), centred(second), first, second)


def _eigenvalues(kernel: Tensor) -> list[float]:
    values: list[float] = torch.linalg.eigvalsh(kernel).flip(0).clamp(min=0).tolist()
    return values
