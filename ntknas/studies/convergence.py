"""Convergence: how fast do kernels of finite networks approach the kernel of infinite width?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch

from ntknas.core.errors import ChoiceError, KernelError
from ntknas.kernels import empirical_ntk
from ntknas.report.figures import Figure, Line, LineGrid, LinePanel
from ntknas.studies.base import Findings, Row, Unit, seed_of
from ntknas.studies.limits import FAMILIES, Limit, limit
from ntknas.studies.networks import check_widths
from ntknas.studies.slopes import Slope, root_mean_square, slope

THEORY = -0.5
WIDE = 0.5
"""An interval wider than this tells width^-1/2 neither from no fall nor from width^-1."""


@dataclass(frozen=True)
class Convergence:
    """The error of finite kernels by width.

    Attributes:
        families: Keys of ``FAMILIES``.
        data: Name of the data where there is one family; each family's own without it.
        samples: Number of samples.
        widths: The widths, ascending.
        repeats: Initialisations of each.
        seed: Seed of the first.
        folder: Folder of downloaded images.
        device: Where to compute.

    Raises:
        ChoiceError: If a name is unknown, or a number out of range.
    """

    families: tuple[str, ...] = tuple(FAMILIES)
    data: str | None = None
    samples: int = 10
    widths: tuple[int, ...] = tuple(2**power for power in range(6, 14))
    repeats: int = 100
    seed: int = 0
    folder: Path = Path("image_data")
    device: str = "cpu"

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

    def __post_init__(self) -> None:
        """Check names and numbers."""
        if self.data is not None and len(self.families) > 1:
            raise ChoiceError("--data goes with one --family: every family takes other data.")
        check_widths(self.widths)
        if self.repeats < 2:
            raise ChoiceError(f"At least two repeats are needed, got {self.repeats}.")

    @cached_property
    def limits(self) -> dict[str, Limit]:
        """The families on the samples."""
        return {family: limit(family, self.data, self.samples, self.folder, self.device) for family in self.families}

    def settings(self) -> dict[str, Any]:
        """Return every choice but widths and repeats, to which more may be added."""
        sources = [each.source for each in self.limits.values()]
        return {
            "family": self.families[0] if len(self.families) == 1 else "all",
            "data": self.limits[self.families[0]].data if len(self.families) == 1 else "own",
            "parametrisation": "ntk",
            "samples": self.samples,
            "seed": self.seed,
            "networks": [FAMILIES[family].choices for family in self.families],
            "sources": sources,
        }

    def units(self) -> list[Unit]:
        """Return every (family, width, repeat), narrow networks first."""
        return [
            (family, width, repeat)
            for width in self.widths
            for family in self.families
            for repeat in range(self.repeats)
        ]

    def cost(self, unit: Unit) -> float:
        """Return the multiplications of a kernel."""
        return self.limits[unit[0]].kernel_cost(unit[1])

    def bytes_needed(self) -> int:
        """Return the memory of the widest network, its gradients and activations; convolutions have some by sample."""
        width, found = self.widths[-1], []
        for family, each in self.limits.items():
            copies = 4 + (self.samples if family == "cnn" else 0)
            found.append(
                8 * (copies * each.parameters(width) + 12 * len(each) * each.tokens * width + 4 * each.x.numel())
            )
        return max(found)

    def measure(self, unit: Unit) -> list[Row]:
        """Return the kernel of one network, its upper triangle."""
        family, width, repeat = unit
        found = self.limits[family]
        network = found.network(width, seed_of(self.seed, width, repeat), outputs=1)
        verify = repeat == 0 and width == self.widths[0]
        kernel = empirical_ntk(network, found.x, parameters="all", verify=verify).matrix
        if not bool(torch.isfinite(kernel).all()):
            raise KernelError(f"A kernel of {family} of width {width} is not finite: scale the features down.")
        return [{"family": family, "width": width, "repeat": repeat, "kernel": kernel[self._upper].tolist()}]

    @cached_property
    def _upper(self) -> tuple[torch.Tensor, torch.Tensor]:
        rows, columns = torch.triu_indices(self.samples, self.samples)
        return rows, columns

    def summarise(self, rows: Sequence[Row]) -> Findings:
        """Return error, bias and deviation by family and width, with their slopes."""
        found = {family: self._family(family, rows) for family in self.families}
        lines = [
            {"family": family, "width": width, **part}
            for family, parts in found.items()
            for width, part in zip(self.widths, parts["table"], strict=True)
        ]
        table = pd.DataFrame(lines)
        slopes = {family: parts["slope"] for family, parts in found.items()}
        return Findings(table, self._figures(table), self._verdict(slopes, found, table))

    def _family(self, family: str, rows: Sequence[Row]) -> dict[str, Any]:
        """Deviations of each kernel from the limit, in the limit's norm: their squares add up to that of the error."""
        limits = self.limits[family].infinite()
        weights = torch.where(self._upper[0] == self._upper[1], 1.0, 2.0).sqrt() / limits.norm()
        stacks = []
        for width in self.widths:
            chosen = [row["kernel"] for row in rows if (row["family"], row["width"]) == (family, width)]
            stacks.append(((torch.tensor(chosen, dtype=torch.float64) - limits[self._upper]) * weights).numpy())
        errors = [np.linalg.norm(stack, axis=1) for stack in stacks]
        widths = np.array(self.widths, float)
        return {
            "table": [_parts(stack) for stack in stacks],
            "slope": slope(widths, errors, root_mean_square),
            "deviation": slope(widths, stacks, _deviation),
        }

    def _figures(self, table: pd.DataFrame) -> dict[str, Figure]:
        by = {str(family): each for family, each in table.groupby("family", sort=False)}
        lines = [_line(family, each, "error") for family, each in by.items()]
        x, y = lines[0].x, lines[0].y
        lines.append(Line("width^-1/2", x, y[0] * np.sqrt(x[0] / x), muted=True))
        error = LinePanel("relative error, root mean square over initialisations", lines, y_scale="log")
        parts = [
            LinePanel(family, [_line(name, each, name) for name in ("error", "deviation", "bias")], y_scale="log")
            for family, each in by.items()
        ]
        return {
            "error": LineGrid("‖K_n − K_∞‖ / ‖K_∞‖", "width", "", [error], "log"),
            "parts": LineGrid("Error, its random part and its mean", "width", "", parts, "log"),
        }

    def _verdict(self, slopes: dict[str, Slope | None], found: dict[str, Any], table: pd.DataFrame) -> list[str]:
        first, widest = self.widths[0], self.widths[-1]
        lines = [f"{self.samples} samples, widths {first} to {widest}, {self.repeats} initialisations of each."]
        for family, fitted in slopes.items():
            last = table[table["family"] == family].iloc[-1]
            text = f"{family} ({FAMILIES[family].text}, {self.limits[family].data}): slope {fitted}"
            if fitted is not None:
                local = ", ".join(f"{each:.2f}" for each in fitted.local)
                text += f", between neighbours {local}; random part {found[family]['deviation']}"
            text += f"; error {last['error']:.4f} at width {int(last['width'])}."
            lines.append(f"{text} {_judgement(fitted)}")
        return lines


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


def _deviation(stack: np.ndarray, drawn: np.ndarray) -> float:
    """Root of the summed variances of the entries; a resample's is smaller by its repetitions, at all widths alike."""
    return float(np.sqrt(stack[drawn].var(0, ddof=1).sum()))


def _line(label: str, table: pd.DataFrame, name: str) -> Line:
    return Line(label, table["width"].to_numpy(float), table[name].to_numpy(float))


def _judgement(fitted: Slope | None) -> str:
    if fitted is None or fitted.low is None or fitted.high is None or np.isnan(fitted.high):
        return "Too few repeats or widths for an interval: no verdict."
    if fitted.high - fitted.low > WIDE:
        return "The interval is too wide for a verdict."
    if fitted.contains(THEORY):
        return "−1/2 is in the interval: the claim holds."
    if fitted.high < THEORY:
        return "It falls faster than width^-1/2 at these widths: the claim holds."
    return "It falls more slowly than width^-1/2: the claim does not show at these widths."
