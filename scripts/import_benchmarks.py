"""Time and peak memory of importing official files, and the time to load what was imported.

    python scripts/synthetic_benchmarks.py FOLDER nb201 nats-tss nats-sss nb101-only108 nb101-full
    python scripts/import_benchmarks.py FOLDER/* > docs/results/imports.md

Memory is the largest sum of the proportional set sizes of the importing process and its children, looked at ten times a
second. Loading is timed in a process of its own, imports of packages apart: open the table and take one target's mean.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import psutil

_LOAD = """
import sys, time
from pathlib import Path
from ntknas.benchmarks import load_benchmark
import ntknas.benchmarks.table_file
start = time.perf_counter()
benchmark = load_benchmark(sys.argv[1], folder=Path(sys.argv[2]))
opened = time.perf_counter() - start
mean = benchmark.table(benchmark.main_targets()[-1]).mean
print(opened, time.perf_counter() - start)
"""


def memory(process: psutil.Process) -> int:
    """Return the memory of a process and its children in bytes."""
    total = 0
    for each in [process, *process.children(recursive=True)]:
        try:
            total += each.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total


def measure_import(source: Path, folder: Path) -> tuple[float, int, dict[str, object]]:
    """Return seconds, peak memory in bytes and the answer of one import."""
    command = [sys.executable, "-m", "ntknas", "bench", "import", str(source), "--bench-data", str(folder), "--replace"]
    start = time.perf_counter()
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True) as running:
        process, peak = psutil.Process(running.pid), 0
        while running.poll() is None:
            peak = max(peak, memory(process))
            time.sleep(0.1)
        assert running.stdout is not None
        answer = json.loads(running.stdout.read())
    return time.perf_counter() - start, peak, answer


def measure_load(name: str, folder: Path) -> tuple[float, float]:
    """Return the seconds until the table is open, and until a target's mean is there."""
    done = subprocess.run([sys.executable, "-c", _LOAD, name, str(folder)], capture_output=True, text=True, check=True)
    opened, taken = map(float, done.stdout.split())
    return opened, taken


def size(source: Path) -> int:
    """Return the size of a file, or of all files of a folder."""
    return sum(path.stat().st_size for path in source.iterdir()) if source.is_dir() else source.stat().st_size


def main() -> None:
    """Measure every file that is named and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", type=Path)
    sources = parser.parse_args().sources
    print(
        "| file | GB | training runs | import (s) | MB/s | peak memory (MiB) | table (MB) | open (s) | one target (s) |"
    )
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    folder = Path(tempfile.mkdtemp(dir=sources[0].parent))
    try:
        for source in sources:
            seconds, peak, answer = measure_import(source, folder)
            opened, taken = measure_load(str(answer["benchmark"]), folder)
            table = Path(str(answer["table"])).stat().st_size
            print(
                f"| {source.name} | {size(source) / 1e9:.2f} | {answer['runs']:,} | {seconds:.0f} | "
                f"{size(source) / 1e6 / seconds:.0f} | "
                f"{peak / 2**20:.0f} | {table / 1e6:.0f} | {opened:.2f} | {taken:.2f} |",
                flush=True,
            )
    finally:
        shutil.rmtree(folder)
    print(
        f"\n{platform.machine()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, Python "
        f"{platform.python_version()}, h5py {h5py.__version__}"
    )


if __name__ == "__main__":
    main()
