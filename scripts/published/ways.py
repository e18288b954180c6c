"""What is published of NAS-Bench-201: every way of measuring, in the order in which ways are computed.

    python scripts/published/ways.py --image-data FOLDER --stores FOLDER [WAY ...] [--seeds N] [--workers N]

scores all networks of the ways that are named, or of all, one after the other, each into a store of its own,
FOLDER/WAY.h5. An interrupted run goes on where it was. FOLDER of the images holds cifar-10-batches-py: the full official
set, or any files that hold the first images of each class (the probes are those first in the order of the files).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ntknas import load_space
from ntknas.measures import expand, get_measure
from ntknas.measures.definition import Need
from ntknas.spaces import Space

SPACE = "nb201"


@dataclass(frozen=True)
class Way:
    """One way of measuring.

    Attributes:
        title: What it is, for readers.
        options: Options of ``ntknas score``, but for cells, seeds and measures.
        measures: Its measures; all of a kernel with its spectrum without any.
        has_layers: Whether measures of the kernels of its layers come beside.
        seeds: How many seeds are published.
        unit: Which cells share a score: those that are one network under ``weights`` or ``all``, or none (``cell``:
            measures of the network see branches that no kernel does).
    """

    title: str
    options: str
    measures: str = ""
    seeds: int = 1
    unit: str = "weights"
    has_layers: bool = False


_FIRST = "--draw first"
_FROZEN = f"--output sum --batch-norm frozen --parameters weights --probe-size 64 {_FIRST}"
WAYS = {
    "frozen": Way("Kernel of summed logits, statistics of the batch held fixed in BatchNorm", _FROZEN, seeds=3),
    "frozen-independent": Way("The same, each network from a seed of its own", f"{_FROZEN} --independent-seeds"),
    "recommended": Way(
        "Kernel of pooled features, each image normalised by its own statistics: what ntknas recommends",
        f"--output features --batch-norm per-sample --parameters weights --probe-size 64 {_FIRST}",
        seeds=3,
    ),
    "noise": Way(
        "The kernel of recommended on noise, which needs no data, and the kernels of its layers",
        "--output features --batch-norm per-sample --parameters weights --probe noise --probe-size 64",
        has_layers=True,
    ),
    "eval": Way(
        "Kernel of summed logits, BatchNorm in evaluation mode, which leaves inputs as they are at initialisation",
        f"--output sum --batch-norm eval --parameters weights --probe-size 64 {_FIRST}",
    ),
    "vilhess": Way(
        "Kernel of own-class logits by all parameters, ten images of each class: recipe vilhess",
        f"--output label --batch-norm per-sample --parameters all --probe-size 100 {_FIRST}",
        unit="all",
    ),
    "coupled": Way(
        "Kernel of summed logits, batch statistics, which couple the images",
        f"--output sum --batch-norm coupled --parameters weights --probe-size 32 {_FIRST}",
    ),
    "vkdnw": Way(
        "Spread of the spectrum of the Fisher information: recipe vkdnw, on noise",
        "--init kaiming-fan-in --probe noise --probe-size 64",
        "vkdnw,vkdnw_code",
        unit="cell",
    ),
    "baselines": Way(
        "Baselines that need no kernel", f"--probe-size 64 {_FIRST}", "synflow,naswot,jacob_cov,snip", unit="cell"
    ),
    "frozen-digits": Way(
        "Kernel of summed logits on the digits that come with scikit-learn", f"{_FROZEN} --probe digits"
    ),
}
"""By name, in the order in which they are computed."""


def measures_of(way: Way) -> str:
    """Return a way's measures: of a kernel those that are defined for its rows, and its spectrum.

    Measures of the inputs of layers are left out: their Gram matrices cost as much as the kernel.
    """
    if way.measures:
        return way.measures
    words = way.options.split()
    output, size = words[words.index("--output") + 1], words[words.index("--probe-size") + 1]
    defined = [name for name in expand(["kernel"]) if output in (get_measure(name).outputs or (output,))]
    layers = _of_layers() if way.has_layers else []
    return ",".join([*defined, *layers, f"spectrum:{size}"])


def _of_layers() -> list[str]:
    return [name for name in expand(["layers"]) if Need.LAYER_INPUTS not in get_measure(name).needs]


def cells_of(way: Way, space: Space) -> list[int]:
    """Return one cell for each network: those with the smallest index."""
    parameters = "all" if way.unit == "all" else "weights"
    return sorted({space.representative(cell, parameters, "none") for cell in space})


def main() -> None:
    """Score what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ways", nargs="*", metavar="WAY", help=f"{', '.join(WAYS)}; all without any")
    parser.add_argument("--image-data", type=Path, required=True)
    parser.add_argument("--stores", type=Path, required=True)
    parser.add_argument("--seeds", type=int, help="the first seeds alone")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    unknown = set(arguments.ways) - set(WAYS)
    if unknown:
        parser.error(f"there is no way {', '.join(sorted(unknown))}: expected {', '.join(WAYS)}")
    arguments.stores.mkdir(parents=True, exist_ok=True)
    space = load_space(SPACE)
    for name in arguments.ways or WAYS:
        way = WAYS[name]
        cells = arguments.stores / f"networks-{'all' if way.unit == 'all' else 'weights'}.txt"
        cells.write_text("".join(f"{cell}\n" for cell in cells_of(way, space)))
        # By bare names: a store says how it was asked for, and no place of a machine belongs into it.
        command = ["ntknas", "score", "--cells-file", cells.name, "--measures", measures_of(way), *way.options.split()]
        command += ["--seeds", str(min(way.seeds, arguments.seeds or way.seeds)), "--workers", str(arguments.workers)]
        command += ["--image-data", str(arguments.image_data.resolve()), "--store", f"{name}.h5"]
        print(f"{name}: {' '.join(command)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", *command], check=True, cwd=arguments.stores)


if __name__ == "__main__":
    main()
