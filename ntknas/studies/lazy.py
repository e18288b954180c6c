"""Lazy training: does a network that is scaled up train as its linearisation, its weights almost still?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ntknas.core.errors import ChoiceError
from ntknas.report.figures import Figure, HeatMap, HeatMaps, Line, LineGrid, LinePanel
from ntknas.studies.base import Findings, Row, Unit, seed_of
from ntknas.studies.limits import FAMILIES, Limit, limit
from ntknas.studies.scaled_training import ScaledTraining
from ntknas.studies.slopes import Slope, geometric_mean, mean_of_repeats, slope

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
_SCALES = 1e-6, 1e6
LAZY_FROM = 10.0
"""α from which the laws of lazy training are fitted."""
COLUMNS = ["width", "alpha", "repeat", "share", "change", "layers", "distance", "drift", "loss", "error", "status"]
MEASURES = {
    "change": "relative change of the weights",
    "distance": "distance to the linearised network",
    "drift": "relative change of the kernel",
    "error": "test error (mean square)",
}


@dataclass(frozen=True)
class Lazy:
    """Training of α (f − f_0), over α and width.

    Attributes:
        family: A key of ``FAMILIES``.
        data: Name of the data.
        samples: Training samples.
        test: Test samples.
        widths: The widths, ascending.
        alphas: The scales α, ascending.
        steps: Steps of the whole time at the largest size.
        repeats: Initialisations of each.
        seed: Seed of the first.
        folder: Folder of downloaded images.
        device: Where to compute.

    Raises:
        ChoiceError: If a name or number is out of range.
    """

    family: str = "mlp"
    data: str | None = None
    samples: int = 100
    test: int = 50
    widths: tuple[int, ...] = (64, 256, 1024)
    alphas: tuple[float, ...] = tuple(10.0**power for power in range(-2, 4))
    steps: int = 200
    repeats: int = 5
    seed: int = 0
    folder: Path = Path("image_data")
    device: str = "cpu"

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

    def __post_init__(self) -> None:
        """Check numbers."""
        for name in ("widths", "alphas"):
            values = getattr(self, name)
            if not values or list(values) != sorted(set(values)) or values[0] <= 0:
                raise ChoiceError(f"--{name} expects positive numbers that ascend, got {values}.")
        if not _SCALES[0] <= self.alphas[0] <= self.alphas[-1] <= _SCALES[1]:
            raise ChoiceError(
                f"--alphas expects numbers from {_SCALES[0]:g} to {_SCALES[1]:g}, got {self.alphas}: beyond, rounding "
                "hides what moves."
            )
        if min(self.samples, self.test) < 2 or self.steps < 1 or self.repeats < 1:
            raise ChoiceError(
                f"At least two training and test samples, a step and a repeat are needed, got {self.samples}, "
                f"{self.test}, {self.steps}, {self.repeats}."
            )

    @cached_property
    def _limit(self) -> Limit:
        return limit(self.family, self.data, self.samples + self.test, self.folder, self.device)

    @cached_property
    def _loaded(self) -> tuple[Tensor, Tensor]:
        """Inputs and values, training samples first: the earlier part of a series, else drawn with a fixed seed."""
        found = self._limit
        places = torch.arange(len(found))
        if not found.is_series:
            places = torch.from_numpy(np.random.default_rng(0).permutation(len(found)))
        y = found.y
        if found.is_classification:
            y = (2.0 * (y % 2) - 1)[:, None].to(found.x)
            if len(torch.unique(y)) < 2:
                raise ChoiceError("All samples are of one class: take more --samples, or other --data.")
        return found.x[places], y[places]

    def settings(self) -> dict[str, Any]:
        """Return every choice but widths, scales and repeats, to which more may be added."""
        names = ("family", "samples", "test", "steps", "seed")
        found = {name: getattr(self, name) for name in names}
        found |= {"data": self._limit.data, "parametrisation": "ntk", "source": self._limit.source}
        return {**found, "networks": FAMILIES[self.family].choices}

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
        tokens, total = self._limit.tokens, self.samples + self.test
        parameters = self._limit.parameters(self.widths[-1])
        return 8 * (6 * parameters + 8 * total**2 + 12 * total * self.widths[-1] * tokens)

    def measure(self, unit: Unit) -> list[Row]:
        """Train one network, and return its snapshots; where it did not end, a last row says why."""
        width, alpha, repeat = unit
        x, y = self._loaded
        network = self._limit.network(width, seed_of(self.seed, width, repeat), outputs=1)
        snapshots, status = ScaledTraining(network, x, y, self.samples, alpha, self.steps).run(SHARES)
        about = {"width": width, "alpha": alpha, "repeat": repeat}
        rows = [{**about, **asdict(each), "status": "ok"} for each in snapshots]
        return rows if status == "ok" else [*rows, {**about, "status": status}]

    def summarise(self, rows: Sequence[Row]) -> Findings:
        """Return every measure at the end by width and α, and the laws from α = 10 on."""
        frame = pd.DataFrame(list(rows)).reindex(columns=COLUMNS)
        good = frame[frame["status"] == "ok"]
        ended = good[good["share"] == SHARES[-1]]
        failed = frame[frame["status"] != "ok"]
        lines = []
        for width in self.widths:
            for alpha in self.alphas:
                chosen = _of(ended, width, alpha)
                lost = _of(failed, width, alpha)["status"].value_counts()
                lines.append(
                    {
                        "width": width,
                        "alpha": alpha,
                        "ended": len(chosen),
                        "reached": _reached(_of(frame, width, alpha)),
                        **{status: int(lost.get(status, 0)) for status in ("diverged", "unfinished")},
                        **{name: geometric_mean(chosen[name].to_numpy(float)) for name in MEASURES},
                    }
                )
        table = pd.DataFrame(lines)
        return Findings(table, self._figures(table, good), self._verdict(table, ended))

    def _figures(self, table: pd.DataFrame, good: pd.DataFrame) -> dict[str, Figure]:
        by_width = dict(list(table.groupby("width")))
        panels = [
            LinePanel(
                text,
                [Line(f"width {width}", *_columns(each, "alpha", name)) for width, each in by_width.items()],
                y_scale="log",
            )
            for name, text in MEASURES.items()
        ]
        widest = good[good["width"] == self.widths[-1]]
        along = [
            Line(f"α = {alpha:g}", *_along(each, "distance")) for alpha, each in widest.groupby("alpha", sort=True)
        ]
        title = f"{self.family} on {self.samples} samples of {self._limit.data}"
        return {
            "scale": LineGrid(f"After training, by α: {title}", "α", "", panels, "log", share_y=False),
            "training": LineGrid(
                f"Distance to the linearised network, width {self.widths[-1]}: {title}",
                "part of the time",
                "",
                [LinePanel("while training", along, y_scale="log")],
                "log",
            ),
            "layers": self._heat_maps(widest),
        }

    def _heat_maps(self, widest: pd.DataFrame) -> HeatMaps:
        maps = []
        for alpha, each in widest.groupby("alpha", sort=True):
            layers = pd.DataFrame(each["layers"].tolist()).assign(share=each["share"].to_numpy())
            maps.append(HeatMap(f"α = {alpha:g}", layers.groupby("share").mean().T.to_numpy()))
        layers_of = widest["layers"].iloc[0] if len(widest) else {}
        names = [f"layer {name}" if name.isdigit() else name for name in layers_of]
        shares = [f"{share:g}" for share in SHARES]
        return HeatMaps(
            f"Relative change of each layer's weights, width {self.widths[-1]}: {self.family}",
            "part of the time",
            names,
            shares,
            maps,
            "‖Δθ‖ / ‖θ_0‖",
        )

    def _verdict(self, table: pd.DataFrame, ended: pd.DataFrame) -> list[str]:
        lines = [
            f"{self.family} ({FAMILIES[self.family].text}), {self.samples} training and {self.test} test samples of "
            f"{self._limit.data}, {self.steps} steps, {self.repeats} initialisations of each width and α."
        ]
        laws = [line for width in self.widths for line in self._laws(width, ended)]
        lines += laws or [f"Fewer than two α from {LAZY_FROM:g} on: no law of large scales is fitted."]
        lines.append(self._widths(ended))
        best = table.loc[table["error"].idxmin()] if table["error"].notna().any() else None
        if best is not None:
            lazy = table[(table["width"] == best["width"]) & (table["alpha"] == self.alphas[-1])]["error"]
            lines.append(
                f"Least test error {best['error']:.3g} at width {best['width']:g}, α = {best['alpha']:g}; at the "
                f"largest α of that width {float(lazy.iloc[0]):.3g}."
            )
        lost = int(table[["diverged", "unfinished"]].to_numpy().sum())
        if lost:
            worst = table[table[["diverged", "unfinished"]].sum(axis=1) > 0]
            lines.append(
                f"{lost} trainings did not end (α from {worst['alpha'].min():g} to {worst['alpha'].max():g}) and are "
                f"left out ({int(table['unfinished'].sum())} ran out of steps, {int(table['diverged'].sum())} met what "
                f"is no number); they reached "
                f"{100 * worst['reached'].min():.0f} to {100 * worst['reached'].max():.0f} % of the time."
            )
        return [line for line in lines if line]

    def _laws(self, width: int, ended: pd.DataFrame) -> list[str]:
        """Slopes over the scales from which training should be lazy."""
        lines = []
        alphas = [alpha for alpha in self.alphas if alpha >= LAZY_FROM and len(_of(ended, width, alpha))]
        for name in ("change", "distance"):
            groups = [_of(ended, width, alpha)[name].to_numpy(float) for alpha in alphas]
            found = slope(np.array(alphas), groups, mean_of_repeats) if len(alphas) > 1 else None
            if found is not None:
                lines.append(
                    f"Width {width}: {MEASURES[name]} from α = {LAZY_FROM:g} on has slope {found}: {_judgement(found)}."
                )
        return lines

    def _widths(self, ended: pd.DataFrame) -> str:
        """How the distance falls with width at α = 1."""
        widths = [width for width in self.widths if len(_of(ended, width, 1.0))]
        groups = [_of(ended, width, 1.0)["distance"].to_numpy(float) for width in widths]
        found: Slope | None = slope(np.array(widths, float), groups, mean_of_repeats) if len(widths) > 1 else None
        return "" if found is None else f"At α = 1 the distance to the linearised network has slope {found} by width."


def _judgement(found: Slope) -> str:
    if found.low is None:
        return "too few repeats for a verdict"
    if found.contains(-1.0) or abs(found.value + 1) < 0.05:
        return "as 1/α, the claim holds"
    return "faster than 1/α, the claim holds" if found.value < -1 else "more slowly than 1/α"


def _of(frame: pd.DataFrame, width: int, alpha: float) -> pd.DataFrame:
    return frame[(frame["width"] == width) & (frame["alpha"] == alpha)]


def _reached(frame: pd.DataFrame) -> float:
    """Mean over repeats of the last snapshot's part of the time."""
    return float(frame.groupby("repeat")["share"].max().fillna(0.0).mean()) if len(frame) else np.nan


def _columns(table: pd.DataFrame, *names: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = (table[name].to_numpy(float) for name in names)
    return x, y


def _along(frame: pd.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    means = frame.groupby("share")[name].apply(lambda values: geometric_mean(values.to_numpy(float)))
    return means.index.to_numpy(float), means.to_numpy(float)
