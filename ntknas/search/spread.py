"""Scores of one cell of a network as scores of all its cells: a population may have one cell of each alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from ntknas.spaces import Space
from ntknas.store.setting import Setting

_COLUMNS = ("setting", "measure", "cell", "seed", "value", "status", "recipe", "seconds", "sign")


def spread(scores: pd.DataFrame, settings: Mapping[str, Setting], space: Space) -> pd.DataFrame:
    """Give cells that were not scored the scores of one that is the same network, where these are of kernels.

    Args:
        scores: As from ``correlation.given.as_scores``.
        settings: Settings by digest.
        space: The space.

    Returns:
        The scores, with those of further cells behind them.
    """
    table = scores[[name for name in _COLUMNS if name in scores]]
    return pd.concat([table, *_of_others(table, settings, space)], ignore_index=True)


def _of_others(table: pd.DataFrame, settings: Mapping[str, Setting], space: Space) -> Iterator[pd.DataFrame]:
    """Yield the scores of cells without a row of their own, setting by setting."""
    representatives: dict[tuple[object, ...], list[int]] = {}
    for digest, rows in table.groupby("setting", observed=True, sort=False):
        setting = settings.get(str(digest))
        if setting is None or setting.kernel is None or rows["cell"].nunique() == len(space):
            continue
        # Training moves every parameter: what is one network after it is one under all of them.
        parameters = "all" if setting.epoch else setting.kernel.parameters
        key = (parameters, setting.kernel.normalisation, setting.network.variant)
        if key not in representatives:
            representatives[key] = [
                int(space.representative(cell, key[0], key[1], variant=key[2] or "official")) for cell in space
            ]
        yield _copied(rows, representatives[key])


def _copied(rows: pd.DataFrame, representatives: list[int]) -> pd.DataFrame:
    """Return rows for the cells that have none, each the row of the first scored cell with its representative."""
    scored = sorted(int(cell) for cell in rows["cell"].unique())
    first: dict[int, int] = {}
    for cell in scored:
        first.setdefault(representatives[cell], cell)
    own = set(scored)
    pairs = [(first[of], cell) for cell, of in enumerate(representatives) if cell not in own and of in first]
    others = pd.DataFrame(pairs, columns=["cell", "other"], dtype="int64")
    return rows.merge(others, on="cell").drop(columns="cell").rename(columns={"other": "cell"})
