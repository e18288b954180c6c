"""What a store holds, at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ntknas.store.left_out import LeftOut
from ntknas.store.requests import Unmeasured, unmeasured
from ntknas.store.run import Run
from ntknas.store.setting import Setting
from ntknas.store.store import ScoreStore


@dataclass(frozen=True)
class SettingOverview:
    """What a store holds under one setting.

    Attributes:
        setting: The setting.
        cells: Number of cells.
        seeds: Seeds.
        scores: Number of scores by measure and status.
    """

    setting: Setting
    cells: int
    seeds: list[int]
    scores: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Overview:
    """What a store holds.

    Attributes:
        scores: Number of scores.
        uncompacted: How many of them are in journals alone.
        left_out: What could not be read.
        unmeasured: What is missing of what runs were asked for.
        settings: What it holds under each setting.
        runs: The runs.
    """

    scores: int
    uncompacted: int
    left_out: LeftOut
    unmeasured: list[Unmeasured]
    settings: list[SettingOverview]
    runs: list[Run]


def overview(store: ScoreStore) -> Overview:
    """Count what a store holds."""
    frame = store.frame()
    settings = [_of_setting(setting, frame[frame["setting"] == digest]) for digest, setting in store.settings.items()]
    runs = list(store.runs.values())
    return Overview(len(frame), store.uncompacted, store.left_out, unmeasured(frame), settings, runs)


def _of_setting(setting: Setting, rows: pd.DataFrame) -> SettingOverview:
    counts = rows.groupby(["measure", "status"], observed=True).size()
    scores = {(str(measure), str(status)): int(count) for (measure, status), count in counts.items()}
    return SettingOverview(setting, int(rows["cell"].nunique()), sorted(map(int, rows["seed"].unique())), scores)
