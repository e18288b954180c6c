"""Regression: is the trained network the function that its kernels predict?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ntknas.core.errors import ChoiceError, KernelError, check_known
from ntknas.kernels import empirical_ntk
from ntknas.kernels.analytic.infinite import estimated_seconds
from ntknas.kernels.kernel_regression import KernelRegression
from ntknas.measures.alignment import centred, cosine
from ntknas.report.figures import BarGroup, Bars, Figure, Line, LineGrid, LinePanel
from ntknas.report.text import Formula
from ntknas.studies.base import Findings, OptionError, Row, Study, Unit
from ntknas.studies.limits import LAYERS, Limit
from ntknas.studies.options import Numbers
from ntknas.studies.subject import Subject
from ntknas.studies.verdict import Outcome, Verdict
from ntknas.studies.words import counted, setting_of

RIDGES = (0.0, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""In units of the kernel's mean eigenvalue."""
VALIDATION_SHARE = 5  # every fifth training sample
MIN_QUICK_SAMPLES = 20
CLASSES = 10
KERNELS = {"start": "at initialisation", "end": "after training", "infinite": "infinite width"}
_OF_KERNELS = {**KERNELS, "infinite": "of infinite width"}
_WAYS = {"flow": "gradient flow", "ridge": "ridge regression"}
_DISTANCE = Formula(r"mean $\Vert f - f_\mathrm{net}\Vert\,/\,\Vert f_\mathrm{net}\Vert$")
_PLACE, _EIGENVALUE = Formula("place $i$ of the eigenvalue"), Formula(r"eigenvalue $\lambda_i$")


@dataclass(frozen=True)
class Regression(Study):
    """A trained network against three kernels, as functions on test samples.

    Attributes:
        subject: Which networks, on which training samples: ``mnist`` (one-hot targets, balanced) or ``boston``.
        test: Test samples.
        width: Width of the network.
        steps: Steps of full-batch gradient descent, with rate N / (2 λ_max).
        repeats: Initialisations.

    Raises:
        ChoiceError: If a name or number is out of range.
    """

    subject: Subject
    test: int
    width: int
    steps: int
    repeats: int

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

    FAMILIES: ClassVar = ("mlp-1", "cnn-flat", "cnn-pool")
    PUBLISHED: ClassVar[Numbers] = Numbers(samples=1000, test=100, widths=(512,), steps=500, repeats=5)
    QUICK: ClassVar[Numbers] = Numbers(samples=100, widths=(64,), steps=50, repeats=2)
    HOUSES: ClassVar[Numbers] = Numbers(samples=400)
    UNREAD: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("learning_rate", "parametrisation"),
        "regression is of networks in NTK parametrisation; its learning rate follows from the kernel.",
    )

    @classmethod
    def default_data(cls, family: str) -> str:
        """Return the data that a family is studied on where none is named."""
        return "mnist"

    @classmethod
    def preset(cls, family: str, data: str, *, quick: bool) -> Numbers:
        """Return the published or the quick numbers for a family on data."""
        houses: Numbers = cls.HOUSES if data == "boston" and not quick else {}
        return {**super().preset(family, data, quick=quick), **houses}

    @classmethod
    def make(cls, subject: Subject, numbers: Numbers) -> Self:
        """Make the study of a subject, with all its numbers: of several widths the last; quick, with fewer tests.

        Returns:
            The study.

        Raises:
            OptionError: If too few samples are left for testing.
        """
        test = numbers.get("test", min(cls.PUBLISHED["test"], subject.samples // 2))
        if "test" not in numbers and subject.samples < MIN_QUICK_SAMPLES:
            raise OptionError(f"`samples` must be at least {MIN_QUICK_SAMPLES} here (half as many are for testing).")
        return cls(subject, test, numbers["widths"][-1], numbers["steps"], numbers["repeats"])

    def __post_init__(self) -> None:
        """Check names and numbers."""
        check_known("data of this study", self.subject.data, ("mnist", "boston"))
        if self.subject.networks.kind != "dense" and self.subject.data == "boston":
            raise ChoiceError("Convolutional networks take images: choose `data` mnist.")
        if min(self.subject.samples, self.test) < 10 or self.steps < 1 or self.repeats < 1:
            raise ChoiceError(
                f"At least 10 training and test samples, a step and a repeat are needed, got {self.subject.samples}, "
                f"{self.test}, {self.steps}, {self.repeats}."
            )

    def settings(self) -> dict[str, object]:
        """Return every choice but the number of repeats."""
        numbers = {"test": self.test, "width": self.width, "steps": self.steps}
        return {**self.subject.identity(self._limit.source, self._limit.data, **numbers)}

    def units(self) -> list[Unit]:
        """Return the repeats."""
        return [(repeat,) for repeat in range(self.repeats)]

    def cost(self, unit: Unit) -> float:
        """Return one: all repeats are alike."""
        return 1.0

    def bytes_needed(self) -> int:
        """Return the memory of kernels and activations."""
        x = self._limit.x
        positions = 1 if self.subject.networks.kind == "dense" else x[0, 0].numel()
        return 8 * (12 * len(x) ** 2 + 8 * len(x) * self.width * positions)

    def measure(self, unit: Unit) -> list[Row]:
        """Train one network, and compare it with the kernels."""
        (repeat,) = unit
        x, y, n = self._limit.x, self._targets, self.subject.samples
        # Not seed_of, and to stay so: ledgers hold what networks of these seeds gave.
        network = self._limit.network(self.width, self.subject.seed * 1_000_003 + repeat, y.shape[1])
        with torch.no_grad():
            start = network(x)
        kernels = {"start": self._kernel(network, x)}
        rate = n / (2 * float(torch.linalg.eigvalsh(kernels["start"][:n, :n])[-1]))
        loss = _train(network, x[:n], y[:n], rate, self.steps)
        kernels |= {"end": self._kernel(network, x), "infinite": self._infinite}
        with torch.no_grad():
            trained = network(x)[n:]
        rows = [{**self._judged("network", trained, trained), "loss": loss}]
        for name, kernel in kernels.items():
            rows += self._predictions(name, kernel, start, trained, rate * self.steps)
        aligned = {f"{a}~{b}": _alignment(kernels[a], kernels[b]) for a, b in _PAIRS}
        spectra = {name: _eigenvalues(kernel[:n, :n]) for name, kernel in kernels.items()}
        return [*rows, {"method": "kernels", "alignment": aligned, "spectra": spectra if repeat == 0 else {}}]

    def _kernel(self, network: nn.Module, x: Tensor) -> Tensor:
        kernel = empirical_ntk(network, x, "traced", parameters="all", verify=False)
        return kernel.matrix / kernel.outputs

    def seconds_before(self) -> float:
        """Return about how long the infinite kernel takes, which is the longest part with global average pooling."""
        return estimated_seconds(LAYERS[self.subject.family], self._limit.x)

    def warning(self) -> str:
        """Return what is to be said of an infinite kernel that takes long."""
        if self.subject.family != "cnn-pool":
            return ""
        return "The infinite kernel with global average pooling takes some {}: its cost grows as positions²."

    @cached_property
    def _infinite(self) -> Tensor:
        return self._limit.kernel()

    def _predictions(self, name: str, kernel: Tensor, start: Tensor, trained: Tensor, time: float) -> list[Row]:
        """Flow and ridge regression with one kernel."""
        n, y = self.subject.samples, self._targets
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

    def _judged(self, method: str, predicted: Tensor, trained: Tensor) -> Row:
        """Error, accuracy, and how near a function is to the network's."""
        y = self._targets[self.subject.samples :].to(predicted)
        row = {
            "method": method,
            "error": float((predicted - y).square().mean()),
            "distance": float((predicted - trained).norm() / trained.norm()),
        }
        if self.subject.data == "mnist":
            row |= {
                "accuracy": 100 * float((predicted.argmax(1) == y.argmax(1)).double().mean()),
                "agreement": 100 * float((predicted.argmax(1) == trained.argmax(1)).double().mean()),
            }
        return row

    @cached_property
    def _limit(self) -> Limit:
        """The networks on training samples, and test samples after them."""
        return self.subject.limit(self.test)

    @cached_property
    def _targets(self) -> Tensor:
        """Values, or classes as one-hot vectors less their mean."""
        y = self._limit.y
        return F.one_hot(y, CLASSES).double() - 0.1 if self._limit.is_classification else y

    def summarise(self, rows: Sequence[Row]) -> Findings:
        """Return the mean over repeats of every method, alignments, and which kernel is nearest."""
        methods = pd.DataFrame([row for row in rows if row["method"] != "kernels"])
        groups = methods.groupby("method", sort=False)
        columns = [name for name in ("accuracy", "error", "distance", "agreement") if name in methods]
        table = groups[columns].mean().reset_index()
        for name in columns:
            table[f"{name}_sd"] = groups[name].std().to_numpy()
        kernels = [row for row in rows if row["method"] == "kernels"]
        return Findings(
            table, {**self.figures_of(table), **self._spectra(kernels)}, self._verdict(table, methods, kernels)
        )

    def figures_of(self, table: pd.DataFrame) -> dict[str, Figure]:
        """Return the distance of every kernel method from the trained network, the nearest first."""
        methods = table[table["method"] != "network"].sort_values("distance", kind="stable")
        value, spread = (methods[name].to_numpy(float) for name in ("distance", "distance_sd"))
        names = [_words(method) for method in methods["method"]]
        group = BarGroup("", value, np.clip(value - spread, 0, None), value + spread)
        title = "Distance of kernel predictors from the trained network"
        setting = f"{self._setting} On test samples; whiskers: standard deviation over initialisations."
        return {"distance": Bars(title, _DISTANCE, names, [group], setting=setting)}

    def _spectra(self, kernels: Sequence[Row]) -> dict[str, Figure]:
        spectra: dict[str, list[float]] = next((row["spectra"] for row in kernels if row["spectra"]), {})
        lines = [
            # broad: that of the network at initialisation lies on it
            Line(KERNELS[name], np.arange(1.0, len(values) + 1), np.array(values), wide=name == "infinite")
            for name, values in spectra.items()
        ]
        panel = LinePanel("", lines, y_scale="log")
        title = "Spectra of the kernels of the training samples"
        setting = f"{self._setting} First initialisation."
        return {"spectra": LineGrid(title, _PLACE, _EIGENVALUE, [panel], "log", setting=setting)}

    @property
    def _setting(self) -> str:
        subject, steps = self.subject, f"{counted(self.steps, 'step')} of gradient descent"
        return setting_of(
            subject,
            f"width {self.width:,}",
            f"{self.test} test samples",
            steps,
            counted(self.repeats, "initialisation"),
        )

    def _verdict(self, table: pd.DataFrame, methods: pd.DataFrame, kernels: Sequence[Row]) -> Verdict:
        by = table.set_index("method")
        flows = by.loc[[f"flow, {name}" for name in KERNELS], "distance"]
        nearest = str(flows.idxmin()).removeprefix("flow, ")
        distances = ", ".join(f"{KERNELS[name]} {flows[f'flow, {name}']:.3f}" for name in KERNELS)
        lines = [
            f"{self.subject.name} of width {self.width} in NTK parametrisation, {self.subject.samples} training and "
            f"{self.test} test samples of {self.subject.data}, {self.repeats} repeats.",
            f"Distance of gradient flow with the kernel from the trained network: {distances}: nearest "
            f"{KERNELS[nearest]}.",
        ]
        lines += [_predictions_of(by), _alignments(kernels)]
        if methods["singular"].fillna(value=False).astype(bool).any():
            lines.append("A kernel was singular: its fit without ridge is the one of the smallest norm.")
        figures = {KERNELS[name]: float(flows[f"flow, {name}"]) for name in KERNELS}
        return Verdict(Outcome.UNDECIDED, tuple(lines), figures)  # the claim is about infinite width


def _words(method: str) -> str:
    """Return a method in words: how the kernel is used, and which it is."""
    way, _, kernel = method.partition(", ")
    return f"{_WAYS[way]}, kernel {_OF_KERNELS[kernel]}"


def _predictions_of(by: pd.DataFrame) -> str:
    """How well the network and the best method predict."""
    if "accuracy" in by:
        best = by["accuracy"].idxmax()
        return (
            f"Test accuracy: network {by.loc['network', 'accuracy']:.1f} %, best {best} "
            f"{by.loc[best, 'accuracy']:.1f} %; flow with the kernel at initialisation predicts the network's "
            f"class in {by.loc['flow, start', 'agreement']:.1f} % of the cases."
        )
    best = by["error"].idxmin()
    return (
        f"Test error (mean square, of targets of variance 1): network {by.loc['network', 'error']:.3f}, best "
        f"{best} {by.loc[best, 'error']:.3f}."
    )


def _alignments(kernels: Sequence[Row]) -> str:
    means = {key: np.mean([row["alignment"][key] for row in kernels]) for key in kernels[0]["alignment"]}
    return "Alignment of kernels: " + ", ".join(f"{key} {value:.3f}" for key, value in means.items()) + "."


_PAIRS = (("start", "end"), ("start", "infinite"), ("end", "infinite"))


def _train(network: nn.Module, x: Tensor, y: Tensor, rate: float, steps: int) -> float:
    """Train by full-batch gradient descent.

    Returns:
        The last loss.

    Raises:
        KernelError: If the loss diverges.
    """
    optimizer = torch.optim.SGD(network.parameters(), rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (network(x) - y).square().sum() / len(x)
        loss.backward()
        optimizer.step()
    last = float(loss.item())
    if not np.isfinite(last):
        raise KernelError(f"Training diverged at rate {rate:.3g}: take a larger `widths`, or fewer `steps`.")
    return last


def _alignment(first: Tensor, second: Tensor) -> float:
    alignment: float = cosine(centred(first), centred(second), first, second)
    return alignment


def _eigenvalues(kernel: Tensor) -> list[float]:
    values: list[float] = torch.linalg.eigvalsh(kernel).flip(0).clamp(min=0).tolist()
    return values


STUDY = Regression
