"""Determinism: do kernels at initialisation agree ever better as networks become wider?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch

from ntknas.kernels import empirical_ntk
from ntknas.report.figures import Figure, Line, LineGrid, LinePanel
from ntknas.studies.base import Findings, Row, Unit
from ntknas.studies.networks import Widths
from ntknas.studies.slopes import Slope, mean_of_pairs, slope

ASYMPTOTIC_FROM = 500
"""Width from which theory's slope is expected; narrower networks pull the fit above."""
THEORY = -0.5


@dataclass(frozen=True)
class Determinism:
    """The distance between kernels of independent initialisations, by width.

    Attributes:
        networks: Which networks, on which data.
        output: Output reduction of the kernels.
    """

    networks: Widths
    output: str = "traced"

    name: ClassVar[str] = "determinism"
    title: ClassVar[str] = "Determinism of the kernel at initialisation"
    claim: ClassVar[str] = (
        "As a network becomes wider its kernel at initialisation becomes deterministic: the relative distance between "
        "two initialisations falls as width^-1/2. Of one-head transformers with a fixed feed-forward width theory does "
        "not say so."
    )
    formula: ClassVar[str] = (
        "Over R initialisations, all pairs: ‖K_a − K_b‖_F / mean_r ‖K_r‖_F; the published distance ‖K_a − K_b‖_F "
        "beside it. Slope of the logarithms, with a 95 % interval by bootstrap over initialisations (not over pairs)."
    )

    def settings(self) -> dict[str, Any]:
        """Return every choice."""
        return {**self.networks.describe(), "output": self.output, "repeats": self.networks.repeats}

    def units(self) -> list[Unit]:
        """Return the widths."""
        return [(width,) for width in self.networks.widths]

    def size(self, unit: Unit) -> float:
        """Return the number of parameters of a width."""
        return float(self.networks.parameters(unit[0]))

    def bytes_needed(self) -> int:
        """Return the memory of the widest networks and all their kernels."""
        return self.networks.bytes_at(self.networks.widths[-1], self.networks.repeats + 6)

    def measure(self, unit: Unit) -> list[Row]:
        """Return norms and distances of the kernels of a width."""
        (width,) = unit
        kernels = torch.stack([self._kernel(width, repeat) for repeat in range(self.networks.repeats)])
        flat = kernels.flatten(1)
        norms = flat.norm(dim=1)
        distances = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist")
        return [{"width": width, "norms": norms.tolist(), "distances": distances.tolist()}]

    def _kernel(self, width: int, repeat: int) -> torch.Tensor:
        network = self.networks.network(width, repeat)
        verify = repeat == 0
        return empirical_ntk(network, self.networks.loaded.x, self.output, parameters="all", verify=verify).matrix

    def summarise(self, rows: Sequence[Row]) -> Findings:
        """Return distances by width, their slopes and whether −1/2 is in the interval."""
        rows = sorted(rows, key=lambda row: int(row["width"]))
        widths = np.array([row["width"] for row in rows], float)
        absolute = [np.array(row["distances"]) for row in rows]
        relative = [each / np.mean(row["norms"]) for each, row in zip(absolute, rows, strict=True)]
        wide = widths >= ASYMPTOTIC_FROM
        found = {
            "relative": slope(widths, relative, mean_of_pairs),
            "relative, wide": _from(widths, relative, wide),
            "published": slope(widths, absolute, mean_of_pairs),
        }
        table = pd.DataFrame(
            {
                "width": widths.astype(int),
                "relative_distance": [_mean(each) for each in relative],
                "published_distance": [_mean(each) for each in absolute],
                "mean_norm": [float(np.mean(row["norms"])) for row in rows],
                "local_slope": [math.nan, *(found["relative"].local if found["relative"] else [])],
            }
        )
        return Findings(table, self._figures(table), self._verdict(found))

    def _figures(self, table: pd.DataFrame) -> dict[str, Figure]:
        x = table["width"].to_numpy(float)
        relative, published = (table[name].to_numpy() for name in ("relative_distance", "published_distance"))
        reference = relative[-1] * np.sqrt(x[-1] / x)
        panels = [
            LinePanel(
                "relative distance",
                [Line("between initialisations", x, relative), Line("width^-1/2", x, reference, muted=True)],
                y_scale="log",
            ),
            LinePanel("published distance", [Line("between initialisations", x, published)], y_scale="log"),
        ]
        grid = LineGrid(f"Determinism: {self.networks.text}", "width", "", panels, "log", share_y=False)
        return {"distance": grid}

    def _verdict(self, found: dict[str, Slope | None]) -> list[str]:
        overall, wide, published = found["relative"], found["relative, wide"], found["published"]
        lines = [f"{self.networks.text}, {self.networks.repeats} initialisations of each width."]
        if overall is not None:
            local = ", ".join(f"{each:.2f}" for each in overall.local)
            lines.append(f"Slope of the relative distance over all widths: {overall}; between neighbours {local}.")
        if wide is not None:
            holds = "−1/2 is" if wide.contains(THEORY) else "−1/2 is not"
            lines.append(f"From width {ASYMPTOTIC_FROM} on: {wide}; {holds} in the interval.")
        else:
            lines.append(f"Fewer than two widths from {ASYMPTOTIC_FROM} on: the asymptotic slope is not fitted.")
        if published is not None:
            way, norm = ("grows", "as the norm does") if published.value > 0 else ("falls", "too")
            lines.append(f"The published distance {way} with width, {norm}: slope {published}.")
        return lines


def _mean(distances: np.ndarray) -> float:
    return mean_of_pairs(distances, np.arange(len(distances)))


def _from(widths: np.ndarray, relative: list[np.ndarray], wide: np.ndarray) -> Slope | None:
    chosen = [each for each, use in zip(relative, wide, strict=True) if use]
    return slope(widths[wide], chosen, mean_of_pairs) if len(chosen) > 1 else None
