"""What a store has not of what its runs were asked for, said by the commands that read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ntknas.cli.output import note

if TYPE_CHECKING:
    from ntknas.store.requests import Unmeasured


def say_unmeasured(missing: Sequence[Unmeasured]) -> None:
    """Say on standard error what is missing; nothing where nothing is."""
    for setting in missing:
        note(
            f"Setting {setting.setting}: {setting}. A run that was to score them ended before; the same "
            "ntknas score command goes on from there."
        )
