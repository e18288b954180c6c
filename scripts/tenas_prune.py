"""What TE-NAS's pruning finds on NAS-Bench-201, and what it costs.

    python scripts/tenas_prune.py --image-data FOLDER [--seeds 0 1 2] [--journals tenas-prune] [--out docs/results/search]

Prunes the thin supernet at the published setting with each seed, on one core, and writes tenas-prune.json (what was found)
and tenas-prune.csv (every candidate of every round). FOLDER holds cifar-10-batches-py. Every measurement is kept in a
journal of its seed: an interrupted run goes on, seeds may run side by side, and journals of seeds that were not named are
counted as unfinished.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ntknas import load_benchmark, load_space
from ntknas.benchmarks import Benchmark
from ntknas.data.image_set import ImageSet, Request
from ntknas.data.sources import load_images
from ntknas.search.pruning import Journal, PruneSettings, PruningResult, prune_supernet

SETTINGS = PruneSettings()
SPACE = load_space("nb201")
CANDIDATES = 54
"""Of a whole pruning: 24, 18 and 12."""


def main() -> None:
    """Prune, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--journals", type=Path, default=Path("tenas-prune"))
    parser.add_argument("--bench-data", type=Path, help="folder of imported tables; without it those in the package")
    parser.add_argument("--out", type=Path, default=Path("docs/results/search"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    images = load_images("cifar10", Request(root=arguments.image_data))
    results = [pruned(images, seed, arguments.journals) for seed in arguments.seeds]
    content = {
        "setting": asdict(SETTINGS),
        "images": {"source": images.name, "number": len(images)},
        "found": [found(result, load_benchmark("nb201", folder=arguments.bench_data)) for result in results],
        "unfinished": list(unfinished(images, arguments.journals, arguments.seeds)),
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "tenas-prune.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    rows = [{"seed": result.seed, **row} for result in results for row in result.table()]
    pd.DataFrame(rows).to_csv(arguments.out / "tenas-prune.csv", index=False)


def pruned(images: ImageSet, seed: int, folder: Path) -> PruningResult:
    """Return the pruning of a seed; what its journal holds is not measured again."""
    journal = journal_of(images, seed, folder)
    return prune_supernet(SPACE, images, SETTINGS, seed, known=journal.known, keep=journal.keep)


def journal_of(images: ImageSet, seed: int, folder: Path) -> Journal:
    """Return the journal of a seed."""
    return Journal(folder / f"seed-{seed}.jsonl", SPACE, images, SETTINGS, seed)


def found(result: PruningResult, benchmark: Benchmark) -> dict[str, object]:
    """Return what a pruning found and what it cost."""
    return {
        "seed": result.seed,
        "cell": result.cell,
        "architecture": result.text,
        "seconds": round(result.seconds, 1),
        "processor_seconds": round(result.processor_seconds, 1),
        "targets": dict(standings(result.cell, benchmark)),
    }


def standings(cell: int, benchmark: Benchmark) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield what a cell reaches, and the share of cells that reach less."""
    for target in benchmark.main_targets():
        values = benchmark.table(target).mean
        below = float(np.mean(values[np.isfinite(values)] < values[cell]))
        yield str(target), {"mean": round(float(values[cell]), 3), "percent_below": round(100 * below, 2)}


def unfinished(images: ImageSet, folder: Path, finished: Sequence[int]) -> Iterator[dict[str, float]]:
    """Yield how far the other journals are."""
    for file in sorted(folder.glob("seed-*.jsonl")):
        seed = int(file.stem.removeprefix("seed-"))
        if seed not in finished:
            known = journal_of(images, seed, folder).known
            spent = round(sum(one.processor_seconds for one in known), 1)
            yield {"seed": seed, "candidates": len(known), "of": CANDIDATES, "processor_seconds": spent}


if __name__ == "__main__":
    main()
