"""Networks per second by one process, one worker and several, and what bookkeeping costs, in one run.

    python scripts/throughput.py [--cells 40] [--workers 2] [--repeats 3]

Real cells of NAS-Bench-201 at the official size, a probe of 32 images of noise, three measures. Each way scores the same cells
into a new store, the ways in turn, after one round that does not count. ``networks per second`` is from the first score to the last,
``with start`` counts the start of the processes too. Bookkeeping is the time in the journal and in compaction as a share of the
single process's time.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from ntknas import load_space, make_probe, score
from ntknas.data import Probe
from ntknas.scoring import Recipe
from ntknas.scoring.engines import Engine, Here, Processes
from ntknas.scoring.events import Began, Event, KernelDone
from ntknas.scoring.resources import cores
from ntknas.store import ScoreStore


def main() -> None:
    """Print the table."""
    arguments = _parse()
    space, probe = load_space("nb201"), make_probe("noise", 32)
    places = range(0, len(space), len(space) // arguments.cells)
    cells = [cell for cell in places if not space.is_disconnected(space[cell])]
    ways = {
        f"this process, {cores()} threads": (Here(), cores()),
        "this process, 1 thread": (Here(), 1),
        "1 worker": (Processes(workers=1), None),
        f"{arguments.workers} workers": (Processes(workers=arguments.workers), None),
    }
    figures: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
    for repeat in range(arguments.repeats + 1):
        for name, (engine, threads) in ways.items():
            torch.set_num_threads(threads or cores())
            found = _measure(cells, probe, engine)
            figures[name] += [found] if repeat else []
    print(f"{len(cells)} networks, {cores()} cores, torch {torch.__version__}, median of {arguments.repeats}\n")
    print("| way | networks per second | with start | bookkeeping |\n|---|---|---|---|")
    for name, rows in figures.items():
        rate, whole, books = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"| {name} | {rate:.2f} | {whole:.2f} | {f'{books:.2%}' if name.startswith('this') else '–'} |")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def _measure(cells: list[int], probe: Probe, engine: Engine) -> tuple[float, float, float]:
    """Return networks per second after the first score, and with the start, and the share of bookkeeping."""
    moments: list[float] = []
    began: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, Began):
            began.append(time.perf_counter())
        elif isinstance(event, KernelDone):
            moments.append(time.perf_counter())

    recipe = Recipe(measures=("trace", "cond", "lga"))
    with tempfile.TemporaryDirectory() as folder, _timed() as writing:
        score("nb201", cells, recipe=recipe, probe=probe, store=Path(folder) / "s.h5", engine=engine, on_event=note)
    end = time.perf_counter()
    books = sum(writing) / (end - began[0])
    return (len(moments) - 1) / (moments[-1] - moments[0]), len(moments) / (end - began[0]), books


@contextmanager
def _timed() -> Iterator[list[float]]:
    """Note how long each write of a store takes: of a record, and of the whole file."""
    taken: list[float] = []
    methods = {name: getattr(ScoreStore, name) for name in ("append", "compact")}

    def timing(method: Callable[..., None]) -> Callable[..., None]:
        def timed(*arguments: object) -> None:
            start = time.perf_counter()
            method(*arguments)
            taken.append(time.perf_counter() - start)

        return timed

    for name, method in methods.items():
        setattr(ScoreStore, name, timing(method))
    try:
        yield taken
    finally:
        for name, method in methods.items():
            setattr(ScoreStore, name, method)


if __name__ == "__main__":
    main()
