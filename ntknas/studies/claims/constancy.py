"""Constancy: does the kernel change less while training as networks become wider?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ntknas.report.figures import Figure, Line, LineGrid, LinePanel
from ntknas.report.text import Formula
from ntknas.studies.base import Findings, Row, Study, Unit
from ntknas.studies.networks import Widths
from ntknas.studies.options import Numbers
from ntknas.studies.slopes import ROOT_LAW, Slope, geometric_mean, mean_of_repeats, power_law, slope
from ntknas.studies.subject import Subject
from ntknas.studies.verdict import Outcome, Verdict
from ntknas.studies.words import counted
from ntknas.tracking import KernelTracker

RECORDS = 5
"""Moments of a training at which the kernel is taken, beside its beginning."""
BOUND = -0.5
_CHANGE = Formula(r"relative change $\Vert K_t - K_0\Vert_F\,/\,\Vert K_0\Vert_F$")


@dataclass(frozen=True)
class Constancy(Study):
    """The relative change of the kernel while training by full-batch gradient descent, by width.

    Attributes:
        networks: Which networks, on which data.
        steps: Steps of gradient descent.
        learning_rate: η.
        output: Output reduction of the kernel.
    """

    networks: Widths
    steps: int
    learning_rate: float
    output: str = "traced"

    name: ClassVar[str] = "constancy"
    title: ClassVar[str] = "Constancy of the kernel while training"
    claim: ClassVar[str] = (
        "As a network becomes wider its kernel changes less while training: theory bounds the relative change by "
        "O(width^-1/2), and smooth networks in NTK parametrisation reach width^-1."
    )
    formula: ClassVar[str] = (
        "‖K_t − K_0‖_F / ‖K_0‖_F after the last step (the published figure is its square); mean squared error for "
        "regression, cross-entropy for classification. Slope of the logarithms of the geometric mean over repeats, "
        "with a 95 % interval by bootstrap over repeats."
    )

    FAMILIES: ClassVar = Widths.FAMILIES
    SUBSTITUTE: ClassVar = "digits"
    PARAMETRISATIONS: ClassVar = ("standard", "ntk", "normal-fan-in")
    TRAININGS: ClassVar[dict[tuple[str, str], Numbers]] = {
        ("mlp-1", "mnist"): Numbers(steps=20, learning_rate=1e-5),
        ("cnn-average", "mnist"): Numbers(steps=10, learning_rate=1e-5),
    }
    QUICK_TRAININGS: ClassVar[dict[tuple[str, str], Numbers]] = {
        ("mlp-1", "mnist"): Numbers(steps=10, learning_rate=1e-4),
        ("cnn-average", "mnist"): Numbers(steps=5, learning_rate=1e-4),
    }

    @classmethod
    def preset(cls, family: str, data: str, *, quick: bool) -> Numbers:
        """Return the published or the quick numbers for a family on data."""
        trainings = cls.QUICK_TRAININGS if quick else cls.TRAININGS
        usual = Numbers(steps=10, learning_rate=1e-3) if quick else Numbers(steps=50, learning_rate=1e-4)
        return {**Widths.preset(family, data, quick=quick), **trainings.get((family, data), usual)}

    @classmethod
    def make(cls, subject: Subject, numbers: Numbers) -> Self:
        """Make the study of a subject, with all its numbers."""
        networks = Widths(subject, numbers["widths"], numbers["repeats"])
        return cls(networks, numbers["steps"], numbers["learning_rate"])

    def settings(self) -> dict[str, object]:
        """Return every choice but widths and repeats, of which there can be more later."""
        return self.networks.describe(steps=self.steps, learning_rate=self.learning_rate, output=self.output)

    def units(self) -> list[Unit]:
        """Return every (width, repeat)."""
        return [(width, repeat) for width in self.networks.widths for repeat in range(self.networks.repeats)]

    def cost(self, unit: Unit) -> float:
        """Return the multiplications of all steps and kernels."""
        passes, kernel = (cost(unit[0]) for cost in (self.networks.pass_cost, self.networks.kernel_cost))
        drift = 2.0 * self.networks.subject.samples**3  # by experience
        return self.steps * passes + (1 + min(RECORDS, self.steps)) * (kernel + drift)

    def bytes_needed(self) -> int:
        """Return the memory of the widest network."""
        return self.networks.bytes_at(self.networks.widths[-1], 6)

    def measure(self, unit: Unit) -> list[Row]:
        """Train one network and return the change of its kernel at some steps; one that diverges ends early."""
        width, repeat = unit
        data, network = self.networks.loaded, self.networks.network(width, repeat)
        tracker = KernelTracker(network, data.x, output=self.output, parameters="all")
        optimizer = torch.optim.SGD(network.parameters(), self.learning_rate)
        moments = {round(self.steps * record / RECORDS) for record in range(1, RECORDS + 1)}
        tracker.record(0)
        rows: list[Row] = []
        for step in range(1, self.steps + 1):
            loss = _loss(network, data.x, data.y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if not math.isfinite(loss.item()):
                return [*rows, _row(unit, step, None, None, "diverged")]
            if step in moments:
                score = tracker.record(step).scores["relative_difference"]
                rows.append(_row(unit, step, score.value, loss.item(), score.status.value))
        return rows

    def summarise(self, rows: Sequence[Row]) -> Findings:
        """Return the change by width after the last step, its slope, and what theory says of it."""
        frame = pd.DataFrame(rows)
        last = frame[(frame["step"] == self.steps) & (frame["status"] == "ok")]
        groups = {int(width): rows["relative_difference"].to_numpy(float) for width, rows in last.groupby("width")}
        widths = np.array(sorted(groups), float)
        fitted = slope(widths, [groups[int(width)] for width in widths], mean_of_repeats) if len(widths) > 1 else None
        local = list(fitted.local) if fitted else []
        table = pd.DataFrame(
            {
                "width": list(self.networks.widths),
                "repeats": [len(groups.get(width, ())) for width in self.networks.widths],
                "diverged": [_diverged(frame, width) for width in self.networks.widths],
                "relative_difference": [_middle(groups.get(width)) for width in self.networks.widths],
                "low": [_quantile(groups.get(width), 0.025) for width in self.networks.widths],
                "high": [_quantile(groups.get(width), 0.975) for width in self.networks.widths],
            }
        )
        table["squared"] = table["relative_difference"] ** 2
        steps = dict(zip(widths[1:].astype(int).tolist(), local, strict=False))
        table["local_slope"] = table["width"].map(steps)
        figures = {**self.figures_of(table), **self._over_steps(frame)}
        return Findings(table, figures, self._verdict(fitted, table))

    def figures_of(self, table: pd.DataFrame) -> dict[str, Figure]:
        """Return the change by width, beside the law that theory bounds it by."""
        x, y, low, high = (table[name].to_numpy(float) for name in ("width", "relative_difference", "low", "high"))
        lines = [
            Line("geometric mean; band: 95 % of the initialisations", x, y, low, high),
            Line(ROOT_LAW, x, power_law(x, y, BOUND), muted=True),
        ]
        title = "Change of the kernel by training, by width"
        panel = LinePanel("", lines, y_scale="log")
        return {"change": LineGrid(title, "width", _CHANGE, [panel], "log", setting=self._setting)}

    def _over_steps(self, frame: pd.DataFrame) -> dict[str, Figure]:
        """Return the change while training, of some widths."""
        shown = self.networks.widths[:: max(1, len(self.networks.widths) // 3)]
        lines = [Line(f"width {width:,}", *_by_step(frame, width)) for width in shown]
        panel = LinePanel("", lines, y_scale="log")
        title = "Change of the kernel while training, mean of the initialisations"
        grid = LineGrid(title, "step", _CHANGE, [panel], ordered=True, setting=self._setting)
        return {"steps": grid}

    @property
    def _setting(self) -> str:
        steps = f"{counted(self.steps, 'step')} of gradient descent at learning rate {self.learning_rate:g}"
        return self.networks.setting(steps)

    def _verdict(self, fitted: Slope | None, table: pd.DataFrame) -> Verdict:
        heading = (
            f"{self.networks.text}, {self.steps} steps, learning rate {self.learning_rate:g}, "
            f"{self.networks.repeats} repeats."
        )
        if fitted is None:
            nothing = "Fewer than two widths were trained to the end: no slope."
            return Verdict(Outcome.UNDECIDED, (heading, nothing), {})
        local = ", ".join(f"{value:.2f}" for value in fitted.local)
        outcome, judgement = _judgement(fitted)
        slopes = f"Slope of the relative change: {fitted}; between neighbouring widths {local}."
        diverged = int(table["diverged"].sum())
        lost = (f"{diverged} trainings diverged and are left out.",) if diverged else ()
        return Verdict(outcome, (heading, slopes, judgement, *lost), fitted.figures("slope"))


def _judgement(fitted: Slope) -> tuple[Outcome, str]:
    """Hold the slope against the bound −1/2."""
    if fitted.high is None or fitted.low is None:
        return Outcome.UNDECIDED, "Too few repeats for an interval: no verdict."
    if fitted.high <= BOUND:
        return Outcome.HOLDS, "It falls at least as fast as width^-1/2: the claim holds."
    if fitted.low <= BOUND:
        return Outcome.HOLDS, "width^-1/2 is in the interval: the claim holds."
    if fitted.high < 0:
        return (
            Outcome.FAILS,
            "It falls, but more slowly than width^-1/2: the bound does not show at these widths and steps.",
        )
    return (
        Outcome.FAILS,
        "It does not fall with width at this learning rate: the claim needs a rate that falls with width.",
    )


def _loss(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    outputs = network(x)
    return F.mse_loss(outputs, y) if y.is_floating_point() else F.cross_entropy(outputs, y)


def _row(unit: Unit, step: int, value: float | None, loss: float | None, status: str) -> Row:
    return {
        "width": unit[0],
        "repeat": unit[1],
        "step": step,
        "relative_difference": value,
        "loss": loss,
        "status": status,
    }


def _diverged(frame: pd.DataFrame, width: int) -> int:
    return int(((frame["width"] == width) & (frame["status"] == "diverged")).sum())


def _middle(values: np.ndarray | None) -> float:
    return math.nan if values is None else geometric_mean(values)


def _quantile(values: np.ndarray | None, level: float) -> float:
    return math.nan if values is None else float(np.quantile(values, level))


def _by_step(frame: pd.DataFrame, width: int) -> tuple[np.ndarray, np.ndarray]:
    rows = frame[(frame["width"] == width) & (frame["status"] == "ok")]
    means = rows.groupby("step")["relative_difference"].mean()
    return means.index.to_numpy(float), means.to_numpy(float)


STUDY = Constancy
