"""Performance: is the kernel as good a predictor as the trained network?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from torch import nn

from ntknas.core.errors import ChoiceError
from ntknas.core.holm import holm
from ntknas.kernels import empirical_ntk
from ntknas.report.figures import BarGroup, Bars, Figure
from ntknas.studies.base import Findings, Row, Study, Unit, seed_of
from ntknas.studies.limits import Limit, choices_of
from ntknas.studies.options import Numbers
from ntknas.studies.paired import Mean, corrected_mean
from ntknas.studies.predictors import (
    CLASSIFIERS,
    REGRESSORS,
    check_positive,
    kernel_prediction,
    network_prediction,
    train_network,
)
from ntknas.studies.splits import Split, Splits
from ntknas.studies.subject import Subject
from ntknas.studies.verdict import Outcome, Verdict
from ntknas.studies.words import counted, setting_of

WINDOW = 11
"""Values that a window of a series and its target take: windows nearer than this share some."""
LEVEL = 0.05
"""p-value below which a difference is one."""
KERNELS = {"start": "kernel at initialisation", "end": "kernel after training", "infinite": "infinite kernel"}


@dataclass(frozen=True)
class Performance(Study):
    """Test scores of a trained network and of kernel machines on the same splits.

    Attributes:
        subject: Which networks, on which data.
        width: Width of the network.
        steps: The most steps of training; fewer where they did better within the training samples.
        folds: Folds of the outer cross-validation.
        repeats: Repetitions of it, with other divisions and weights.

    Raises:
        ChoiceError: If a number is out of range, or a fold would lack a class.
    """

    subject: Subject
    width: int
    steps: int
    folds: int
    repeats: int

    name: ClassVar[str] = "performance"
    title: ClassVar[str] = "The trained network and its kernels as predictors"
    claim: ClassVar[str] = (
        "The kernel of infinite width predicts as well as the trained network, and so do the kernels of the finite "
        "network at initialisation and after training."
    )
    formula: ClassVar[str] = (
        "Nested cross-validation: each outer fold is tested once, and everything (C, ε and ridge by inner "
        "cross-validation; learning rate and number of steps by one inner division) is chosen within its training "
        "samples; only the scale of features and values is that of all samples. Accuracy in percent, or the root mean "
        "square error in standard deviations of the target. Intervals and paired tests against the network by the "
        "corrected resampled t-test (Nadeau & Bengio 2003), p adjusted by Holm. Networks in NTK parametrisation, "
        "trained by Adam on the whole training part; kernels averaged over outputs."
    )

    FAMILIES: ClassVar = ("gnn", "mlp-2", "cnn-flat", "rnn", "transformer-tied")
    PUBLISHED: ClassVar[Numbers] = Numbers(samples=400, widths=(128,), steps=300, folds=10, repeats=1)
    QUICK: ClassVar[Numbers] = Numbers(samples=120, widths=(16,), steps=40, folds=3, repeats=1)
    GRAPHS: ClassVar[Numbers] = Numbers(samples=188)
    QUICK_GRAPHS: ClassVar[Numbers] = Numbers(samples=90)

    @classmethod
    def preset(cls, family: str, data: str, *, quick: bool) -> Numbers:
        """Return the published or the quick numbers for a family on data."""
        graphs = cls.QUICK_GRAPHS if quick else cls.GRAPHS
        return {**super().preset(family, data, quick=quick), **(graphs if family == "gnn" else {})}

    @classmethod
    def make(cls, subject: Subject, numbers: Numbers) -> Self:
        """Make the study of a subject, with all its numbers; of several widths the last."""
        return cls(subject, numbers["widths"][-1], numbers["steps"], numbers["folds"], numbers["repeats"])

    def __post_init__(self) -> None:
        """Check numbers and splits."""
        if self.steps < 1 or self.repeats < 1 or self.width < 1:
            raise ChoiceError(f"Steps, repeats and width must be positive: {self.steps}, {self.repeats}, {self.width}.")
        _ = self._splits

    @cached_property
    def _limit(self) -> Limit:
        return self.subject.limit()

    @cached_property
    def _targets(self) -> np.ndarray:
        targets: np.ndarray = self._limit.y.cpu().numpy()
        return targets

    @cached_property
    def _splits(self) -> Splits:
        gap = WINDOW if self._limit.is_series else 0
        return Splits(self._targets, self.folds, min(5, self.folds), gap)

    @cached_property
    def _infinite(self) -> tuple[np.ndarray, float]:
        """The infinite kernel, and the seconds that it took."""
        start = time.perf_counter()
        kernel = self._limit.infinite().cpu().numpy()
        return kernel, time.perf_counter() - start

    @property
    def _score(self) -> str:
        return "accuracy" if self._limit.is_classification else "rmse"

    def settings(self) -> dict[str, object]:
        """Return every choice but the number of repeats."""
        numbers = {"width": self.width, "steps": self.steps, "folds": self.folds}
        networks = choices_of(self.subject.family)
        return {**self.subject.identity(self._limit.source, self._limit.data, **numbers, networks=networks)}

    def units(self) -> list[Unit]:
        """Return every (repeat, fold)."""
        return [(repeat, fold) for repeat in range(self.repeats) for fold in range(self.folds)]

    def cost(self, unit: Unit) -> float:
        """Return one: all folds are alike."""
        return 1.0

    def bytes_needed(self) -> int:
        """Return the memory of kernels and activations."""
        activations = 12 * self.subject.samples * self.width * self._limit.tokens + 4 * self._limit.x.numel()
        return 8 * (16 * self.subject.samples**2 + activations)

    def measure(self, unit: Unit) -> list[Row]:
        """Return the test scores of every method on one split."""
        repeat, fold = unit
        split = self._splits.outer(repeat)[fold]
        inner = self._splits.within(split[0], repeat)
        unit_row = {"repeat": repeat, "fold": fold, "train": len(split[0]), "test": len(split[1])}
        seed = seed_of(self.subject.seed, repeat, fold)
        started = time.perf_counter()
        start, took = self._kernel(self._limit.network(self.width, seed))
        kernels = {"start": (start, took), "infinite": self._infinite}
        network, parameters, spent = self._train(seed, split, inner)
        kernels["end"] = self._kernel(network)
        predicted = network_prediction(network, self._limit.x[split[1]])
        rows = [self._row("network", predicted, split, spent, parameters), self._constant(split)]
        for name, (kernel, seconds) in kernels.items():
            rows += self._machines(KERNELS[name], kernel, seconds + (spent if name == "end" else 0.0), split, inner)
        return [{**unit_row, **row, "unit_seconds": time.perf_counter() - started} for row in rows]

    def _train(self, seed: int, split: Split, inner: Sequence[Split]) -> tuple[nn.Module, dict[str, float], float]:
        began, limit = time.perf_counter(), self._limit
        network, parameters = train_network(
            lambda: limit.network(self.width, seed), limit.x, limit.y, split[0], inner[0], self.steps
        )
        return network, parameters, time.perf_counter() - began

    def _kernel(self, network: nn.Module) -> tuple[np.ndarray, float]:
        start = time.perf_counter()
        kernel = empirical_ntk(network, self._limit.x, "traced", parameters="all", verify=False)
        return kernel.matrix.numpy() / kernel.outputs, time.perf_counter() - start

    def _machines(
        self, name: str, kernel: np.ndarray, seconds: float, split: Split, inner: Sequence[Split]
    ) -> list[Row]:
        check_positive(kernel, name)
        rows = []
        for kind, machine in (CLASSIFIERS if self._limit.is_classification else REGRESSORS).items():
            start = time.perf_counter()
            predicted, parameters = kernel_prediction(machine, kernel, self._targets, split, inner)
            spent = seconds + time.perf_counter() - start
            rows.append(self._row(f"{name}, {kind}", predicted, split, spent, parameters))
        return rows

    def _constant(self, split: Split) -> Row:
        """The most frequent class, or the mean, of the training samples."""
        taught = self._targets[split[0]]
        value = np.bincount(taught).argmax() if self._limit.is_classification else taught.mean()
        return self._row("constant", np.full(len(split[1]), value), split, 0.0, {})

    def _row(
        self, method: str, predicted: np.ndarray, split: Split, seconds: float, parameters: dict[str, float]
    ) -> Row:
        true = self._targets[split[1]]
        if self._limit.is_classification:
            score = 100 * float((predicted == true).mean())
        else:
            score = float(np.sqrt(((predicted - true[:, 0]) ** 2).mean()))
        return {"method": method, "score": score, "seconds": seconds, "chosen": parameters}

    def summarise(self, rows: Sequence[Row]) -> Findings:
        """Return mean scores with intervals, differences to the network with paired tests, and costs."""
        frame = pd.DataFrame(list(rows))
        scores = frame.pivot_table(index=["repeat", "fold"], columns="method", values="score")
        if self._splits.gap:  # repeats divide a series alike: they are no further folds
            scores = scores.groupby("fold").mean()
        share = float((frame["test"] / frame["train"]).mean())
        order = frame["method"].drop_duplicates().tolist()
        means = {method: corrected_mean(scores[method].to_numpy(), share) for method in order}
        differences = {
            method: corrected_mean((scores[method] - scores["network"]).to_numpy(), share)
            for method in order
            if method not in ("network", "constant")
        }
        adjusted = dict(zip(differences, holm([difference.p for difference in differences.values()]), strict=True))
        seconds = frame.groupby("method")["seconds"].mean()
        lines = [
            self._line(method, means[method], differences.get(method), adjusted.get(method), float(seconds[method]))
            for method in order
        ]
        table = pd.DataFrame(lines)
        return Findings(table, self.figures_of(table), self._verdict(table))

    def _line(self, method: str, mean: Mean, difference: Mean | None, p: float | None, seconds: float) -> Row:
        gap = difference or Mean(np.nan, np.nan, np.nan, np.nan)
        return {
            "method": method,
            self._score: mean.value,
            "low": np.clip(mean.low, 0, None),
            "high": np.clip(mean.high, None, 100 if self._limit.is_classification else None),
            "against_network": float(np.round(gap.value, 9)),  # equal scores differ by rounding
            "against_low": gap.low,
            "against_high": gap.high,
            "p_holm": np.nan if p is None else float(p),
            "seconds": seconds,
        }

    def figures_of(self, table: pd.DataFrame) -> dict[str, Figure]:
        """Return the scores of all methods, the best first."""
        is_accuracy = self._limit.is_classification
        table = table.sort_values(self._score, ascending=not is_accuracy, kind="stable")
        values, low, high = (table[name].to_numpy(float) for name in (self._score, "low", "high"))
        label = "mean test accuracy (%)" if is_accuracy else "mean test error (σ of the target)"
        words = {
            "network": "trained network",
            "constant": "most frequent class" if is_accuracy else "mean of the values",
        }
        methods = [words.get(method, method) for method in table["method"]]
        score = "" if is_accuracy else "root mean square error, "
        folds = f"{score}mean and 95 % interval over {counted(self.folds, 'fold')}, {counted(self.repeats, 'repeat')}"
        setting = setting_of(self.subject, f"width {self.width:,}", folds)
        muted = frozenset({words["constant"]})
        title = "The trained network and its kernels as predictors"
        group = BarGroup("", values, low, high)
        bounds = (0.0, 100.0) if is_accuracy else None
        return {"scores": Bars(title, label, methods, [group], muted, setting, bounds=bounds)}

    def _verdict(self, table: pd.DataFrame) -> Verdict:
        subject, by = self.subject, table.set_index("method")
        kernels = by[~by.index.isin(["network", "constant"])]
        best = str(kernels[self._score].idxmax() if self._limit.is_classification else kernels[self._score].idxmin())
        unit = " %" if self._limit.is_classification else " standard deviations"
        lines = [
            f"{subject.name} ({subject.networks.text}) of width {self.width}, {subject.samples} samples of "
            f"{self._limit.data}, {self.folds} folds, {self.repeats} repeat(s).",
            f"Network {_interval(by.loc['network'], self._score)}{unit}, best kernel method ({best}) "
            f"{_interval(by.loc[best], self._score)}{unit}, constant {by.loc['constant', self._score]:.3g}{unit}.",
        ]
        lines += [self._compared(str(method), row) for method, row in kernels.iterrows()]
        cost = ", ".join(f"{method} {row['seconds']:.2g}" for method, row in by.iterrows() if method != "constant")
        lines.append(f"Seconds per fold, with everything that a method needs: {cost}.")
        differences = {str(method): float(value) for method, value in kernels["against_network"].items()}
        return Verdict(self._outcome(kernels), tuple(lines), differences)

    def _outcome(self, kernels: pd.DataFrame) -> Outcome:
        """The claim fails where a kernel is worse; that no difference is shown does not say that there is none."""
        significant = kernels[kernels["p_holm"] < LEVEL]
        worse = (significant["against_network"] > 0) != self._limit.is_classification
        if worse.any():
            return Outcome.FAILS
        return Outcome.HOLDS if len(significant) else Outcome.UNDECIDED

    def _compared(self, method: str, row: pd.Series) -> str:
        better = (row["against_network"] > 0) == self._limit.is_classification
        text = f"{method}: {row['against_network']:+.3g} [{row['against_low']:.3g}, {row['against_high']:.3g}]"
        if np.isnan(row["p_holm"]):
            return f"{text} against the network; no test of too few folds, or of differences that are all alike."
        if row["p_holm"] < LEVEL:
            return f"{text}, p = {row['p_holm']:.2g}: {'better' if better else 'worse'} than the network."
        return f"{text}, p = {row['p_holm']:.2g}: no difference to the network shown."


def _interval(row: pd.Series, score: str) -> str:
    return f"{row[score]:.3g} [{row['low']:.3g}, {row['high']:.3g}]"


STUDY = Performance
