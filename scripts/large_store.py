"""A store of a whole benchmark: times to write, open, correlate and merge it, memory and file size.

    python scripts/large_store.py [--cells 423624] [--seeds 3] [--measures 10]

Made-up scores of every cell of NAS-Bench-101 under every seed. Each step is a process of its own, whose peak memory is the figure beside.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

NAMES = "trace,mean,fro,lambda_max,lambda_min,cond,logdet,eig,effective_rank,lga".split(",")


def main() -> None:
    """Print the table."""
    arguments = _parse()
    if arguments.step:
        start = time.perf_counter()
        STEPS[arguments.step](arguments)
        print(json.dumps([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
        return
    rows = arguments.cells * arguments.seeds * arguments.measures
    print(f"{arguments.cells:,} cells × {arguments.seeds} seeds × {arguments.measures} measures = {rows:,} scores\n")
    print("| step | s | peak MiB | file (MiB) |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for step in STEPS:
            options = [f"--{name}={getattr(arguments, name)}" for name in ("cells", "seeds", "measures")]
            command = [sys.executable, __file__, *options, f"--step={step}", f"--folder={folder}"]
            seconds, memory = json.loads(
                subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.splitlines()[-1]
            )
            size = (Path(folder) / "a.h5").stat().st_size / 2**20
            print(f"| {step} | {seconds:.1f} | {memory:.0f} | {size:.0f} |", flush=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=423_624)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--measures", type=int, default=10)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--step", help=argparse.SUPPRESS)
    return parser.parse_args()


def _table(arguments: argparse.Namespace, cells: np.ndarray) -> Any:
    from ntknas.store import Setting, tables
    from ntknas.store.run import Run
    from ntknas.store.table import COLUMNS, Table

    names = tables.names_of([Setting.from_fields(_fields())], [Run("r", {"recipe": "custom"})])
    names["measures"] = NAMES[: arguments.measures]
    shape = (len(cells), arguments.seeds, arguments.measures)
    seeds, measures = np.arange(arguments.seeds)[:, None], np.arange(arguments.measures)
    values = np.random.default_rng(0).standard_normal(shape)
    full = {"cell": cells[:, None, None], "seed": seeds, "measure": measures, "value": values}
    data = {name: np.broadcast_to(full.get(name, 0), shape).ravel().astype(kind) for name, kind in COLUMNS.items()}
    return Table(data, names)


def _fields() -> dict:
    options = {"num_classes": 10, "channels": 128, "cells_per_stage": 3, "variant": "official"}
    return {"space": "nb101", "dataset": "cifar10", "output": "sum", "probe_shape": "64x3x32x32", **options}


def _write(arguments: argparse.Namespace) -> None:
    from ntknas.store import columns

    columns.write(arguments.folder / "a.h5", _table(arguments, np.arange(arguments.cells)))


def _write_halves(arguments: argparse.Namespace) -> None:
    from ntknas.store import columns

    for number in (0, 1):
        columns.write(arguments.folder / f"half-{number}.h5", _table(arguments, np.arange(number, arguments.cells, 2)))


def _open(arguments: argparse.Namespace) -> None:
    from ntknas import load_store

    load_store(arguments.folder / "a.h5")


def _plan(arguments: argparse.Namespace) -> None:
    """What a resumed run does first."""
    from ntknas.store import ScoreStore, Setting

    store = ScoreStore.read(arguments.folder / "a.h5")
    store.done(Setting.from_fields(_fields()).digest, NAMES[: arguments.measures])


def _correlate(arguments: argparse.Namespace) -> None:
    import pandas as pd

    from ntknas import load_store
    from ntknas.correlation import correlate

    accuracies = pd.Series(np.random.default_rng(1).standard_normal(arguments.cells), name="accuracy")
    correlate(load_store(arguments.folder / "a.h5"), accuracies)


def _merge(arguments: argparse.Namespace) -> None:
    from ntknas.store.merge import merge

    merge(arguments.folder / "merged.h5", [arguments.folder / f"half-{number}.h5" for number in (0, 1)])


STEPS: dict[str, Callable[[argparse.Namespace], None]] = {
    "write": _write,
    "write two halves": _write_halves,
    "open": _open,
    "find what is done": _plan,
    "merge the halves": _merge,
    "correlate": _correlate,
}


if __name__ == "__main__":
    main()
