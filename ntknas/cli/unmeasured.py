"""What a store has not of what its runs were asked for, said by the commands that read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ntknas.cli.output import note

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.store.requests import Unmeasured


def unmeasured_of(scores: pd.DataFrame, selected: pd.DataFrame) -> list[Unmeasured]:
    """Return what is missing under the settings of the scores that are looked at."""
    from ntknas.store.requests import unmeasured

    of_selected, of_all = ({str(setting) for setting in frame["setting"].unique()} for frame in (selected, scores))
    return [
        lack
        for lack in unmeasured(scores)
        if lack.setting in of_selected or (of_selected == of_all and lack.setting not in of_all)
    ]


def say_unmeasured(lacks: Sequence[Unmeasured]) -> None:
    """Say on standard error what is missing; nothing where nothing is."""
    for setting in lacks:
        note(
            f"Setting {setting.setting}: {setting}. A run that was to score them ended before; the same "
            "ntknas score command goes on from there."
        )
