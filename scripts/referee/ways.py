"""What is scored for the pages of the referee: every way of measuring, on one random sample of cells.

    python scripts/referee/ways.py --image-data FOLDER --store FILE.h5 [WAY ...] [--workers N]

scores the ways that are named, or all, in this order, each on the same 500 random cells of NAS-Bench-201 (seed 1), of
which 310 are ``reachable``. FOLDER holds cifar-10-batches-py. An interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

SAMPLE = "--cells 500 --cells-seed 1".split()
_BATCH = "--draw random --augment crop-flip"
WAYS = {
    "recommended": "--recipe recommended --measures kernel",
    "frozen": "--measures kernel --probe-size 64",
    "zero-cost-nas": "--recipe zero-cost-nas",
    "activations": f"--measures naswot,linear_regions --probe-size 64 {_BATCH}",
    "eval": "--measures kernel --batch-norm eval --probe-size 64",
    "vilhess": "--recipe vilhess --probe-size 20",
    "tenas-thin": "--recipe tenas-thin --probe-size 32 --seeds 1",
    "zen": "--measures zen --probe-size 16",
    "coupled": "--measures kernel --batch-norm coupled --probe-size 32",
    "mok": "--recipe mok --probe-size 32",
    "regression": "--measures regression --probe-size 64",
}
"""Options of ``ntknas score`` by name. Coupled kernels cost a backward pass of the batch per image: theirs are smaller
than published, and so are batches of ``vilhess`` and ``tenas-thin``."""


def main() -> None:
    """Score what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ways", nargs="*", metavar="WAY", choices=[*WAYS, []])
    parser.add_argument("--image-data", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    shared = ["--image-data", str(arguments.image_data), "--store", str(arguments.store)]
    shared += ["--workers", str(arguments.workers)]
    for name in arguments.ways or WAYS:
        command = ["ntknas", "score", *SAMPLE, *WAYS[name].split(), *shared]
        print(f"{name}: {' '.join(command)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", *command], check=True)


if __name__ == "__main__":
    main()
