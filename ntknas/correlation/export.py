"""Results as plain data: the JSON and the CSV of ``ntknas correlate``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import pandas as pd

from ntknas.correlation.bootstrap import MIN_RESAMPLES
from ntknas.correlation.epochs import curves
from ntknas.correlation.paired import comparisons
from ntknas.correlation.result import Correlation

INTERVAL = (
    "95 % bootstrap over cells (over networks where cells are one, over measurements where they share one), percentile "
    "(r: bootstrap-t, from 300 cells); "
    "beyond 1,000 cells ± 1.96 standard errors; with several seeds of shared initialisations widened by what the "
    "coefficient moves with them"
)
NDCG_UNIT = "gains 2^a - 1 with the accuracy a in percent; the key is the number of first cells"
NO_INTERVAL = f"none: fewer than {MIN_RESAMPLES} resamples give no interval"


def as_json(result: Correlation) -> dict[str, object]:
    """Return rows, targets, settings, curves and how intervals were made, as plain data."""
    return {
        "rows": [row.as_json() for row in result.rows],
        "targets": {name: summary.as_json() for name, summary in result.targets.items()},
        "settings": {digest: dict(setting.fields) for digest, setting in result.settings.items()},
        "interval": INTERVAL if result.resamples >= MIN_RESAMPLES else NO_INTERVAL,
        "resamples": result.resamples,
        "curves": [curve.as_json() for target in result.targets for curve in curves(result, target)],
        "notes": list(result.notes),
        "ndcg_unit": NDCG_UNIT,
    }


def comparisons_as_json(result: Correlation, seed: int) -> dict[str, object]:
    """Return the paired tests of every target as plain data."""
    return {target: [asdict(pair) for pair in comparisons(result, target, seed)] for target in result.targets}


def one_frame(results: Mapping[str, Correlation]) -> pd.DataFrame:
    """Return the rows of several results by name as one data frame with a column ``space``."""
    frames = [
        result.frame().assign(space=space) if len(result.rows) else result.frame() for space, result in results.items()
    ]
    return pd.concat(frames, ignore_index=True)
