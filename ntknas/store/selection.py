"""Some of a store's scores: of one space, some settings, recipes, measures, or one data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntknas.core.display import printable
from ntknas.core.errors import ChoiceError, check_known


@dataclass(frozen=True)
class Selection:
    """Which scores are meant; what is left out does not restrict them.

    Attributes:
        space: Name of the space.
        settings: Digests of settings, or beginnings of them.
        recipes: Names of the recipes that the scores were computed with.
        measures: Identifiers of measures; groups are expanded by the caller.
        dataset: Name of the data set that the networks were built for.
    """

    space: str | None = None
    settings: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    dataset: str | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()


def select(frame: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    """Return the rows of scores that are meant, with ``attrs``.

    Args:
        frame: Scores, as from ``ntknas.load_store``.
        selection: Which.

    Returns:
        These rows.

    Raises:
        ChoiceError: If the scores have no such space, setting, recipe, measure or data set, a beginning fits several
            settings, or nothing has all of them; the message names what there is.
    """
    return frame if selection.is_all else frame[selected(frame, selection)]


def selected(frame: pd.DataFrame, selection: Selection) -> np.ndarray:
    """Return which rows are meant, as a mask; see ``select``."""
    names_by_column = {
        "space": [selection.space] if selection.space else [],
        "setting": [_completed(frame, text) for text in selection.settings],
        "recipe": selection.recipes,
        "measure": selection.measures,
        "dataset": [selection.dataset] if selection.dataset else [],
    }
    rows = np.ones(len(frame), dtype=bool)
    for column, names in names_by_column.items():
        if names:
            rows &= _among(frame, column, names)
    if not rows.any() and not selection.is_all and len(frame):
        criteria = ", ".join(f"{column} {' or '.join(names)}" for column, names in names_by_column.items() if names)
        raise ChoiceError(
            f"No score is of all of these at once: {criteria}. ntknas store info shows what belongs together."
        )
    return rows


def _among(frame: pd.DataFrame, column: str, names: Sequence[str]) -> np.ndarray:
    values = _values(frame, column)
    for name in names:
        check_known(f"{column} of these scores", name, values)
    mask: np.ndarray = frame[column].isin(list(names)).to_numpy(dtype=bool)
    return mask


def _values(frame: pd.DataFrame, column: str) -> list[str]:
    return _shown(frame[column].dropna().unique()) if column in frame else []


def _shown(values: Iterable[object]) -> list[str]:
    return sorted(printable(value) for value in values)


def _completed(frame: pd.DataFrame, text: str) -> str:
    """Return the digest that begins with a text, the only one that does."""
    digests = _values(frame, "setting")
    fitting = [digest for digest in digests if digest.startswith(text)]
    if len(fitting) == 1 and text:
        return fitting[0]
    if fitting:
        raise ChoiceError(f"Several settings begin with {text!r}: {', '.join(fitting)}. Give more digits.")
    return check_known("setting of these scores", text, digests)
