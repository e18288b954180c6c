"""Targets of an imported benchmark as scores, to be held against others: published scores, or a latency as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import pandas as pd

from ntknas.benchmarks.table import Benchmark
from ntknas.core.errors import ChoiceError


def scores_of(benchmark: Benchmark, dataset: str, columns: Collection[str] = ()) -> pd.DataFrame:
    """Return targets of a benchmark on a data set as scores by cell, as ``read_scores`` does those of a file.

    Args:
        benchmark: The benchmark.
        dataset: The data set.
        columns: Scores to take of those that it has; without them all.

    Returns:
        One column per score by index of the cell; NaN where there is none. ``attrs["lower_is_better"]`` says of which
        lower is better, ``attrs["not_taken"]`` which ``columns`` leave out.

    Raises:
        ChoiceError: If it has none on this data set, or none of these.
    """
    held = benchmark.targets(dataset)
    targets = [target for target in held if benchmark.quantity(target).is_score] or benchmark.main_targets(dataset)
    if not targets:
        raise ChoiceError(
            f"{benchmark.name} has no scores on {dataset}: it holds {benchmark.describe_targets()}. Name a data set "
            "with `dataset`."
        )
    count = Counter(target.split for target in targets)
    named = {target.split if count[target.split] == 1 else str(target): target for target in targets}
    taken = {name: target for name, target in named.items() if not columns or name in columns}
    if not taken:
        raise ChoiceError(
            f"{benchmark.name} has none of the scores {', '.join(columns)} on {dataset}: it has {', '.join(named)}."
        )
    frame = pd.DataFrame({name: benchmark.table(target).mean for name, target in taken.items()}).dropna(how="all")
    frame.index.name = "cell"
    frame.attrs["lower_is_better"] = [n for n, t in taken.items() if not benchmark.quantity(t).higher_is_better]
    frame.attrs["not_taken"] = [name for name in named if name not in taken]
    return frame
