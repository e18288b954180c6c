"""Loss bound: does the smallest eigenvalue of the kernel bound the training loss?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path as Folder
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ntknas.core.errors import ChoiceError
from ntknas.kernels.summed_gradients import summed_gradients
from ntknas.report.figures import Figure, Line, LineGrid, LinePanel
from ntknas.studies import families
from ntknas.studies.base import STEP, Findings, Row, Unit
from ntknas.studies.data import load
from ntknas.studies.descent import Path, descend, flow, kernel_of
from ntknas.studies.slopes import fitted

FRACTIONS = (1.0, 0.5, 0.25, 0.125)
"""Learning rates as parts of the largest, which is half of what the linearised network allows: η λ_max = N/4."""
_COARSE = 1e-5
"""Relative tolerance of the network's flow, whose bound is far from sharp; tanh θ, where it is, has a finer one."""
TOLERANCE = 1e-6
"""Relative error of the solver that does not count as a violation."""


@dataclass(frozen=True)
class LossBound:
    """Loss and its curves for one network, under gradient flow and gradient descent at several rates.

    Attributes:
        family: A key of ``FAMILIES``.
        data: A key of ``DATA``; classes become one-hot targets.
        samples: Number of samples.
        width: Width of the network.
        parametrisation: A key of ``PARAMETRISATIONS``.
        steps: Steps of descent at the largest rate; smaller rates make more, for the same time.
        seed: Seed of the network.
        folder: Folder of downloaded images.
        device: Where to compute.

    Raises:
        ChoiceError: If there are fewer than two samples, or no steps.
    """

    family: str = "mlp"
    data: str = "boston"
    samples: int = 20
    width: int = 200
    parametrisation: str = "ntk"
    steps: int = 60
    seed: int = 0
    folder: Folder = Folder("image_data")
    device: str = "cpu"

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

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.samples < 2 or self.steps < 1:
            raise ChoiceError(f"At least two samples and one step are needed, got {self.samples} and {self.steps}.")

    def settings(self) -> dict[str, Any]:
        """Return every choice."""
        return {
            "family": self.family,
            "data": self.data,
            "samples": self.samples,
            "width": self.width,
            "parametrisation": self.parametrisation,
            "steps": self.steps,
            "seed": self.seed,
            "source": self._loaded[2],
        }

    def units(self) -> list[Unit]:
        """Return the descents, by the part of the largest rate, and the flow: of tanh θ, and of the network."""
        each = [("descent", part) for part in FRACTIONS] + [("flow", 0.0)]
        return [(model, kind, part) for model in ("tanh", "network") for kind, part in each]

    def cost(self, unit: Unit) -> float:
        """Return the multiplications of all steps, each with a kernel; the flow has some ten a step."""
        model, kind, part = unit
        steps = self.steps / part if kind == "descent" else 10.0 * self.steps
        x, y, _ = self._loaded
        weights = self.width * (x[0].numel() + y.shape[1]) if model == "network" else 1
        return steps * (STEP + y.shape[1] * float(len(x) * (3 + len(x)) * weights))

    def bytes_needed(self) -> int:
        """Return the memory of the kernel and the network."""
        x, y, _ = self._loaded
        network = families.build(self.family, self.parametrisation, x, self.width, y.shape[1], self.seed)
        parameters = sum(parameter.numel() for parameter in network.parameters())
        return int(8 * (6 * y.numel() ** 2 + 8 * parameters + 6 * x.numel() * self.width))

    def measure(self, unit: Unit) -> list[Row]:
        """Return the path of one training."""
        model, kind, part = unit
        network, x, y = self._problem(model)
        largest = len(x) / (4 * float(torch.linalg.eigvalsh(kernel_of(network, x))[-1]))
        if kind == "descent":
            path = descend(network, x, y, part * largest, round(self.steps / part))
        else:
            times = (largest * np.arange(self.steps + 1)).tolist()
            path = flow(network, x, y, times, *([_COARSE] if model == "network" else []))
        series = {name: getattr(path, name).tolist() for name in ("times", "losses", "lambda_min", "integral")}
        return [{"model": model, "kind": kind, "rate": part * largest, "samples": len(x), **series}]

    def _problem(self, model: str) -> tuple[nn.Module, Tensor, Tensor]:
        """Return a network with its inputs and targets."""
        if model == "tanh":
            one = torch.ones(1, 1, dtype=torch.float64, device=self.device)
            return _Tanh().to(self.device), one, 2 * one
        x, y, _ = self._loaded
        return families.build(self.family, self.parametrisation, x, self.width, y.shape[1], self.seed), x, y

    @cached_property
    def _loaded(self) -> tuple[Tensor, Tensor, str]:
        found = load(self.data, self.samples, self.folder)
        y = F.one_hot(found.y, found.outputs).double() if found.is_classification else found.y
        return found.x.to(self.device), y.to(self.device), found.source

    def summarise(self, rows: Sequence[Row]) -> Findings:
        """Return excess and violations by rate, the curves, and whether the excess vanishes with the rate."""
        trainings = [_Training(row["model"], row["kind"], float(row["rate"]), _path(row)) for row in rows]
        table = pd.DataFrame([each.entry() for each in trainings])
        return Findings(table, self._figures(trainings), self._verdict(trainings))

    def _figures(self, trainings: Sequence[_Training]) -> dict[str, Figure]:
        panels = [LinePanel(each.text, _curves(each.path), y_scale="log") for each in _shown(trainings)]
        text = f"{self.family} of width {self.width}, {self.data}, {self.parametrisation}"
        title = f"Loss and its curves: {text}"
        grids: dict[str, Figure] = {"curves": LineGrid(title, "time (η · steps)", "loss", panels, share_y=False)}
        rates, excess = _excess(trainings)
        if len(rates) > 1:
            line = Line("largest L_t / curve − 1", rates, excess)
            reference = Line("proportional to η", rates, excess[0] * rates / rates[0], muted=True)
            panel = LinePanel("excess of gradient descent, tanh θ", [line, reference], y_scale="log")
            grids["excess"] = LineGrid("Excess over the moving-kernel curve, by learning rate", "η", "", [panel], "log")
        return grids

    def _verdict(self, trainings: Sequence[_Training]) -> list[str]:
        flows = [each for each in trainings if each.kind == "flow"]
        worst = max(each.path.excess for each in flows)
        kept = "is never violated" if worst <= TOLERANCE else "is violated"
        lines = [f"Gradient flow: the bound {kept} (largest L_t / bound − 1: {worst:.1e}, the solver's error)."]
        rates, excess = _excess(trainings)
        if len(rates) > 1:
            lines.append(
                f"Gradient descent of tanh θ, where the bound of the flow is an equality, exceeds the curve by "
                f"{excess[0]:.2g} at η = {rates[0]:.3g} and by {excess[-1]:.2g} at {rates[-1]:.3g}: the excess goes as "
                f"η^{fitted(rates, excess):.2f}, and vanishes with η."
            )
        else:
            lines.append("Gradient descent never exceeds the same curve at these rates.")
        whole, descent = flows[-1].path, next(each for each in trainings if each.model == "network")
        until, last = whole.constant_until, whole.times[-1]
        lines.append(
            f"λ_min(K_s) stays above λ_min(K_0) on all {whole.samples} samples: the constant-kernel curve is a bound."
            if until > last
            else f"On {whole.samples} samples the constant-kernel curve is a bound only until time {until:.3g} of "
            f"{last:.3g}; after that λ_min(K_s) is below λ_min(K_0). The loss lies above it at "
            f"{_above(whole, whole.constant):.0%} of all points."
        )
        share = _above(descent.path, descent.path.published)
        lines += [
            f"The published curve lies below the loss at {share:.0%} of the steps of {descent.text}.",
            self._rank(),
        ]
        loss, bound = (each[-1] / each[0] for each in (whole.losses, whole.bound))
        lines.append(
            f"On {whole.samples} samples the loss ends at {loss:.2g} of its beginning and the bound at {bound:.2g}: "
            "true, and far from sharp."
        )
        return lines

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
        how = f"descent, η = {self.rate:.3g}" if self.kind == "descent" else "gradient flow"
        return f"{'tanh θ' if self.model == 'tanh' else f'{self.path.samples} samples'}: {how}"

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
    first = {(each.model, each.kind): each for each in reversed(trainings)}
    return [first[key] for key in sorted(first, reverse=True)]


def _excess(trainings: Sequence[_Training]) -> tuple[np.ndarray, np.ndarray]:
    """Rates and excesses of the descents of tanh θ that exceed the curve."""
    found = [each for each in trainings if (each.model, each.kind) == ("tanh", "descent")]
    seen = [(each.rate, each.path.excess) for each in found if each.path.excess > TOLERANCE]
    return np.array([rate for rate, _ in seen]), np.array([excess for _, excess in seen])


def _curves(path: Path) -> list[Line]:
    until = path.times < path.constant_until
    lines = [
        Line("loss", path.times, path.losses),
        Line("bound, moving kernel", path.times, path.bound),
        Line("constant kernel, while a bound", path.times[until], path.constant[until]),
    ]
    if not until.all():
        lines.append(Line("constant kernel, no bound", path.times[~until], path.constant[~until], muted=True))
    lines.append(Line("published curve, no bound", path.times, path.published, muted=True))
    floor = path.losses.min() / 10  # curves that fall far below the loss would flatten it
    return [replace(line, y=np.where(line.y >= floor, line.y, np.nan)) for line in lines]
