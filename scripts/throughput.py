"""Networks a second by one process, one worker and several, and what bookkeeping costs, in one run.

    python scripts/throughput.py [--cells 40] [--workers 2] [--repeats 3]

Real cells of NAS-Bench-201 at the official size, a probe of 32 images of noise, three measures. Each way scores the same cells
into a new store, the ways in turn, after one round that does not count. ``networks a second`` is from the first score to the last,
``with start`` counts the start of the processes too. Bookkeeping is the time in the journal and in compaction as a share of the
single process's time.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch

from ntknas import load_space
from ntknas.data import Request, make_probe
from ntknas.scoring import Job, Recipe, make_plan
from ntknas.scoring.engine import Engine
from ntknas.scoring.pool import cores
from ntknas.store import ScoreRecord, ScoreStore


def main() -> None:
    """Print the table."""
    arguments = _parse()
    recipe = Recipe(measures=("trace", "cond", "lga"))
    job = Job(load_space("nb201"), "cifar10", recipe, make_probe("noise", 32, Request()))
    places = range(0, len(job.space), len(job.space) // arguments.cells)
    cells = [cell for cell in places if not job.space.is_disconnected(job.space[cell])]
    ways = {
        f"this process, {cores()} threads": (Engine(), cores()),
        "this process, 1 thread": (Engine(), 1),
        "1 worker": (Engine(workers=1), None),
        f"{arguments.workers} workers": (Engine(workers=arguments.workers), None),
    }
    figures: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
    for repeat in range(arguments.repeats + 1):
        for name, (engine, threads) in ways.items():
            torch.set_num_threads(threads or cores())
            found = _measure(job, cells, engine)
            figures[name] += [found] if repeat else []
    print(f"{len(cells)} networks, {cores()} cores, torch {torch.__version__}, median of {arguments.repeats}\n")
    print("| way | networks a second | with start | bookkeeping |\n|---|---|---|---|")
    for name, rows in figures.items():
        rate, whole, books = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"| {name} | {rate:.2f} | {whole:.2f} | {f'{books:.2%}' if name.startswith('this') else '–'} |")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def _measure(job: Job, cells: list[int], engine: Engine) -> tuple[float, float, float]:
    """Return networks a second after the first score, and with the start, and the share of bookkeeping."""
    with tempfile.TemporaryDirectory() as folder, ScoreStore.open(Path(folder) / "s.h5") as store:
        plan = make_plan(job, cells, [0], store)
        run = store.add_run({"recipe": "custom"})
        journalled = _timed(store)
        start = time.perf_counter()
        moments = [time.perf_counter() for _ in engine.run(plan, job, store, run)]
        compacting = time.perf_counter()
        store.compact()
        end = time.perf_counter()
    books = (sum(journalled) + end - compacting) / (end - start)
    return (len(moments) - 1) / (moments[-1] - moments[0]), len(moments) / (end - start), books


def _timed(store: ScoreStore) -> list[float]:
    """Let a store note how long each of its records takes."""
    taken: list[float] = []
    append = store.append

    def timed(record: ScoreRecord) -> None:
        start = time.perf_counter()
        append(record)
        taken.append(time.perf_counter() - start)

    store.append = timed  # type: ignore[method-assign]
    return taken


if __name__ == "__main__":
    main()
