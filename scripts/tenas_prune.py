"""What TE-NAS's pruning finds on NAS-Bench-201, and what it costs.

    python scripts/tenas_prune.py --image-data FOLDER [--seeds 0 1 2] [--journals tenas-prune] [--out docs/results/search]

Prunes the thin supernet with each seed, on one core, and writes tenas-prune.json (what was found) and tenas-prune.csv (every
candidate of every round). FOLDER holds cifar-10-batches-py. The setting is the published one, of some 25 minutes a seed;
``--batch`` and ``--repeats`` make a cheaper one and ``--as-launched`` the one that the published code launches, to be written
under other names (``--name``). Every measurement is kept in a
journal of its seed: an interrupted run goes on, seeds may run side by side, and journals of seeds that were not named are
counted as unfinished.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ntknas import load_benchmark, load_space
from ntknas.benchmarks import Benchmark
from ntknas.data.image_set import ImageSet, Request
from ntknas.data.sources import load_images
from ntknas.search.pruning import AS_LAUNCHED, Journal, PruneSettings, PruningResult, prune_supernet

PUBLISHED = PruneSettings()
SPACE = load_space("nb201")
CANDIDATES = 54
"""Of a whole pruning: 24, 18 and 12."""


def main() -> None:
    """Prune, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--batch", type=int, default=PUBLISHED.batch)
    parser.add_argument("--repeats", type=int, default=PUBLISHED.repeats)
    parser.add_argument("--as-launched", action="store_true")
    parser.add_argument("--name", default="tenas-prune", help="of the files, and of the folder of journals")
    parser.add_argument("--journals", type=Path)
    parser.add_argument("--bench-data", type=Path, help="folder of imported tables; without it those in the package")
    parser.add_argument("--out", type=Path, default=Path("docs/results/search"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    prunings = Prunings(
        load_images("cifar10", Request(root=arguments.image_data)),
        replace(AS_LAUNCHED if arguments.as_launched else PUBLISHED, batch=arguments.batch, repeats=arguments.repeats),
        arguments.journals or Path(arguments.name),
    )
    results = [prunings.of_seed(seed) for seed in arguments.seeds]
    benchmark = load_benchmark("nb201", folder=arguments.bench_data)
    content = {
        "setting": asdict(prunings.settings),
        "is_published_setting": prunings.settings in {PUBLISHED, AS_LAUNCHED},
        "images": {"source": prunings.images.name, "number": len(prunings.images)},
        "found": [found(result, benchmark) for result in results],
        "unfinished": list(prunings.unfinished(arguments.seeds)),
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / f"{arguments.name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    rows = [{"seed": result.seed, **row} for result in results for row in result.table()]
    if rows:
        pd.DataFrame(rows).to_csv(arguments.out / f"{arguments.name}.csv", index=False)


@dataclass(frozen=True)
class Prunings:
    """Prunings of one setting.

    Attributes:
        images: The images.
        settings: The setting.
        folder: Folder of the journals.
    """

    images: ImageSet
    settings: PruneSettings
    folder: Path

    def of_seed(self, seed: int) -> PruningResult:
        """Return the pruning of a seed; what its journal holds is not measured again."""
        journal = self._journal(seed)
        return prune_supernet(SPACE, self.images, self.settings, seed, known=journal.known, keep=journal.keep)

    def unfinished(self, finished: Sequence[int]) -> Iterator[dict[str, float]]:
        """Yield how far the journals of other seeds are."""
        for file in sorted(self.folder.glob("seed-*.jsonl")):
            seed = int(file.stem.removeprefix("seed-"))
            if seed not in finished:
                known = self._journal(seed).known
                spent = round(sum(one.processor_seconds for one in known), 1)
                yield {"seed": seed, "candidates": len(known), "of": CANDIDATES, "processor_seconds": spent}

    def _journal(self, seed: int) -> Journal:
        return Journal(self.folder / f"seed-{seed}.jsonl", SPACE, self.images, self.settings, seed)


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


if __name__ == "__main__":
    main()
