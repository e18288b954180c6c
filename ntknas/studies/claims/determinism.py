"""Determinism: do kernels at initialisation agree ever better as networks become wider?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import torch

from ntknas.core.errors import check_known
from ntknas.kernels import empirical_ntk
from ntknas.kernels.summed_gradients import summed_gradient_kernel
from ntknas.report.figures import Figure, Line, LineGrid, LinePanel
from ntknas.report.text import Formula
from ntknas.studies.base import Findings, Row, Study, Unit
from ntknas.studies.networks import Widths
from ntknas.studies.options import CONTRACTIONS, Numbers
from ntknas.studies.slopes import ROOT_LAW, Slope, interval, mean_of_pairs, power_law, slope
from ntknas.studies.subject import Subject
from ntknas.studies.verdict import Outcome, Verdict

ASYMPTOTIC_FROM = 500
"""Width from which theory's slope is expected; narrower networks pull the fit above."""
THEORY = -0.5
SUMMED = "summed-gradients"


@dataclass(frozen=True)
class Determinism(Study):
    """The distance between kernels of independent initialisations, by width.

    Attributes:
        networks: Which networks, on which data.
        output: Output reduction of the kernels.
        contraction: A key of ``CONTRACTIONS``; summed gradients are of the sum of the outputs.

    Raises:
        ChoiceError: If there is no such contraction.
    """

    networks: Widths
    output: str = "traced"
    contraction: str = "kernel"

    name: ClassVar[str] = "determinism"
    title: ClassVar[str] = "Determinism of the kernel at initialisation"
    claim: ClassVar[str] = (
        "As a network becomes wider its kernel at initialisation becomes deterministic: the relative distance between "
        "two initialisations falls as width^-1/2. Of one-head transformers with a fixed feed-forward width theory does "
        "not say so."
    )
    formula: ClassVar[str] = (
        "Over R initialisations, all pairs: ‖K_a − K_b‖_F / mean_r ‖K_r‖_F; the unnormalised ‖K_a − K_b‖_F "
        "beside it. Slope of the logarithms, with a 95 % interval by bootstrap over initialisations (not over pairs). "
        "With the contraction summed-gradients K is Σ_p s_p s_pᵀ, s_p[n] the sum of the gradient of sample n over the "
        "entries of parameter tensor p, which is what the published code computes; its distance, over the upper "
        "triangle, is held against that of the kernel itself."
    )

    FAMILIES: ClassVar = Widths.FAMILIES
    SUBSTITUTE: ClassVar = "digits"
    PARAMETRISATIONS: ClassVar = ("standard", "ntk", "normal-fan-in")
    UNREAD: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("steps", "learning_rate"), "determinism trains no network: it reads neither `steps` nor `learning_rate`."
    )

    @classmethod
    def preset(cls, family: str, data: str, *, quick: bool) -> Numbers:
        """Return the published or the quick numbers for a family on data."""
        return {**Widths.preset(family, data, quick=quick), "contraction": "kernel"}

    @classmethod
    def make(cls, subject: Subject, numbers: Numbers) -> Self:
        """Make the study of a subject, with all its numbers."""
        return cls(Widths(subject, numbers["widths"], numbers["repeats"]), contraction=numbers["contraction"])

    def __post_init__(self) -> None:
        """Check the name of the contraction."""
        check_known("contraction", self.contraction, CONTRACTIONS)

    def settings(self) -> dict[str, object]:
        """Return every choice."""
        settings = self.networks.describe(output=self.output, repeats=self.networks.repeats)
        # Kernels do not say so: ledgers are older than this choice, and must keep their digests.
        return {**settings, "contraction": self.contraction} if self._is_summed else settings

    @property
    def _is_summed(self) -> bool:
        return self.contraction == SUMMED

    def units(self) -> list[Unit]:
        """Return the widths."""
        return [(width,) for width in self.networks.widths]

    def cost(self, unit: Unit) -> float:
        """Return the multiplications of all kernels of a width."""
        return self.networks.repeats * (1 + self._is_summed) * self.networks.kernel_cost(unit[0])

    def bytes_needed(self) -> int:
        """Return the memory of the widest networks and all their kernels."""
        return self.networks.bytes_at(self.networks.widths[-1], self.networks.repeats + 6)

    def measure(self, unit: Unit) -> list[Row]:
        """Return norms and distances of the kernels of a width; of summed gradients those over the triangle, too."""
        (width,) = unit
        kernels = torch.stack([self._kernel(width, repeat) for repeat in range(self.networks.repeats)])
        if not self._is_summed:
            return [{"width": width, **_distances(kernels)}]
        summed = torch.stack([self._summed(width, repeat) for repeat in range(self.networks.repeats)])
        triangles = {"published": _pairs(_triangles(summed)), "same_of_kernel": _pairs(_triangles(kernels))}
        return [{"width": width, **_distances(summed), **triangles}]

    def _kernel(self, width: int, repeat: int) -> torch.Tensor:
        network = self.networks.network(width, repeat)
        verify = repeat == 0
        return empirical_ntk(network, self.networks.loaded.x, self.output, parameters="all", verify=verify).matrix

    def _summed(self, width: int, repeat: int) -> torch.Tensor:
        network, x = self.networks.network(width, repeat), self.networks.loaded.x
        return summed_gradient_kernel(network, x, parameters="all", verify=repeat == 0)

    def summarise(self, rows: Sequence[Row]) -> Findings:
        """Return distances by width, their slopes and whether −1/2 is in the interval."""
        rows = sorted(rows, key=lambda row: int(row["width"]))
        widths = np.array([row["width"] for row in rows], float)
        absolute = [np.array(row["distances"]) for row in rows]
        relative = [distances / np.mean(row["norms"]) for distances, row in zip(absolute, rows, strict=True)]
        wide = widths >= ASYMPTOTIC_FROM
        slopes = {
            "relative": slope(widths, relative, mean_of_pairs),
            "relative, wide": _from(widths, relative, wide),
            "unnormalised": slope(widths, absolute, mean_of_pairs),
        }
        triangles = {name: [np.array(row[name]) for row in rows] for name in _TRIANGLES if self._is_summed}
        slopes |= {name: slope(widths, group, mean_of_pairs) for name, group in triangles.items()}
        columns = {
            "relative_distance": relative,
            "distance": absolute,
            **{f"{name}_distance": group for name, group in triangles.items()},
        }
        table = pd.DataFrame(
            {
                "width": widths.astype(int),
                **{name: [_mean(distances) for distances in groups] for name, groups in columns.items()},
                "mean_norm": [float(np.mean(row["norms"])) for row in rows],
                "local_slope": [math.nan, *(slopes["relative"].local if slopes["relative"] else [])],
            }
        )
        for name, groups in columns.items():
            table[[f"{name}_low", f"{name}_high"]] = [interval(group, mean_of_pairs) for group in groups]
        return Findings(table, self.figures_of(table), self._verdict(slopes))

    def figures_of(self, table: pd.DataFrame) -> dict[str, Figure]:
        """Return the distances by width, relative to the norm and as they are, with their intervals."""
        text = "mean of all pairs; band: its 95 % interval"
        relative = _line(text, table, "relative_distance")
        law = Line(ROOT_LAW, relative.x, power_law(relative.x, relative.y, THEORY), muted=True)
        others = [_line(text, table, "distance")]
        if self._is_summed:
            others = [_line(words, table, f"{name}_distance") for name, words in _TRIANGLES.items()]
        heading = "not normalised, over the triangle" if self._is_summed else "not normalised"
        panels = [
            LinePanel("relative to the norm", [relative, law], y_scale="log", y_label=_RELATIVE),
            LinePanel(heading, others, y_scale="log", y_label=_DISTANCE),
        ]
        summed = ", gradients summed by tensor first" if self._is_summed else ""
        title = f"Distance between kernels of two initialisations{summed}, by width"
        return {"distance": LineGrid(title, "width", "", panels, "log", share_y=False, setting=self.networks.setting())}

    def _verdict(self, slopes: dict[str, Slope | None]) -> Verdict:
        overall, wide, absolute = slopes["relative"], slopes["relative, wide"], slopes["unnormalised"]
        outcome, figures = Outcome.UNDECIDED, {}
        lines = [f"{self.networks.text}, {self.networks.repeats} initialisations of each width."]
        if overall is not None:
            local = ", ".join(f"{value:.2f}" for value in overall.local)
            lines.append(f"Slope of the relative distance over all widths: {overall}; between neighbours {local}.")
        if wide is not None:
            holds = "−1/2 is" if wide.contains(THEORY) else "−1/2 is not"
            outcome, figures = _outcome(wide), wide.figures("slope of wide networks")
            lines.append(f"From width {ASYMPTOTIC_FROM} on: {wide}; {holds} in the interval.")
        else:
            lines.append(f"Fewer than two widths from {ASYMPTOTIC_FROM} on: the asymptotic slope is not fitted.")
        if absolute is not None:
            way, norm = ("grows", "as the norm does") if absolute.value > 0 else ("falls", "too")
            lines.append(f"The unnormalised distance {way} with width, {norm}: slope {absolute}.")
        if self._is_summed:
            lines.append(
                "The published distance, of summed gradients over the upper triangle, has slope "
                f"{slopes['published']}; by the same formula the kernel itself has {slopes['same_of_kernel']}."
            )
        return Verdict(outcome, tuple(lines), figures)


_TRIANGLES = {"published": "gradients summed first, as published", "same_of_kernel": "the kernel itself"}
_RELATIVE = Formula(r"$\Vert K_a - K_b\Vert_F\,/\,\Vert K\Vert_F$")
_DISTANCE = Formula(r"$\Vert K_a - K_b\Vert$")


def _outcome(wide: Slope) -> Outcome:
    if wide.low is None:
        return Outcome.UNDECIDED
    return Outcome.HOLDS if wide.contains(THEORY) else Outcome.FAILS


def _distances(kernels: torch.Tensor) -> Row:
    """Norms, and distances of all pairs."""
    flat = kernels.flatten(1)
    return {"norms": flat.norm(dim=1).tolist(), "distances": _pairs(flat)}


def _pairs(flat: torch.Tensor) -> list[list[float]]:
    # By products, distances that are small beside the norms would drown in rounding.
    distances: list[list[float]] = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist").tolist()
    return distances


def _triangles(kernels: torch.Tensor) -> torch.Tensor:
    """The upper triangles with the diagonal, as the published code takes them."""
    rows, columns = torch.triu_indices(*kernels.shape[1:])
    return kernels[:, rows, columns]


def _mean(distances: np.ndarray) -> float:
    return mean_of_pairs(distances, np.arange(len(distances)))


def _line(text: str, table: pd.DataFrame, column: str) -> Line:
    y, low, high = (table[f"{column}{end}"].to_numpy(float) for end in ("", "_low", "_high"))
    return Line(text, table["width"].to_numpy(float), y, low, high)


def _from(widths: np.ndarray, relative: list[np.ndarray], wide: np.ndarray) -> Slope | None:
    groups = [distances for distances, use in zip(relative, wide, strict=True) if use]
    return slope(widths[wide], groups, mean_of_pairs) if len(groups) > 1 else None


STUDY = Determinism
