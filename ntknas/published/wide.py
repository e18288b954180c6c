"""Published scores of one way and one seed as a table with one column a measure."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

import pandas as pd

from ntknas.core.score import Status
from ntknas.published.release import Release


def load_scores(
    release: str | PathLike[str] = "nb201",
    way: str = "recommended",
    seed: int = 0,
    measures: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Load published scores: every cell of a space by every measure of one way of measuring, in a moment.

    Args:
        release: Name of a release that comes with the package, or a folder that holds one.
        way: Name of a way; ``ntknas published list`` shows them.
        seed: Seed of the weights.
        measures: Names of measures, or one name; all of the way without any.

    Returns:
        Index ``cell``, one column for each measure, NaN where a cell has no value. ``attrs`` says ``release``,
        ``version``, ``way``, ``seed``, ``settings`` (fields by digest), ``setting`` (the digest of each measure's) and
        ``statuses`` (how many cells have which, by measure).

    Raises:
        ChoiceError: If there is no such release, way, seed or measure; the message names what there is.
        DataError: If there are no published scores yet, or a file was changed.
    """
    opened = Release.open(release if isinstance(release, str) else Path(release))
    scores = opened.frame([way], [seed], measures)
    names = list(dict.fromkeys(scores["measure"]))
    cells = scores["cell"].iloc[: len(scores) // max(len(names), 1)]  # in this order by every measure
    values = scores["value"].to_numpy().reshape(len(names), len(cells))
    table = pd.DataFrame(values.T.copy(), index=pd.Index(cells, name="cell"), columns=names)
    described = opened.ways[way]
    table.attrs = {
        "release": opened.name,
        "version": opened.version,
        "way": way,
        "seed": seed,
        "settings": scores.attrs["settings"],
        "setting": {name: described.measures[name] for name in names},
        "statuses": _statuses(scores),
    }
    return table


def _statuses(scores: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return how many cells have which status, by measure."""
    counts = scores.groupby(["measure", "status"], observed=True).size()
    return {
        str(measure): {str(Status(status)): int(count) for status, count in of.droplevel("measure").items()}
        for measure, of in counts.groupby("measure", observed=True)
    }
