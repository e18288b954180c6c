"""Loss bound: does the smallest eigenvalue of the kernel bound the training loss?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ntknas.core.errors import ChoiceError
from ntknas.kernels.summed_gradients import summed_gradients
from ntknas.report.figures import Figure, Line, LineGrid, LinePanel
from ntknas.report.text import Formula
from ntknas.studies import parametrised
from ntknas.studies.base import Findings, Row, Study, Unit
from ntknas.studies.cost import STEP
from ntknas.studies.descent import Path, descend, flow, kernel_of
from ntknas.studies.options import Numbers
from ntknas.studies.parametrised import NETWORKS
from ntknas.studies.slopes import fitted, power_law
from ntknas.studies.subject import Subject
from ntknas.studies.verdict import Outcome, Verdict
from ntknas.studies.words import counted, setting_of

FRACTIONS = (1.0, 0.5, 0.25, 0.125)
"""Learning rates as parts of the largest, which is half of what the linearised network allows: η λ_max = N/4."""
_COARSE = 1e-5
"""Relative tolerance of the network's flow, whose bound is far from sharp; tanh θ, where it is, has a finer one."""
TOLERANCE = 1e-6
"""Relative error of the solver that does not count as a violation."""
_LOSS = Formula("training loss $L$")
_EXCESS = Formula(r"largest $L_t\,/\,$bound$\;-\;1$")
_PROPORTIONAL = Formula(r"$\propto \eta$")


@dataclass(frozen=True)
class LossBound(Study):
    """Loss and its curves for one network, under gradient flow and gradient descent at several rates.

    Attributes:
        subject: Which networks, on which data; classes become one-hot targets.
        width: Width of the network.
        steps: Steps of descent at the largest rate; smaller rates make more, for the same time.

    Raises:
        ChoiceError: If there are no steps.
    """

    subject: Subject
    width: int
    steps: int

    name: ClassVar[str] = "loss-bound"
    title: ClassVar[str] = "The loss and the smallest eigenvalue of the kernel"
    claim: ClassVar[str] = (
        "The training loss is bounded by an exponential with the smallest eigenvalue of the kernel as its rate."
    )
    formula: ClassVar[str] = (
        "L = (1/N) Σ ‖f(x_i) − y_i‖², K the NC×NC kernel of all parameters. Gradient flow obeys "
        "L_t ≤ L_0 exp(−(4/N) ∫ λ_min(K_s) ds), exactly, and with one sample and one output as an equality. Descent "
        "with rate η is held against L_0 exp(−(4η/N) Σ_{s<t} λ_min(K_s)), which it may exceed by an order of η: the "
        "excess is the largest L_t / curve − 1, shown on f = tanh θ with the target 2, whose kernel falls. The "
        "constant-kernel curve L_0 exp(−(4/N) λ_min(K_0) t) is a bound only while λ_min(K_s) ≥ λ_min(K_0). "
        "The published curve L_0 exp(−λ_min(K_0) · step) has neither η nor N; here it has the λ_min of the kernel, in "
        "the published code that of a matrix in which each parameter tensor's gradient is summed first. For "
        "cross-entropy (mean over N) dL/dt ≤ −λ_min(K) ‖p − y‖²/N² holds with p the predicted probabilities, but no "
        "exponential follows: ‖p − y‖² falls as L², not as L, when L becomes small."
    )

    FAMILIES: ClassVar = tuple(NETWORKS)
    PARAMETRISATIONS: ClassVar = ("standard", "ntk", "normal-fan-in")
    PUBLISHED: ClassVar[Numbers] = Numbers(samples=20, widths=(200,), steps=60)
    QUICK: ClassVar[Numbers] = Numbers(samples=10, widths=(64,), steps=20)
    REASONS: ClassVar[Mapping[str, str]] = dict.fromkeys(("repeats", "learning_rate"), ": rates follow from the kernel")

    @classmethod
    def preset(cls, family: str, data: str, *, quick: bool) -> Numbers:
        """Return the published or the quick numbers; the published ones are of fully connected networks alone."""
        return super().preset(family, data, quick=quick or family != "mlp-1")

    @classmethod
    def make(cls, subject: Subject, numbers: Numbers) -> Self:
        """Make the study of a subject, with all its numbers; of several widths the last."""
        return cls(subject, numbers["widths"][-1], numbers["steps"])

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.steps < 1:
            raise ChoiceError(f"At least one step is needed, got {self.steps}.")

    def settings(self) -> dict[str, object]:
        """Return every choice."""
        return {
            **self.subject.identity(self.subject.loaded.source, self.subject.data, width=self.width, steps=self.steps)
        }

    def units(self) -> list[Unit]:
        """Return the descents, by the fraction of the largest rate, and the flow: of tanh θ, and of the network."""
        trainings = [("descent", fraction) for fraction in FRACTIONS] + [("flow", 0.0)]
        return [(model, kind, fraction) for model in ("tanh", "network") for kind, fraction in trainings]

    def cost(self, unit: Unit) -> float:
        """Return the multiplications of all steps, each with a kernel; the flow has some ten per step."""
        model, kind, fraction = unit
        steps = self.steps / fraction if kind == "descent" else 10.0 * self.steps
        x, y = self._samples
        weights = self.width * (x[0].numel() + y.shape[1]) if model == "network" else 1
        return steps * (STEP + y.shape[1] * float(len(x) * (3 + len(x)) * weights))

    def bytes_needed(self) -> int:
        """Return the memory of the kernel and the network."""
        x, y = self._samples
        network = self._network(x, y)
        parameters = sum(parameter.numel() for parameter in network.parameters())
        return int(8 * (6 * y.numel() ** 2 + 8 * parameters + 6 * x.numel() * self.width))

    def measure(self, unit: Unit) -> list[Row]:
        """Return the path of one training."""
        model, kind, fraction = unit
        network, x, y = self._problem(model)
        largest = len(x) / (4 * float(torch.linalg.eigvalsh(kernel_of(network, x))[-1]))
        if kind == "descent":
            path = descend(network, x, y, fraction * largest, round(self.steps / fraction))
        else:
            times = (largest * np.arange(self.steps + 1)).tolist()
            path = flow(network, x, y, times, *([_COARSE] if model == "network" else []))
        series = {name: getattr(path, name).tolist() for name in ("times", "losses", "lambda_min", "integral")}
        return [{"model": model, "kind": kind, "rate": fraction * largest, "samples": len(x), **series}]

    def _problem(self, model: str) -> tuple[nn.Module, Tensor, Tensor]:
        """Return a network with its inputs and targets."""
        if model == "tanh":
            x = torch.ones(1, 1, dtype=torch.float64, device=self.subject.device)
            return _Tanh().to(self.subject.device), x, 2 * x
        x, y = self._samples
        return self._network(x, y), x, y

    def _network(self, x: Tensor, y: Tensor) -> nn.Module:
        subject = self.subject
        return parametrised.build(subject.family, subject.parametrisation, x, self.width, y.shape[1], subject.seed)

    @cached_property
    def _samples(self) -> tuple[Tensor, Tensor]:
        """Inputs and targets."""
        loaded = self.subject.loaded
        y = F.one_hot(loaded.y, loaded.outputs).double() if loaded.is_classification else loaded.y
        return loaded.x, y

    def summarise(self, rows: Sequence[Row]) -> Findings:
        """Return excess and violations by rate, the curves, and whether the excess vanishes with the rate."""
        trainings = [_Training(row["model"], row["kind"], float(row["rate"]), _path(row)) for row in rows]
        table = pd.DataFrame([training.entry() for training in trainings])
        return Findings(table, self._figures(trainings), self._verdict(trainings))

    def _figures(self, trainings: Sequence[_Training]) -> dict[str, Figure]:
        panels = [LinePanel(training.text, _curves(training.path), y_scale="log") for training in _shown(trainings)]
        title, time = "Training loss and what is held to bound it", "share of the training time"
        setting = setting_of(
            self.subject,
            f"width {self.width:,}",
            f"{counted(self.steps, 'step')} at the largest η; tanh θ: one sample, target 2",
        )
        grids: dict[str, Figure] = {"curves": LineGrid(title, time, _LOSS, panels, share_y=False, setting=setting)}
        rates, excess = _excess(trainings)
        if len(rates) > 1:
            lines = [
                Line("gradient descent", rates, excess),
                Line(_PROPORTIONAL, rates, power_law(rates, excess, 1.0), muted=True),
            ]
            title = "Excess of gradient descent over the bound of gradient flow, tanh θ"
            panel = LinePanel("", lines, y_scale="log")
            text = "tanh θ, one sample, target 2; gradient descent for the same time at each learning rate."
            grids["excess"] = LineGrid(title, "learning rate η", _EXCESS, [panel], "log", setting=text)
        return grids

    def _verdict(self, trainings: Sequence[_Training]) -> Verdict:
        flows = [training.path for training in trainings if training.kind == "flow"]
        descent = next(training for training in trainings if training.model == "network")
        flow_path, worst = flows[-1], max(path.excess for path in flows)
        holds = worst <= TOLERANCE
        answer = "is never violated" if holds else "is violated"
        share = _above(descent.path, descent.path.published)
        loss, bound = (curve[-1] / curve[0] for curve in (flow_path.losses, flow_path.bound))
        lines = (
            f"Gradient flow: the bound {answer} (largest L_t / bound − 1: {worst:.1e}, the solver's error).",
            _of_descent(trainings),
            _of_constant_kernel(flow_path),
            f"The published curve lies below the loss at {share:.0%} of the steps of {descent.text}.",
            self._rank(),
            f"On {flow_path.samples} samples the loss ends at {loss:.2g} of its beginning and the bound at "
            f"{bound:.2g}: true, and far from sharp.",
        )
        return Verdict(Outcome.HOLDS if holds else Outcome.FAILS, lines, {"largest excess of the flow": worst})

    def _rank(self) -> str:
        """What the matrix of the published code is worth: it has no more rank than there are parameter tensors."""
        network, x, _ = self._problem("network")
        sums = summed_gradients(network, x, parameters="all", verify=False)
        rank = int(torch.linalg.matrix_rank(sums))
        if rank == len(x):
            return f"The published code's own matrix of summed gradients has full rank, {rank}, here."
        return (
            f"The published code's own matrix of summed gradients has rank {rank} on {len(x)} samples (at most one for "
            "each parameter tensor): its λ_min is rounding, and its curve stays at the first loss."
        )


@dataclass(frozen=True)
class _Training:
    """One path and what made it."""

    model: str
    kind: str
    rate: float
    path: Path

    @property
    def text(self) -> str:
        method = f"descent, η = {self.rate:.3g}" if self.kind == "descent" else "gradient flow"
        return f"{'tanh θ' if self.model == 'tanh' else f'{self.path.samples} samples'}: {method}"

    def entry(self) -> Row:
        path = self.path
        return {
            "model": self.model,
            "kind": self.kind,
            "samples": path.samples,
            "learning_rate": self.rate if self.kind == "descent" else float("nan"),
            "steps": len(path.times) - 1,
            "final_loss": path.losses[-1] / path.losses[0],
            "final_bound": path.bound[-1] / path.bound[0],
            "excess": path.excess,
            "above_moving": _above(path, path.bound),
            "above_constant": _above(path, path.constant),
            "above_published": _above(path, path.published),
            "constant_until": path.constant_until,
        }


def _of_descent(trainings: Sequence[_Training]) -> str:
    """How much descent exceeds the curve that the flow keeps."""
    rates, excess = _excess(trainings)
    if len(rates) < 2:
        return "Gradient descent never exceeds the same curve at these rates."
    return (
        f"Gradient descent of tanh θ, where the bound of the flow is an equality, exceeds the curve by "
        f"{excess[0]:.2g} at η = {rates[0]:.3g} and by {excess[-1]:.2g} at {rates[-1]:.3g}: the excess goes as "
        f"η^{fitted(rates, excess):.2f}, and vanishes with η."
    )


def _of_constant_kernel(path: Path) -> str:
    """How long the curve of the first kernel is a bound."""
    until, last = path.constant_until, path.times[-1]
    if until > last:
        return f"λ_min(K_s) stays above λ_min(K_0) on all {path.samples} samples: the constant-kernel curve is a bound."
    return (
        f"On {path.samples} samples the constant-kernel curve is a bound only until time {until:.3g} of "
        f"{last:.3g}; after that λ_min(K_s) is below λ_min(K_0). The loss lies above it at "
        f"{_above(path, path.constant):.0%} of all points."
    )


class _Tanh(nn.Module):
    """f = tanh θ · x, with x = 1; θ = ½ at the beginning."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.theta) * x


def _path(row: Row) -> Path:
    times, losses, smallest, integral = (np.array(row[name]) for name in ("times", "losses", "lambda_min", "integral"))
    return Path(times, losses, smallest, integral, int(row["samples"]))


def _above(path: Path, curve: np.ndarray) -> float:
    """Share of the points at which the loss lies above a curve."""
    return float((path.losses > curve * (1 + TOLERANCE)).mean())


def _shown(trainings: Sequence[_Training]) -> list[_Training]:
    """The flow and the descent at the largest rate, of each model."""
    first = {(training.model, training.kind): training for training in reversed(trainings)}
    return [first[key] for key in sorted(first, reverse=True)]


def _excess(trainings: Sequence[_Training]) -> tuple[np.ndarray, np.ndarray]:
    """Rates and excesses of the descents of tanh θ that exceed the curve."""
    descents = [training for training in trainings if (training.model, training.kind) == ("tanh", "descent")]
    above = [(training.rate, training.path.excess) for training in descents if training.path.excess > TOLERANCE]
    return np.array([rate for rate, _ in above]), np.array([excess for _, excess in above])


def _curves(path: Path) -> list[Line]:
    """The loss on top of its bounds, which are broad: where a bound is sharp they are one curve."""
    until, share = path.times < path.constant_until, path.times / path.times[-1]
    lines = [
        Line("loss", share, path.losses),
        Line("bound of the moving kernel", share, path.bound, wide=True),
    ]
    if until.sum() > 1:
        lines.append(Line("constant kernel, while a bound", share[until], path.constant[until], wide=True))
    if not until.all():
        after = path.times >= path.times[until][-1:].max(initial=path.times[0])
        lines.append(Line("constant kernel, no bound", share[after], path.constant[after], muted=True))
    lines.append(Line("published curve, no bound", share, path.published, muted=True))
    floor = path.losses.min() / 10  # curves that fall far below the loss would flatten it
    return [replace(line, y=np.where(line.y >= floor, line.y, np.nan)) for line in lines]


STUDY = LossBound
