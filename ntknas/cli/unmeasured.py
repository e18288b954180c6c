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

    chosen, known = ({str(setting) for setting in frame["setting"].unique()} for frame in (selected, scores))
    missing = unmeasured(scores)
    everything = chosen == known
    return [each for each in missing if each.setting in chosen or (everything and each.setting not in known)]


def say_unmeasured(missing: Sequence[Unmeasured]) -> None:
    """Say on standard error what is missing; nothing where nothing is."""
    for setting in missing:
        note(
            f"Setting {setting.setting}: {setting}. A run that was to score them ended before; the same "
            "ntknas score command goes on from there."
        )
