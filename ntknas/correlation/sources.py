"""Where the accuracies of a store's cells, or other targets, come from: benchmarks, or a file of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ntknas.benchmarks import FOLDER, benchmark_names, has_accuracies, load_benchmark, space_of
from ntknas.core.errors import ChoiceError
from ntknas.spaces import load_space

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.benchmarks.table import AccuracyTable, Benchmark, Target

ALL = "all"
"""In place of data sets or targets."""


@dataclass(frozen=True)
class AccuracySource:
    """Which accuracies are meant; without any the scores' own: of their space's benchmark, on their data set.

    Attributes:
        dataset: Data sets of the accuracies, or ``all``.
        target: Exact targets, behind the name of their benchmark and a colon where that is another one; or ``all``: the
            main targets of the benchmark, or of all benchmarks of the space that are there.
        bench: Name of the benchmark.
        bench_data: Folder of imported tables.
        accuracies: A file of accuracies, in place of a benchmark.
        column: Its column of accuracies.
        cell_column: Its column that names the cells.
    """

    dataset: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    bench: str | None = None
    bench_data: Path = FOLDER
    accuracies: Path | None = None
    column: str | None = None
    cell_column: str | None = None

    @property
    def is_named(self) -> bool:
        """Whether it is said what to correlate with, so that each setting need not be of the target's data set."""
        return bool(self.dataset or self.target or self.accuracies)

    @property
    def is_all(self) -> bool:
        """Whether all targets that are there are meant."""
        return ALL in self.target

    def spaces(self, scores: pd.DataFrame) -> list[str]:
        """Return the spaces to show: those of the scores, or of the benchmark that is named.

        Args:
            scores: Scores of any spaces.

        Returns:
            Names of spaces.

        Raises:
            ChoiceError: If there are several, and one file of accuracies.
        """
        spaces = [str(space) for space in scores["space"].unique()]
        if self.bench and len(spaces) > 1 and space_of(self.bench, self.bench_data) in spaces:
            return [space_of(self.bench, self.bench_data)]
        if self.accuracies is not None and len(spaces) > 1:
            raise ChoiceError(
                f"`accuracies` are of the cells of one space, and the scores are of {' and '.join(spaces)}: choose one "
                "with `space`."
            )
        return spaces

    def of(self, space: str, scores: pd.DataFrame) -> pd.Series | Mapping[str, AccuracyTable]:
        """Return the accuracies of a space's cells.

        Args:
            space: Name of the space.
            scores: Scores of its cells.

        Returns:
            The accuracies, as ``correlate`` takes them.

        Raises:
            ChoiceError: If the benchmark is of another space, or has no such accuracies.
            DataError: If the benchmark is not there, or the file cannot be read.
        """
        if self.accuracies is not None:
            from ntknas.benchmarks import read_accuracies

            return read_accuracies(self.accuracies, load_space(space), self.column, self.cell_column)
        if self.is_all:
            return self._all(space)
        if self.target:
            return dict(self._named(text, space) for text in self.target)
        benchmark = self._load(self.bench or space, space)
        datasets = () if ALL in self.dataset else self.dataset or tuple(scores["dataset"].unique())
        targets = benchmark.main_targets(*datasets) or self._transferred(benchmark)
        if not targets:
            raise ChoiceError(
                f"{benchmark.name} has no accuracies on {', '.join(self.dataset) or 'the data set of the scores'}: it "
                f"holds {benchmark.describe_targets()}. Or give your own as `accuracies`."
            )
        return {str(target): benchmark.table(target) for target in targets}

    def _transferred(self, benchmark: Benchmark) -> list[Target]:
        """Return the targets of a benchmark that is named, where it has none on the data set of the scores.

        Where targets have no epoch budgets, other data sets are what the benchmark is there for.
        """
        targets = benchmark.main_targets() if self.bench is not None and not self.dataset else []
        return targets if all(target.epochs is None for target in targets) else []

    def _load(self, name: str, space: str) -> Benchmark:
        benchmark = load_benchmark(name, folder=self.bench_data)
        if benchmark.space != space:
            raise ChoiceError(f"{name} holds accuracies of {benchmark.space}'s cells, and the scores are of {space}'s.")
        return benchmark

    def _named(self, text: str, space: str) -> tuple[str, AccuracyTable]:
        """Return one target by its text, which may begin with the name of its benchmark."""
        from ntknas.benchmarks import Target

        name, colon, target = text.rpartition(":")
        benchmark = self._load(name if colon else self.bench or space, space)
        return text, benchmark.table(Target.parse(target))

    def _all(self, space: str) -> dict[str, AccuracyTable]:
        """Return the main targets of the benchmark, or by benchmark of all that are there."""
        datasets = () if ALL in self.dataset else self.dataset
        if self.bench is not None:
            benchmarks = [self._load(self.bench, space)]
        else:
            folder = self.bench_data
            names = [name for name in benchmark_names(folder) if space_of(name, folder) == space]
            there = [name for name in names if has_accuracies(name, self.bench_data)]
            there.sort(key=lambda name: name != space)  # the space's own first
            benchmarks = [load_benchmark(name, folder=self.bench_data) for name in there]
        tables = {
            (benchmark.name, str(target)): benchmark.table(target)
            for benchmark in benchmarks
            for target in benchmark.main_targets(*datasets)
        }
        if not tables:
            raise ChoiceError(f"No benchmark of {space} has targets on {', '.join(datasets) or 'any data set'}.")
        return {target if self.bench else f"{name}:{target}": table for (name, target), table in tables.items()}
