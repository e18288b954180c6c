"""Lazy training: does a network that is scaled up train as its linearisation, its weights almost still?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ntknas.core.errors import ChoiceError
from ntknas.report.figures import Figure, HeatMap, HeatMaps, Line, LineGrid, LinePanel
from ntknas.report.text import Formula
from ntknas.studies.base import Findings, Row, Study, Unit, seed_of
from ntknas.studies.limits import Limit, choices_of
from ntknas.studies.options import Numbers
from ntknas.studies.scaled_training import ScaledTraining
from ntknas.studies.slopes import Slope, geometric_mean, mean_of_repeats, power_law, slope
from ntknas.studies.subject import Subject
from ntknas.studies.verdict import Outcome, Verdict, overall
from ntknas.studies.words import LAYERS, counted, setting_of

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
_SCALES = 1e-6, 1e6
LAZY_FROM = 10.0
"""α from which the laws of lazy training are fitted."""
COLUMNS = ["width", "alpha", "repeat", "share", "change", "layers", "distance", "drift", "loss", "error", "status"]
MEASURES = {
    "change": "relative change of the weights",
    "distance": "distance to the linearised network",
    "drift": "relative change of the kernel",
    "error": "test error",
}
LAWS = ("change", "distance")
"""Measures that fall as 1/α where training is lazy."""
FORMULAS = {
    "change": Formula(r"$\Vert\Delta\theta\Vert\,/\,\Vert\theta_0\Vert$"),
    "distance": Formula(r"$\Vert F - F_\mathrm{lin}\Vert\,/\,\Vert F_\mathrm{lin}\Vert$"),
    "drift": Formula(r"$\Vert K_T - K_0\Vert_F\,/\,\Vert K_0\Vert_F$"),
    "error": Formula(r"mean $(F - y)^2$ on test samples"),
}
_LAW = Formula(r"$\propto 1/\alpha$")


@dataclass(frozen=True)
class Lazy(Study):
    """Training of α (f − f_0), over α and width.

    Attributes:
        subject: Which networks, on which training samples.
        test: Test samples.
        widths: The widths, ascending.
        alphas: The scales α, ascending.
        steps: Steps of the whole time at the largest size.
        repeats: Initialisations of each.

    Raises:
        ChoiceError: If a number is out of range.
    """

    subject: Subject
    test: int
    widths: tuple[int, ...]
    alphas: tuple[float, ...]
    steps: int
    repeats: int

    name: ClassVar[str] = "lazy"
    title: ClassVar[str] = "Lazy training"
    claim: ClassVar[str] = (
        "A network that is scaled by α trains ever more as its linearisation: the relative change of its weights and "
        "its distance to the linearised network fall as 1/α, and with width. Small α leaves the lazy regime."
    )
    formula: ClassVar[str] = (
        "F = α (f − f_0) is trained on (1/α²) (1/N) Σ (F(x_i) − y_i)² (Chizat, Oyallon & Bach 2019) for a time of "
        "given many steps of size N / (2 λ_max(K_0)); the linearised network takes the same steps. Change: ‖θ_T − θ_0‖ "
        "/ ‖θ_0‖; distance: ‖F − F_lin‖ / ‖F_lin‖ on test samples; drift: ‖K_T − K_0‖_F / ‖K_0‖_F. Classes are ±1: "
        "those of odd number, as the second of two, and the others."
    )

    FAMILIES: ClassVar = ("mlp-2", "cnn-flat", "gnn", "rnn", "transformer-tied")
    PUBLISHED: ClassVar[Numbers] = Numbers(
        samples=100,
        widths=(64, 256, 1024),
        alphas=tuple(10.0**power for power in range(-2, 4)),
        steps=200,
        repeats=5,
    )
    QUICK: ClassVar[Numbers] = Numbers(samples=20, widths=(16, 64), alphas=(0.1, 1.0, 10.0, 100.0), steps=20, repeats=2)

    @classmethod
    def make(cls, subject: Subject, numbers: Numbers) -> Self:
        """Make the study of a subject, with all its numbers; half as many samples are for testing."""
        test = max(2, subject.samples // 2)
        return cls(subject, test, numbers["widths"], numbers["alphas"], numbers["steps"], numbers["repeats"])

    def __post_init__(self) -> None:
        """Check numbers."""
        scales: dict[str, Sequence[float]] = {"widths": self.widths, "alphas": self.alphas}
        for name, values in scales.items():
            if not values or list(values) != sorted(set(values)) or values[0] <= 0:
                raise ChoiceError(f"`{name}` expects positive numbers that ascend, got {values}.")
        if not _SCALES[0] <= self.alphas[0] <= self.alphas[-1] <= _SCALES[1]:
            raise ChoiceError(
                f"`alphas` expects numbers from {_SCALES[0]:g} to {_SCALES[1]:g}, got {self.alphas}: beyond, rounding "
                "hides what moves."
            )
        if self.test < 2 or self.steps < 1 or self.repeats < 1:
            raise ChoiceError(
                f"At least two test samples, a step and a repeat are needed, got {self.test}, {self.steps}, "
                f"{self.repeats}."
            )

    @cached_property
    def _limit(self) -> Limit:
        return self.subject.limit(self.test)

    @cached_property
    def _loaded(self) -> tuple[Tensor, Tensor]:
        """Inputs and values, training samples first: the earlier part of a series, else drawn with a fixed seed."""
        limit = self._limit
        order = torch.arange(len(limit))
        if not limit.is_series:
            order = torch.from_numpy(np.random.default_rng(0).permutation(len(limit)))
        y = limit.y
        if limit.is_classification:
            y = (2.0 * (y % 2) - 1)[:, None].to(limit.x)
            if len(torch.unique(y)) < 2:
                raise ChoiceError("All samples are of one class: take more `samples`, or other `data`.")
        return limit.x[order], y[order]

    def settings(self) -> dict[str, object]:
        """Return every choice but widths, scales and repeats, to which more may be added."""
        numbers = {"test": self.test, "steps": self.steps, "networks": choices_of(self.subject.family)}
        return {**self.subject.identity(self._limit.source, self._limit.data, **numbers)}

    def units(self) -> list[Unit]:
        """Return every (width, α, repeat), narrow networks first."""
        return [
            (width, alpha, repeat) for width in self.widths for alpha in self.alphas for repeat in range(self.repeats)
        ]

    def cost(self, unit: Unit) -> float:
        """Return the multiplications of all steps and kernels."""
        passes, kernels = (cost(unit[0]) for cost in (self._limit.pass_cost, self._limit.kernel_cost))
        return 2 * self.steps * passes + (1 + len(SHARES)) * kernels

    def bytes_needed(self) -> int:
        """Return the memory of the widest network, copies of its parameters, and kernels."""
        tokens, total = self._limit.tokens, self.subject.samples + self.test
        parameters = self._limit.parameters(self.widths[-1])
        return 8 * (6 * parameters + 8 * total**2 + 12 * total * self.widths[-1] * tokens)

    def measure(self, unit: Unit) -> list[Row]:
        """Train one network, and return what it was on the way; where it did not end, a last row says why."""
        width, alpha, repeat = unit
        x, y = self._loaded
        network = self._limit.network(width, seed_of(self.subject.seed, width, repeat), outputs=1)
        records, status = ScaledTraining(network, x, y, self.subject.samples, alpha, self.steps).run(SHARES)
        unit_row = {"width": width, "alpha": alpha, "repeat": repeat}
        rows = [{**unit_row, **asdict(record), "status": "ok"} for record in records]
        return rows if status == "ok" else [*rows, {**unit_row, "status": status}]

    def summarise(self, rows: Sequence[Row]) -> Findings:
        """Return every measure at the end by width and α, and the laws from α = 10 on."""
        frame = pd.DataFrame(list(rows)).reindex(columns=COLUMNS)
        good = frame[frame["status"] == "ok"]
        ended = good[good["share"] == SHARES[-1]]
        failed = frame[frame["status"] != "ok"]
        lines = [self._line(frame, ended, failed, width, alpha) for width in self.widths for alpha in self.alphas]
        table = pd.DataFrame(lines)
        return Findings(table, {**self.figures_of(table), **self._while_training(good)}, self._verdict(table, ended))

    @staticmethod
    def _line(frame: pd.DataFrame, ended: pd.DataFrame, failed: pd.DataFrame, width: int, alpha: float) -> Row:
        """One line of the table: what came to its end, what did not, and the means of what did."""
        finished = _of(ended, width, alpha)
        lost = _of(failed, width, alpha)["status"].value_counts()
        return {
            "width": width,
            "alpha": alpha,
            "ended": len(finished),
            "reached": _reached(_of(frame, width, alpha)),
            **{status: int(lost.get(status, 0)) for status in ("diverged", "unfinished")},
            **{name: geometric_mean(finished[name].to_numpy(float)) for name in MEASURES},
        }

    def figures_of(self, table: pd.DataFrame) -> dict[str, Figure]:
        """Return every measure after training, by α."""
        panels = [self._panel(table, name) for name in MEASURES]
        grid = LineGrid(
            Formula(r"After training of $\alpha\,(f - f_0)$, by $\alpha$"),
            "α",
            "",
            panels,
            "log",
            share_y=False,
            ordered=True,
            setting=self._setting(),
            columns=2,
        )
        return {"scale": grid}

    def _panel(self, table: pd.DataFrame, name: str) -> LinePanel:
        ended = table[table[name].notna()]
        lines = [
            Line(f"width {width:,}", *_columns(rows, "alpha", name))
            for width, rows in ended.groupby("width", sort=True)
        ]
        if name in LAWS and lines:
            widest = lines[-1]
            lines.append(Line(_LAW, widest.x, power_law(widest.x, widest.y, -1.0), muted=True))
        scale = "linear" if name == "error" else "log"
        return LinePanel(MEASURES[name], lines, y_scale=scale, y_label=FORMULAS[name])

    def _while_training(self, good: pd.DataFrame) -> dict[str, Figure]:
        """Return the distance to the linearised network and the change of each layer over the time, for the widest."""
        widest = good[good["width"] == self.widths[-1]]
        along = [
            Line(f"α = {alpha:g}", *_along(rows, "distance")) for alpha, rows in widest.groupby("alpha", sort=True)
        ]
        title, time = "Distance to the linearised network while training", "share of the training time"
        panel = LinePanel("", along, y_scale="log")
        setting = self._setting(self.widths[-1])
        grid = LineGrid(title, time, FORMULAS["distance"], [panel], "log", ordered=True, setting=setting)
        return {"training": grid, "layers": self._heat_maps(widest, time, setting)}

    def _setting(self, width: int | None = None) -> str:
        widths = ", ".join(f"{each:,}" for each in self.widths)
        return setting_of(
            self.subject,
            f"widths {widths}" if width is None else f"width {width:,}",
            f"{self.test} test samples",
            f"time of {counted(self.steps, 'step')}",
            f"mean of the {counted(self.repeats, 'initialisation')} of each α that came to an end",
        )

    def _heat_maps(self, widest: pd.DataFrame, time: str, setting: str) -> HeatMaps:
        maps = []
        for alpha, rows in widest.groupby("alpha", sort=True):
            layers = pd.DataFrame(rows["layers"].tolist()).assign(share=rows["share"].to_numpy())
            means = layers.groupby("share").mean().reindex(SHARES)
            maps.append(HeatMap(f"α = {alpha:g}", means.T.to_numpy()))
        layers_of = widest["layers"].iloc[0] if len(widest) else {}
        names = [LAYERS[self.subject.family][name] for name in layers_of]
        shares = [f"{share:g}" for share in SHARES]
        return HeatMaps(
            "Change of each layer's weights while training",
            time,
            names,
            shares,
            maps,
            FORMULAS["change"],
            setting=setting,
        )

    def _verdict(self, table: pd.DataFrame, ended: pd.DataFrame) -> Verdict:
        subject = self.subject
        heading = (
            f"{subject.name} ({subject.networks.text}), {subject.samples} training and {self.test} test samples of "
            f"{self._limit.data}, {self.steps} steps, {self.repeats} initialisations of each width and α."
        )
        laws = [law for width in self.widths for law in self._laws(width, ended)]
        lines = [heading, *(law.text for law in laws)]
        if not laws:
            lines.append(f"Fewer than two α from {LAZY_FROM:g} on: no law of large scales is fitted.")
        lines += [self._by_width(ended), self._least_error(table), _lost(table)]
        figures = {f"{law.name}, width {law.width}": law.fitted.value for law in laws}
        return Verdict(overall(law.outcome for law in laws), tuple(filter(None, lines)), figures)

    def _least_error(self, table: pd.DataFrame) -> str:
        if not table["error"].notna().any():
            return ""
        best = table.loc[table["error"].idxmin()]
        lazy = table[(table["width"] == best["width"]) & (table["alpha"] == self.alphas[-1])]["error"]
        return (
            f"Least test error {best['error']:.3g} at width {best['width']:g}, α = {best['alpha']:g}; at the "
            f"largest α of that width {float(lazy.iloc[0]):.3g}."
        )

    def _laws(self, width: int, ended: pd.DataFrame) -> list[_Law]:
        """Slopes over the scales from which training should be lazy."""
        laws = []
        alphas = [alpha for alpha in self.alphas if alpha >= LAZY_FROM and len(_of(ended, width, alpha))]
        for name in LAWS:
            groups = [_of(ended, width, alpha)[name].to_numpy(float) for alpha in alphas]
            fitted = slope(np.array(alphas), groups, mean_of_repeats) if len(alphas) > 1 else None
            if fitted is not None:
                laws.append(_Law(name, width, fitted))
        return laws

    def _by_width(self, ended: pd.DataFrame) -> str:
        """How the distance falls with width at α = 1."""
        widths = [width for width in self.widths if len(_of(ended, width, 1.0))]
        groups = [_of(ended, width, 1.0)["distance"].to_numpy(float) for width in widths]
        fitted = slope(np.array(widths, float), groups, mean_of_repeats) if len(widths) > 1 else None
        return "" if fitted is None else f"At α = 1 the distance to the linearised network has slope {fitted} by width."


@dataclass(frozen=True)
class _Law:
    """A law of large scales at one width: a measure and its slope by α, which theory has at −1."""

    name: str
    width: int
    fitted: Slope

    @property
    def text(self) -> str:
        law = f"Width {self.width}: {MEASURES[self.name]} from α = {LAZY_FROM:g} on has slope {self.fitted}"
        return f"{law}: {self._judgement[1]}."

    @property
    def outcome(self) -> Outcome:
        return self._judgement[0]

    @property
    def _judgement(self) -> tuple[Outcome, str]:
        if self.fitted.low is None:
            return Outcome.UNDECIDED, "too few repeats for a verdict"
        if self.fitted.contains(-1.0) or abs(self.fitted.value + 1) < 0.05:
            return Outcome.HOLDS, "as 1/α, the claim holds"
        if self.fitted.value < -1:
            return Outcome.HOLDS, "faster than 1/α, the claim holds"
        return Outcome.FAILS, "more slowly than 1/α"


def _lost(table: pd.DataFrame) -> str:
    """What is to be said of trainings that did not come to the end of their time."""
    columns = ["diverged", "unfinished"]
    lost = int(table[columns].to_numpy().sum())
    if not lost:
        return ""
    worst = table[table[columns].sum(axis=1) > 0]
    return (
        f"{lost} trainings did not end (α from {worst['alpha'].min():g} to {worst['alpha'].max():g}) and are "
        f"left out ({int(table['unfinished'].sum())} ran out of steps, {int(table['diverged'].sum())} met what "
        f"is no number); they reached "
        f"{100 * worst['reached'].min():.0f} to {100 * worst['reached'].max():.0f} % of the time."
    )


def _of(frame: pd.DataFrame, width: int, alpha: float) -> pd.DataFrame:
    return frame[(frame["width"] == width) & (frame["alpha"] == alpha)]


def _reached(frame: pd.DataFrame) -> float:
    """Return the mean over repeats of the share of the time that each reached."""
    return float(frame.groupby("repeat")["share"].max().fillna(0.0).mean()) if len(frame) else np.nan


def _columns(table: pd.DataFrame, *names: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = (table[name].to_numpy(float) for name in names)
    return x, y


def _along(frame: pd.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    means = frame.groupby("share")[name].apply(lambda values: geometric_mean(values.to_numpy(float)))
    return means.index.to_numpy(float), means.to_numpy(float)


STUDY = Lazy
