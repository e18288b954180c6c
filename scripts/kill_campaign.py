"""Kills scoring runs at random moments and looks at what is left.

    python scripts/kill_campaign.py [--whole 200] [--worker 50] [--disk 50] [--out docs/results] [--folder FOLDER]

Three campaigns over the same cells, each run with two workers: the whole run (coordinator and workers) ended by SIGKILL,
one worker ended by SIGKILL, and a disk that fills up (a file system in memory that gets a little larger for every run; needs
root). Every run goes on with what the one before left; when all cells are there the next round begins. After every run:

- the store opens, and holds no (setting, cell, seed, measure) twice;
- every score that the run reported as done is in it, with the value that was reported;
- every score equals the uninterrupted run's, bit for bit (threads and chunks are the same).

Writes kill-campaign.md, and ends with an error at the first violation.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from ntknas import load_store, make_probe, score
from ntknas.core.errors import StoreError
from ntknas.scoring import NetworkOptions, Recipe
from ntknas.scoring.events import Event, KernelDone
from ntknas.store.layout import journal_path, worker_journals

CELLS = list(range(0, 15_625, 97))
MEASURES = ("trace", "cond", "lga")
KEY = ["setting", "cell", "seed", "measure"]


def main() -> None:
    """Run the campaigns, write the page."""
    arguments = _parse()
    if arguments.child:
        _score(arguments.child)
        return
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    print(f"The uninterrupted run, {len(CELLS)} cells", flush=True)
    start = time.monotonic()
    subprocess.run(_command(folder / "whole.h5"), check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    expected = _values(folder / "whole.h5")
    rows = [
        _campaign(kind, count, folder, expected, seconds)
        for kind, count in (("whole", arguments.whole), ("worker", arguments.worker), ("disk", arguments.disk))
        if count
    ]
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "kill-campaign.md").write_text(_page(rows, arguments), encoding="utf-8")
    shutil.rmtree(folder)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--whole", type=int, default=200)
    parser.add_argument("--worker", type=int, default=50)
    parser.add_argument("--disk", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="Where stores are made; a folder in memory spares the disk.")
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _command(store: Path) -> list[str]:
    return [sys.executable, __file__, "--child", str(store)]


def _score(path: Path) -> None:
    """Score all cells with two workers, and report each item on standard output once it is done."""

    def report(event: Event) -> None:
        if isinstance(event, KernelDone):
            values = {name: score.value for name, score in event.scores.items()}
            for cell in event.item.members:
                print(json.dumps([cell, event.item.seed, values]), flush=True)

    recipe = Recipe(network=NetworkOptions(channels=4, cells_per_stage=1), measures=MEASURES)
    score("nb201", CELLS, recipe=recipe, probe=make_probe("digits", 16), store=path, workers=2, on_event=report)


def _campaign(kind: str, count: int, folder: Path, expected: dict, seconds: float) -> dict:
    """Run and end until so many runs were ended; return what happened."""
    generator = random.Random(kind)  # noqa: S311  (moments to kill at, not secrets)
    tally: Counter[str] = Counter()
    disk = folder / "disk"
    store = disk / "s.h5" if kind == "disk" else folder / f"{kind}.h5"
    while tally["runs ended"] < count:
        if kind == "disk":
            _resize(disk, generator)
        reported, ended = _run_and_end(kind, store, generator, seconds)
        tally["runs ended"] += ended
        tally["scores reported"] += sum(len(values) for _, _, values in reported)
        complete = _check(store, reported, expected)
        if complete:
            tally["rounds finished"] += 1
            for file in (store, journal_path(store), *worker_journals(store)):
                file.unlink(missing_ok=True)
        print(f"{kind}: {tally['runs ended']}/{count} runs, {tally['scores reported']} scores reported", flush=True)
    if kind == "disk":
        subprocess.run(["umount", disk], check=True)
    return {"campaign": kind, **tally}


def _run_and_end(kind: str, store: Path, generator: random.Random, seconds: float) -> tuple[list, bool]:
    """Start a run, end it at a random moment; return what it reported, and whether it was ended before its time."""
    process = subprocess.Popen(_command(store), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if kind != "disk":
        time.sleep(generator.uniform(0.0, seconds))
        _kill(kind, process, generator)
    output, errors = process.communicate(timeout=600)
    if kind == "disk" and process.returncode and b"No space left" not in errors:
        sys.exit(f"A run on a full disk ended otherwise than it should: {errors.decode()}")
    lines = [line for line in output.decode().splitlines() if line.endswith("]")]
    return [json.loads(line) for line in lines], process.returncode != 0 or kind == "worker"


def _resize(disk: Path, generator: random.Random) -> None:
    """Let the disk have a few pages more than it holds."""
    if not disk.is_mount():
        disk.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", disk], check=True)
    used = sum(file.stat().st_blocks * 512 for file in disk.iterdir())
    subprocess.run(["mount", "-o", f"remount,size={used // 1024 + generator.randrange(4, 48, 4)}k", disk], check=True)


def _kill(kind: str, process: subprocess.Popen, generator: random.Random) -> None:
    workers = _children(process.pid)
    if kind == "whole":
        for pid in [process.pid, *workers]:
            _end(pid)
    elif workers:
        _end(generator.choice(workers))


def _children(pid: int) -> list[int]:
    """Worker processes of a run: its children but the tracker of shared memory."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    children = [int(child) for child in found.read_text().split()] if found.exists() else []
    return [child for child in children if b"resource_tracker" not in _arguments(child)]


def _arguments(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _values(store: Path) -> dict:
    frame = load_store(store)
    if frame.duplicated(KEY).any():
        sys.exit(f"{store} holds scores twice.")
    found = frame[frame["status"].isin(["ok", "disconnected", "singular"])]
    keys = zip(found["cell"].tolist(), found["seed"].tolist(), found["measure"].astype(str).tolist(), strict=True)
    return dict(zip(keys, found["value"].tolist(), strict=True))


def _check(store: Path, reported: list, expected: dict) -> bool:
    """Compare a store with what was reported and with the uninterrupted run; return whether it is complete."""
    try:
        values = _values(store)
    except StoreError as error:
        if reported or "No score store" not in str(error):
            sys.exit(f"{store} does not open: {error}")
        return False
    for cell, seed, scores in reported:
        for measure, value in scores.items():
            stored = values.get((cell, seed, measure), "nothing")
            if stored != value and not (value is None and stored != stored):
                sys.exit(f"{store}: {measure} of cell {cell} was reported as {value}, and the store holds {stored}.")
    for key, value in values.items():
        if value != expected[key] and not (value != value and expected[key] != expected[key]):
            sys.exit(f"{store}: {key} is {value}, and {expected[key]} in the uninterrupted run.")
    return len(values) == len(expected)


def _page(rows: list[dict], arguments: argparse.Namespace) -> str:
    names = ["campaign", "runs ended", "scores reported", "rounds finished"]
    table = "\n".join("| " + " | ".join(str(row.get(name, 0)) for name in names) + " |" for row in rows)
    return f"""# Runs that were killed

Made by `python scripts/kill_campaign.py --whole {arguments.whole} --worker {arguments.worker} --disk {arguments.disk}`: {len(CELLS)} cells of
NAS-Bench-201 by {len(MEASURES)} measures, small networks, two workers. `whole`: coordinator and workers ended by SIGKILL at a random
moment; `worker`: one worker; `disk`: a file system that fills up while the run writes. Every run goes on with what the one
before left.

| {" | ".join(names)} |
|{"---|" * len(names)}
{table}

After every run the store opened, held no score twice, every score that had been reported as done was in it with the value that
had been reported, and every score was the uninterrupted run's bit for bit.
"""


if __name__ == "__main__":
    main()
