"""The word on what could not be read of a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ntknas.cli.output import note

if TYPE_CHECKING:
    from ntknas.store.left_out import LeftOut


def say_left_out(left_out: LeftOut, store: Path | str) -> None:
    """Say how many lines of a store's journals were left out, if any were."""
    if left_out:
        note(left_out.message(store))
