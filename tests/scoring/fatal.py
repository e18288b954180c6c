"""A space some of whose cells end the process that builds them, or never end: for tests of workers."""

import os
import signal
import time
from pathlib import Path

from ntknas import load_space

KILLED, ENDLESS, BROKEN = 11, 41, 8216
"""Cells that stand for themselves: one whose worker is killed, one that takes for ever, one that raises what nobody
expects."""


class FatalSpace:
    """NAS-Bench-201 with fatal cells.

    Args:
        kills: A folder; a worker is killed as long as it holds fewer files than ``times``.
        times: How often.
    """

    name = "fatal"

    def __init__(self, kills: Path, times: int = 1000):
        self._kills, self._times = kills, times
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
        if cell.index == KILLED and len(list(self._kills.iterdir())) < self._times:
            (self._kills / str(time.time_ns())).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if cell.index == ENDLESS:
            time.sleep(1000)
        if cell.index == BROKEN:
            raise AssertionError("nobody expects this")
        return self._space.build(cell, **options)
