"""Convergence: how fast do kernels of finite networks approach the kernel of infinite width?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import torch

from ntknas.core.errors import ChoiceError, KernelError
from ntknas.kernels import empirical_ntk
from ntknas.report.figures import Figure, Line, LineGrid, LinePanel
from ntknas.report.text import Formula
from ntknas.studies.base import Findings, Row, Study, Unit, seed_of
from ntknas.studies.families import ALL, FAMILIES
from ntknas.studies.limits import Limit, choices_of
from ntknas.studies.networks import check_widths
from ntknas.studies.options import Numbers
from ntknas.studies.slopes import ROOT_LAW, Slope, power_law, root_mean_square, slope
from ntknas.studies.subject import Subject
from ntknas.studies.verdict import Outcome, Verdict, overall
from ntknas.studies.words import counted, data_of, kind_of, setting_of

OWN = "own"
"""Stands for the data of each family."""
THEORY = -0.5
WIDE = 0.5
"""An interval wider than this tells width^-1/2 neither from no fall nor from width^-1."""
_ERROR = Formula(r"relative error $\Vert K_n - K_\infty\Vert_F\,/\,\Vert K_\infty\Vert_F$")
_PARTS = {"deviation": "its random part", "bias": "its mean, where initialisations show it"}


@dataclass(frozen=True)
class Convergence(Study):
    """The error of finite kernels by width.

    Attributes:
        subject: Which networks, on how many samples; all families, each on its own data, or one.
        widths: The widths, ascending.
        repeats: Initialisations of each.

    Raises:
        ChoiceError: If a number is out of range.
    """

    subject: Subject
    widths: tuple[int, ...]
    repeats: int

    name: ClassVar[str] = "convergence"
    title: ClassVar[str] = "Convergence of the kernel to infinite width"
    claim: ClassVar[str] = (
        "At initialisation the kernel of a finite network in NTK parametrisation is that of infinite width but for an "
        "error that falls as width^-1/2, for graph, recurrent and transformer networks as for others: its random part "
        "as width^-1/2, its mean faster."
    )
    formula: ClassVar[str] = (
        "error = ‖K_n − K_∞‖_F / ‖K_∞‖_F, root mean square over R initialisations; bias = ‖mean_r K_r − K_∞‖_F / "
        "‖K_∞‖_F with what R initialisations leave of the random part taken off its square; deviation² = error² − "
        "bias². Slopes of the logarithms, with 95 % intervals by bootstrap over initialisations."
    )

    MEMBERS: ClassVar = ("mlp-2", "cnn-flat", "gnn", "rnn", "transformer-tied")
    FAMILIES: ClassVar = (ALL, *MEMBERS)
    PUBLISHED: ClassVar[Numbers] = Numbers(samples=10, widths=tuple(2**power for power in range(6, 14)), repeats=100)
    QUICK: ClassVar[Numbers] = Numbers(samples=6, widths=(16, 32, 64, 128), repeats=8)

    @classmethod
    def default_data(cls, family: str) -> str:
        """Return the data that a family is studied on where none is named; of all families each its own."""
        return OWN if family == ALL else super().default_data(family)

    @classmethod
    def make(cls, subject: Subject, numbers: Numbers) -> Self:
        """Make the study of a subject, with all its numbers."""
        return cls(subject, numbers["widths"], numbers["repeats"])

    def __post_init__(self) -> None:
        """Check names and numbers."""
        if self.subject.family == ALL and self.subject.data != OWN:
            raise ChoiceError("`data` goes with one `family`: every family takes other data.")
        check_widths(self.widths)
        if self.repeats < 2:
            raise ChoiceError(f"At least two repeats are needed, got {self.repeats}.")

    @cached_property
    def limits(self) -> dict[str, Limit]:
        """The families on the samples, by the names that results are recorded under."""
        if self.subject.family != ALL:
            return {self.subject.name: self.subject.limit()}
        subjects = [replace(self.subject, family=name, data=FAMILIES[name].data[0]) for name in self.MEMBERS]
        return {subject.name: subject.limit() for subject in subjects}

    def settings(self) -> dict[str, object]:
        """Return every choice but widths and repeats, to which more may be added."""
        only = next(iter(self.limits.values()))
        return {
            "family": self.subject.name,
            "data": OWN if self.subject.family == ALL else only.data,
            "parametrisation": "ntk",
            "samples": self.subject.samples,
            "seed": self.subject.seed,
            "networks": [choices_of(limit.family) for limit in self.limits.values()],
            "sources": [limit.source for limit in self.limits.values()],
        }

    def units(self) -> list[Unit]:
        """Return every (family, width, repeat), narrow networks first."""
        return [
            (family, width, repeat) for width in self.widths for family in self.limits for repeat in range(self.repeats)
        ]

    def cost(self, unit: Unit) -> float:
        """Return the multiplications of a kernel."""
        return self.limits[unit[0]].kernel_cost(unit[1])

    def bytes_needed(self) -> int:
        """Return the memory of the widest network, its gradients and activations; convolutions have some by sample."""
        return max(self._bytes_of(limit) for limit in self.limits.values())

    def _bytes_of(self, limit: Limit) -> int:
        width, samples = self.widths[-1], self.subject.samples
        copies = 4 + (samples if FAMILIES[limit.family].kind == "convolutional" else 0)
        return 8 * (copies * limit.parameters(width) + 12 * samples * limit.tokens * width + 4 * limit.x.numel())

    def measure(self, unit: Unit) -> list[Row]:
        """Return the kernel of one network, its upper triangle."""
        family, width, repeat = unit
        limit = self.limits[family]
        network = limit.network(width, seed_of(self.subject.seed, width, repeat), outputs=1)
        verify = repeat == 0 and width == self.widths[0]
        kernel = empirical_ntk(network, limit.x, parameters="all", verify=verify).matrix
        if not bool(torch.isfinite(kernel).all()):
            raise KernelError(f"A kernel of {family} of width {width} is not finite: scale the features down.")
        return [{"family": family, "width": width, "repeat": repeat, "kernel": kernel[self._upper].tolist()}]

    @cached_property
    def _upper(self) -> tuple[torch.Tensor, torch.Tensor]:
        rows, columns = torch.triu_indices(self.subject.samples, self.subject.samples)
        return rows, columns

    def summarise(self, rows: Sequence[Row]) -> Findings:
        """Return error, bias and deviation by family and width, with their slopes."""
        results = {family: self._family(family, rows) for family in self.limits}
        lines = [
            {"family": family, "width": width, **line}
            for family, result in results.items()
            for width, line in zip(self.widths, result.lines, strict=True)
        ]
        table = pd.DataFrame(lines)
        return Findings(table, self.figures_of(table), self._verdict(results, table))

    def _family(self, family: str, rows: Sequence[Row]) -> _FamilyResult:
        """Deviations of each kernel from the limit, in the limit's norm: their squares add up to that of the error."""
        limits = self.limits[family].infinite()
        weights = torch.where(self._upper[0] == self._upper[1], 1.0, 2.0).sqrt() / limits.norm()
        stacks = []
        for width in self.widths:
            kernels = [row["kernel"] for row in rows if (row["family"], row["width"]) == (family, width)]
            stacks.append(((torch.tensor(kernels, dtype=torch.float64) - limits[self._upper]) * weights).numpy())
        errors = [np.linalg.norm(stack, axis=1) for stack in stacks]
        widths = np.array(self.widths, float)
        return _FamilyResult(
            [_parts(stack) for stack in stacks],
            slope(widths, errors, root_mean_square),
            slope(widths, stacks, _deviation),
        )

    def figures_of(self, table: pd.DataFrame) -> dict[str, Figure]:
        """Return the error of all families, and of each the parts of its own, by width."""
        by = {str(family): rows for family, rows in table.groupby("family", sort=False)}
        lines = [_line(self._words(family), rows, "error") for family, rows in by.items()]
        mean = np.exp(np.mean([np.log(line.y) for line in lines], axis=0))
        lines.append(Line(ROOT_LAW, lines[0].x, power_law(lines[0].x, mean, THEORY), muted=True))
        panels = [
            LinePanel(
                self._words(family),
                [_with_band(rows), *(_line(text, rows, name) for name, text in _PARTS.items())],
                y_scale="log",
            )
            for family, rows in by.items()
        ]
        title = "Error of finite kernels, root mean square over initialisations"
        return {
            "error": LineGrid(
                title, "width", _ERROR, [LinePanel("", lines, y_scale="log")], "log", setting=self._setting
            ),
            "parts": LineGrid(
                "Error, its random part and its mean", "width", _ERROR, panels, "log", setting=self._setting
            ),
        }

    def _words(self, family: str) -> str:
        return kind_of(self.limits[family].family)

    @property
    def _setting(self) -> str:
        data = "; ".join(dict.fromkeys(f"{data_of(limit.data)}" for limit in self.limits.values()))
        of_each = f"{counted(self.repeats, 'initialisation')} of each width"
        return setting_of(
            self.subject, of_each, data=f"each family's own data ({data})" if len(self.limits) > 1 else data
        )

    def _verdict(self, results: Mapping[str, _FamilyResult], table: pd.DataFrame) -> Verdict:
        first, widest = self.widths[0], self.widths[-1]
        heading = f"{self.subject.samples} samples, widths {first} to {widest}, {self.repeats} initialisations of each."
        outcomes, lines, figures = [], [heading], dict[str, float]()
        for family, result in results.items():
            outcome, judgement = _judgement(result.error)
            last = table[table["family"] == family].iloc[-1]
            limit, fitted = self.limits[family], result.error
            text = f"{family} ({FAMILIES[limit.family].text}, {limit.data}): slope {fitted}"
            if fitted is not None:
                local = ", ".join(f"{value:.2f}" for value in fitted.local)
                text += f", between neighbours {local}; random part {result.deviation}"
                figures |= fitted.figures(family)
            text += f"; error {last['error']:.4f} at width {int(last['width'])}."
            lines.append(f"{text} {judgement}")
            outcomes.append(outcome)
        return Verdict(overall(outcomes), tuple(lines), figures)


@dataclass(frozen=True)
class _FamilyResult:
    """What was found of one family: a line per width, and the slopes of the error and of its random part."""

    lines: list[Row]
    error: Slope | None
    deviation: Slope | None


def _parts(stack: np.ndarray) -> Row:
    """Error, bias and deviation of deviations from the limit, R×entries."""
    repeats = len(stack)
    deviation = _deviation(stack, np.arange(repeats))
    error = float(np.sqrt((stack**2).sum(1).mean()))
    bias = float((stack.mean(0) ** 2).sum()) - deviation**2 / repeats
    low, high = np.quantile(np.linalg.norm(stack, axis=1), [0.025, 0.975])
    return {
        "error": error,
        "low": float(low),
        "high": float(high),
        "deviation": deviation,
        "bias": float(np.sqrt(bias)) if bias > 0 else np.nan,
        "repeats": repeats,
    }


def _deviation(stack: np.ndarray, rows: np.ndarray) -> float:
    """Root of the summed variances of the entries; a resample's is smaller by its repetitions, at all widths alike."""
    return float(np.sqrt(stack[rows].var(0, ddof=1).sum()))


def _line(label: str, table: pd.DataFrame, name: str) -> Line:
    return Line(label, table["width"].to_numpy(float), table[name].to_numpy(float))


def _with_band(table: pd.DataFrame) -> Line:
    """The error, broad: its random part lies on it."""
    low, high = (table[name].to_numpy(float) for name in ("low", "high"))
    return replace(_line("error; band: 95 % of the initialisations", table, "error"), low=low, high=high, wide=True)


def _judgement(fitted: Slope | None) -> tuple[Outcome, str]:
    """Hold the slope against theory's −1/2."""
    if fitted is None or fitted.low is None or fitted.high is None or np.isnan(fitted.high):
        return Outcome.UNDECIDED, "Too few repeats or widths for an interval: no verdict."
    if fitted.high - fitted.low > WIDE:
        return Outcome.UNDECIDED, "The interval is too wide for a verdict."
    if fitted.contains(THEORY):
        return Outcome.HOLDS, "−1/2 is in the interval: the claim holds."
    if fitted.high < THEORY:
        return Outcome.HOLDS, "It falls faster than width^-1/2 at these widths: the claim holds."
    return Outcome.FAILS, "It falls more slowly than width^-1/2: the claim does not show at these widths."


STUDY = Convergence
