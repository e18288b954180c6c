"""A space some of whose cells end the process that builds them, or never end: for tests of workers."""

import os
import signal
import time
from pathlib import Path

from ntknas import load_space

KILLED, KILLED_ONCE, ENDLESS, BROKEN = 11, 300, 41, 8216
"""Cells that stand for themselves: whose worker is killed, always or once; one that takes for ever; one that raises."""


class FatalSpace:
    """NAS-Bench-201 with fatal cells.

    Args:
        kills: A folder, which gets a file for each worker that is killed.
    """

    name = "fatal"

    def __init__(self, kills: Path):
        self._kills = kills
        self._space = load_space("nb201")

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(load_space("nb201"), name)

    def __getitem__(self, index):
        return self._space[index]

    def __len__(self):
        return len(self._space)

    def build(self, cell, **options):
        if cell.index == KILLED or (cell.index == KILLED_ONCE and not self.kills_of(KILLED_ONCE)):
            (self._kills / f"{cell.index}-{time.time_ns()}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if cell.index == ENDLESS:
            time.sleep(1000)
        if cell.index == BROKEN:
            raise AssertionError("nobody expects this")
        return self._space.build(cell, **options)

    def kills_of(self, cell):
        """How many workers a cell has killed."""
        return len(list(self._kills.glob(f"{cell}-*")))


def raise_always(subject):
    """A measure that always raises."""
    raise ValueError("no such row")
