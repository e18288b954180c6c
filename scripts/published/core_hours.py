"""Core-hours that the whole space takes by every published way, beside the row loop's, from random samples in one run.

    python scripts/published/core_hours.py --image-data FOLDER [WAY ...] [--cells 60] [--loop-cells 4] [--workers 2]

Each way scores a sample of its networks for one seed, then the first few of them by the row loop (one backward pass for
each image, as published codes have it). Times are those that stores keep: building, kernel and measures, one thread for
each worker, as many workers at once as in a long run. The row loop's hours are ours times what it takes on its networks
in place of what we take on them. How far a run is, its rate and the time left are shown on the way.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ways import SPACE, WAYS, Way, cells_of, measures_of

from ntknas import load_space, load_store
from ntknas.scoring.resources import THREAD_VARIABLES
from ntknas.spaces import Space

_HEAD = """| way | networks | sample | seconds for each | core-hours, one seed | seeds | core-hours | row loop, one seed | times |
|---|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True)
class Cost:
    """What a way takes.

    Attributes:
        way: The way.
        networks: How many networks there are that a path leads through; the others take no time.
        seconds: Seconds by cell of the sample.
        loop: Seconds by cell of those that the row loop scored too; none where a way has no kernel.
    """

    way: Way
    networks: int
    seconds: pd.Series[float]
    loop: pd.Series[float]

    def row(self, name: str) -> str:
        """Return a line of the table, with 95 % intervals of what is estimated from the sample."""
        mean, error = self.seconds.mean(), 1.96 * self.seconds.std() / np.sqrt(len(self.seconds))
        hours, within = (value * self.networks / 3600 for value in (mean, error))
        cells = [
            name,
            f"{self.networks:,}",
            len(self.seconds),
            f"{mean:.3g}",
            f"{hours:.2f} ± {within:.2f}",
            self.way.seeds,
        ]
        cells.append(f"{hours * self.way.seeds:.1f}")
        times = self.loop.sum() / self.seconds[self.loop.index].sum() if len(self.loop) else None
        cells += ["–", "–"] if times is None else [f"{hours * times:.0f}", f"{times:.1f}"]
        return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    """Print the table."""
    arguments = _parse()
    space = load_space(SPACE)
    print(_HEAD)
    for name in arguments.ways or WAYS:
        print(cost_of(name, space, arguments).row(name), flush=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ways", nargs="*", metavar="WAY", help=f"{', '.join(WAYS)}; all without any")
    parser.add_argument("--image-data", type=Path, required=True)
    parser.add_argument("--cells", type=int, default=60, help="networks of each sample")
    parser.add_argument("--loop-cells", type=int, default=4, help="networks that the row loop scores too")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--draw", type=int, default=0, help="seed of the samples")
    arguments = parser.parse_args()
    unknown = set(arguments.ways) - set(WAYS)
    if unknown:
        parser.error(f"there is no way {', '.join(sorted(unknown))}: expected {', '.join(WAYS)}")
    return arguments


def cost_of(name: str, space: Space, arguments: argparse.Namespace) -> Cost:
    """Score a way's sample, and its first networks by the row loop."""
    way = WAYS[name]
    connected = [cell for cell in cells_of(way, space) if not space.is_disconnected(space[cell])]
    sample = np.random.default_rng(arguments.draw).choice(connected, arguments.cells, replace=False).tolist()
    print(f"{name}, {len(sample)} networks:", file=sys.stderr)
    seconds, loop = _seconds(way, sample, arguments), pd.Series(dtype=float)
    if not way.measures:
        print(f"{name}, {arguments.loop_cells} networks by the row loop:", file=sys.stderr)
        loop = _seconds(way, sample[: arguments.loop_cells], arguments, "--strategy", "row-loop")
    return Cost(way, len(connected), seconds, loop)


def _seconds(way: Way, cells: list[int], arguments: argparse.Namespace, *options: str) -> pd.Series[float]:
    """Score cells into a store that does not stay, and return the seconds of each."""
    with tempfile.TemporaryDirectory() as folder:
        store, chosen = Path(folder) / "scores.h5", Path(folder) / "cells.txt"
        chosen.write_text("".join(f"{cell}\n" for cell in cells))
        command = [sys.executable, "-m", "ntknas", "score", "--cells-file", chosen, "--measures", measures_of(way)]
        command += [*way.options.split(), *options, "--workers", str(arguments.workers)]
        command += ["--image-data", arguments.image_data, "--store", store]
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, "1")
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        scores = load_store(store)
    # all measures of a kernel carry its seconds; measures of a network each have their own
    by_cell = scores.groupby("cell")["seconds"]
    seconds: pd.Series[float] = by_cell.sum() if way.measures else by_cell.max()
    return seconds


if __name__ == "__main__":
    main()
