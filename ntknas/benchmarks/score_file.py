"""A user's own scores, from such a file as accuracies: every column of numbers is a score."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ntknas.benchmarks.cell_columns import CELL_COLUMNS, cell_columns, rows_of
from ntknas.benchmarks.column_files import in_file, number_in, read_columns
from ntknas.benchmarks.columns import Columns
from ntknas.benchmarks.sentinels import suspicions
from ntknas.core.errors import DataError
from ntknas.core.quoting import quoted
from ntknas.spaces import Space

Array = NDArray[np.float64]


def read_scores(
    path: Path | str,
    space: Space,
    columns: Collection[str] = (),
    *,
    cell_column: str | None = None,
    missing: Collection[float] | float = (),
) -> pd.DataFrame:
    r"""Read scores by cell.

    Args:
        path: CSV file, plain or compressed, or ``.npz`` of columns as arrays, as for ``read_accuracies``: columns that
            name the cells (index, architecture string, hash or NASLib's tuple), which must agree on every row, and
            scores.
        space: The space of the cells.
        columns: Scores to take, or one, of those that it has; without them every other column with a number in it.
        cell_column: The column that names the cells, where it is not one of the usual ones or others are not to count.
        missing: Numbers, or one, that stand for a failure, not for a score.

    Returns:
        One column per score by index of the cell; NaN where there is none. ``attrs["notes"]`` says which columns are
        no scores, and what looks odd, ``attrs["not_taken"]`` which ``columns`` leave out.

    Raises:
        DataError: If the file cannot be read, names a cell twice, unknown or in two ways that disagree, a score is no
            number, or a column has the same score everywhere, or none.

    Example:
        >>> import ntknas, tempfile
        >>> path = Path(tempfile.mkdtemp()) / "mine.csv"
        >>> _ = path.write_text("index,mine\n3,0.5\n8,0.25\n")
        >>> read_scores(path, ntknas.load_space("nb201"))["mine"].to_dict()
        {3: 0.5, 8: 0.25}
    """
    path = Path(path)
    columns = [columns] if isinstance(columns, str) else columns
    missing = missing if isinstance(missing, Collection) else [missing]
    naming: list[str] = []
    header: list[str] = []

    def choose(names: Sequence[str]) -> Sequence[str]:
        header[:] = names
        naming[:] = cell_columns(names, cell_column)
        return [*naming, *_score_columns(names, naming, columns)] if naming else names

    table = read_columns(path, len(space), choose)
    notes: list[str] = []
    try:
        rows = rows_of(table, naming, space)
        taken = _score_columns(list(table.values), rows.naming, columns)
        scores = dict(_scores(table, taken, columns, notes))
        notes += [] if rows.note is None else [rows.note]
        notes += _without(missing, scores)
        for name, values in scores.items():
            _check_that_it_ranks(name, values)
    except DataError as error:
        raise DataError(in_file(path, error)) from error
    notes += suspicions(scores)
    frame = pd.DataFrame(scores, index=pd.Index(rows.cells, name="cell"))
    frame.attrs["notes"] = [f"{path}: {note}" for note in notes]
    frame.attrs["not_taken"] = [name for name in header if name not in (*rows.naming, *taken)]
    return frame


def _score_columns(names: Sequence[str], naming: Sequence[str], columns: Collection[str]) -> list[str]:
    candidates = [name for name in names if name not in CELL_COLUMNS and name not in naming]
    chosen = [name for name in candidates if name in columns] if columns else candidates
    if not chosen:
        wanted = f"none of the scores {', '.join(columns)}" if columns else "no column of scores"
        raise DataError(f"it has {wanted}: beside {' and '.join(naming)} it has {', '.join(candidates) or 'nothing'}")
    return chosen


def _scores(
    table: Columns, candidates: Sequence[str], columns: Collection[str], notes: list[str]
) -> Iterator[tuple[str, Array]]:
    """Yield every column of scores; one of texts alone, or without a name, is none."""
    for name in candidates:
        values = [number_in(value) for value in table.values[name]]
        is_text = all(value is None or np.isnan(value) for value in values) and None in values
        if (name and not is_text) or name in columns:
            yield name, _numbers(table, name, values)
        else:
            what = f"column {quoted(name)} holds no numbers" if name else "one column has no name"
            notes.append(f"{what}, and is taken for no score.")
    if len(notes) == len(candidates):
        raise DataError(f"it has no column of scores: {' '.join(notes)}")


def _numbers(table: Columns, name: str, values: Sequence[float | None]) -> Array:
    for row, value in enumerate(values):
        if value is None:
            raise DataError(
                f"{table.row_names[row]}: expected a number in column {name!r}, got {quoted(table.values[name][row])}"
            )
    return np.array(values, np.float64)


def _without(missing: Collection[float], scores: Mapping[str, Array]) -> Iterator[str]:
    """Remove what stands for a failure; yield how often it did."""
    for sign in missing:
        count = 0
        for values in scores.values():
            failed = values == sign
            values[failed] = np.nan
            count += int(failed.sum())
        yield f"scores that are {sign:g}, which stands for none (`missing`): {count:,}."


def _check_that_it_ranks(name: str, values: Array) -> None:
    known = values[np.isfinite(values)]
    otherwise = "Take others alone with `measures`, or leave it out of the file"
    if not len(known):
        raise DataError(f"column {name!r} holds no score: of its {len(values):,} values none is a number. {otherwise}")
    if np.ptp(known) == 0 and len(known) > 1:
        raise DataError(f"column {name!r} ranks nothing: its {len(known):,} scores are all {known[0]:g}. {otherwise}")
