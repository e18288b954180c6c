"""Which accuracies ``ntknas correlate`` is to use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.core.errors import ChoiceError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class AccuracyOptions:
    """What the options say; fields as the options of ``ntknas correlate``."""

    dataset: tuple[str, ...]
    target: tuple[str, ...]
    bench: str | None
    bench_data: Path
    accuracies: Path | None
    column: str | None
    cell_column: str | None

    @classmethod
    def take(cls, options: dict[str, Any]) -> AccuracyOptions:
        """Take the options out of a command's options.

        Raises:
            UsageError: If they do not go together.
        """
        taken = cls(**{name: options.pop(name) for name in cls.__dataclass_fields__})
        if taken.accuracies is not None and (taken.dataset or taken.target or taken.bench):
            raise click.UsageError(
                "--accuracies stands alone: it cannot be combined with --dataset, --target or --bench."
            )
        if taken.dataset and taken.target:
            raise click.UsageError("--target names its data set: it cannot be combined with --dataset.")
        if taken.accuracies is None and (taken.column is not None or taken.cell_column is not None):
            name = "--column" if taken.column is not None else "--cell-column"
            raise click.UsageError(f"{name} names a column of --accuracies.")
        return taken

    @property
    def are_named(self) -> bool:
        """Whether it was said what to correlate with, so that each setting need not be of the target's data set."""
        return bool(self.dataset or self.target or self.accuracies)

    def spaces(self, scores: pd.DataFrame) -> list[str]:
        """Return the spaces to show: those of the scores, or of the benchmark that is named.

        Raises:
            UsageError: If there are several, and one file of accuracies.
        """
        from ntknas.benchmarks import space_of

        spaces = [str(space) for space in scores["space"].unique()]
        if self.bench and len(spaces) > 1 and space_of(self.bench) in spaces:
            return [space_of(self.bench)]
        if self.accuracies is not None and len(spaces) > 1:
            raise click.UsageError(
                f"--accuracies are of the cells of one space, and the scores are of {' and '.join(spaces)}: choose one "
                "with --space."
            )
        return spaces

    def of(self, space: str, scores: pd.DataFrame) -> pd.Series | Mapping[str, Any]:
        """Return the accuracies of a space's cells.

        Args:
            space: Name of the space.
            scores: Scores of its cells.

        Raises:
            ChoiceError: If the benchmark is of another space, or has no such accuracies.
            DataError: If the benchmark is not there, or the file cannot be read.
        """
        from ntknas.benchmarks import Target, load_benchmark, read_accuracies
        from ntknas.spaces import load_space

        if self.accuracies is not None:
            return read_accuracies(self.accuracies, load_space(space), self.column, self.cell_column)
        benchmark = load_benchmark(self.bench or space, folder=self.bench_data)
        if benchmark.space != space:
            raise ChoiceError(
                f"{self.bench} holds accuracies of {benchmark.space}'s cells, and the scores are of {space}'s."
            )
        datasets = () if "all" in self.dataset else self.dataset or tuple(scores["dataset"].unique())
        wanted = [Target.parse(text) for text in self.target] or benchmark.main_targets(*datasets)
        if not wanted:
            raise ChoiceError(
                f"{benchmark.name} has no accuracies on {', '.join(self.dataset) or 'the data set of the scores'}: it "
                f"holds {benchmark.describe_targets()}. Or give --accuracies FILE.csv."
            )
        return {str(target): benchmark.table(target) for target in wanted}
