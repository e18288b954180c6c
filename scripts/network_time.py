"""Where the time of one network goes, in processor time of one thread: building, kernel, spectrum, measures, journal.

    python scripts/network_time.py [--cells 24] [--repeats 3]

Random networks of NAS-Bench-201 at the official size, 64 images of noise, all measures of the kernel and its 64
eigenvalues. Processor time, so that what else runs on the machine matters little.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from ntknas import load_space, make_probe
from ntknas.core.allocator import keep_freed_memory
from ntknas.core.choices import Choices
from ntknas.core.kernel import Kernel
from ntknas.kernels import Batch, Method, compute_kernel
from ntknas.measures import expand, get_measure, measure
from ntknas.scoring.cell_kernel import cell_network, prepare_images
from ntknas.scoring.recipe import NetworkOptions
from ntknas.store.journal import encode
from ntknas.store.records import ScoreRecord, line_of

WAYS = (("sum", "frozen"), ("features", "per-sample"))
SPACE = load_space("nb201")
PARTS = ("building", "kernel", "spectrum", "measures", "journal")


class Clock:
    """Adds up processor time by part."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what runs inside as a part."""
        start = time.process_time()
        yield
        self.seconds[name] += time.process_time() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    gc.freeze()
    connected = [cell for cell in range(len(SPACE)) if not SPACE.is_disconnected(SPACE[cell])]
    cells = np.random.default_rng(0).choice(connected, arguments.cells, replace=False).tolist()
    probe = make_probe("noise", 64)
    batch = Batch(prepare_images(probe.images, "cpu", "float32"), probe.labels)
    print(f"{arguments.cells} networks, median of {arguments.repeats}, torch {torch.__version__}\n")
    print(
        f"| output/policy | {' | '.join(f'{part} (ms)' for part in PARTS)} | sum (ms) |\n|{'---|' * (len(PARTS) + 2)}"
    )
    for output, policy in WAYS:
        choices = Choices.of(output, policy, "weights", "none")
        rounds = [_round(cells, batch, choices) for _ in range(arguments.repeats + 1)][1:]
        times = [1000 * statistics.median(clock.seconds[part] for clock in rounds) / len(cells) for part in PARTS]
        print(f"| {output}/{policy} | {' | '.join(f'{value:.1f}' for value in times)} | {sum(times):.0f} |", flush=True)


def _round(cells: list[int], batch: Batch, choices: Choices) -> Clock:
    """Do all of a scoring process' work on some cells."""
    clock = Clock()
    defined = (
        name for name in expand(["kernel"]) if choices.output in (get_measure(name).outputs or (choices.output,))
    )
    names = [*defined, *expand([f"spectrum:{len(batch)}"])]
    for cell in cells:
        with clock.part("building"):
            network = cell_network(SPACE, cell, 0, "cifar10", NetworkOptions(), batch.x)
        with clock.part("kernel"):
            kernel: Kernel = compute_kernel(network, [batch], choices, Method(verify=False))
        with clock.part("spectrum"):
            assert len(kernel.spectrum) == len(batch)
        with clock.part("measures"):
            scores = {name: measure(name, kernel) for name in names}
        with clock.part("journal"):
            encode(line_of(ScoreRecord("0" * 64, "run", cell, 0, 1.0, scores)))
    return clock


if __name__ == "__main__":
    main()
