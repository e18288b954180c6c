"""What is scored for docs/results/layer-kernels.md, by its protocol.

    python scripts/layers/scores.py develop|confirm --image-data FOLDER --stores FOLDER [WAY ...] [--workers N]

``develop`` scores every candidate on the cells that candidates are chosen on, ``confirm`` those that were chosen
(``CHOSEN``) and the baselines on other cells, each space into a store of its own, FOLDER/STAGE-SPACE.h5. An
interrupted run goes on where it was. FOLDER of the images holds cifar-10-batches-py: the full official set, or any
files that hold the first images of each class.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from ntknas import load_space
from ntknas.spaces import Space
from ntknas.spaces.populations import is_member

SEED = 24
_FIRST = "--probe cifar10 --probe-size 64 --draw first"
_NOISE = "--probe noise --probe-size 64"
_FEATURES = "--output features --batch-norm per-sample --parameters weights"
WAYS = {
    "sum-frozen": f"--output sum --batch-norm frozen --parameters weights {_FIRST}",
    "sum-eval": f"--output sum --batch-norm eval --parameters weights {_FIRST}",
    "features-per-sample": f"{_FEATURES} {_FIRST}",
    "features-per-sample-noise": f"{_FEATURES} {_NOISE}",
}
"""Kernels whose layers are looked at: options of ``ntknas score``."""
MEASURES = "layers,trace,cond,effective_rank,eig"
"""Of each: every measure of layers, and some of the whole kernel beside."""
CHOSEN: dict[str, tuple[str, ...]] = {
    "features-per-sample-noise": ("layers_mean_entropy", "layers_mean_effective_rank", "layers_mean_logdet"),
}
"""Ways with the candidates that were chosen on the development cells."""
WHOLE = {"features-per-sample": ("effective_rank",), "features-per-sample-noise": ("effective_rank", "cond")}
"""Measures of whole kernels beside: of ``recommended``, and of the kernel whose layers were chosen."""
BASELINES = {
    "meco": "--recipe meco",
    "az-nas": "--recipe az-nas",
    "forward": f"--measures naswot,synflow {_FIRST}",
}
"""What a candidate is held against, beside the counts of the drawing."""


@dataclass(frozen=True)
class Population:
    """The cells of a space that are drawn from, and how many.

    Attributes:
        name: Population; one cell of each network.
        develop: Cells that candidates are chosen on.
        confirm: Other cells, looked at once.
        options: How networks are built, and whether what is published already is taken in place of computing it.
    """

    name: str
    develop: int
    confirm: int
    options: str = ""


SPACES = {
    "nb201": Population("reachable", 300, 1000, "--published"),
    "nb101": Population("connected", 100, 300, "--channels 16"),
    "nats-sss": Population("connected", 0, 300),
    "nb-macro": Population("connected", 0, 300),
}
"""Networks of NAS-Bench-101 have 16 channels in place of 128, for time."""


def main() -> None:
    """Score what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=("develop", "confirm"))
    parser.add_argument("ways", nargs="*", metavar="WAY")
    parser.add_argument("--space", choices=tuple(SPACES), action="append", help="all without any")
    parser.add_argument("--image-data", type=Path, required=True)
    parser.add_argument("--stores", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    arguments.stores.mkdir(parents=True, exist_ok=True)
    known = options_of(arguments.stage)
    if unknown := set(arguments.ways) - set(known):
        parser.error(f"there is no way {', '.join(sorted(unknown))}: expected {', '.join(known)}")
    for space in arguments.space or SPACES:
        if not (cells := cells_of(space, arguments.stage)):
            continue
        file = arguments.stores / f"{arguments.stage}-{space}.txt"
        file.write_text("".join(f"{cell}\n" for cell in cells))
        for way in arguments.ways or known:
            command = ["ntknas", "score", "--bench", space, "--dataset", "cifar10", "--cells-file", file.name]
            command += [*known[way].split(), *SPACES[space].options.split(), "--workers", str(arguments.workers)]
            command += ["--image-data", str(arguments.image_data.resolve()), "--store", f"{file.stem}.h5"]
            print(f"{space}, {way}: {' '.join(command)}", file=sys.stderr)
            subprocess.run([sys.executable, "-m", *command], check=True, cwd=arguments.stores)


def options_of(stage: str) -> dict[str, str]:
    """Return what is scored in a stage: options of ``ntknas score`` by name."""
    if stage == "develop":
        return {name: f"{options} --measures {MEASURES}" for name, options in WAYS.items()}
    taken = {name: (*CHOSEN.get(name, ()), *WHOLE.get(name, ())) for name in WAYS}
    ways = {name: f"{WAYS[name]} --measures {','.join(measures)}" for name, measures in taken.items() if measures}
    return ways | BASELINES


def cells_of(space: str, stage: str) -> list[int]:
    """Return the cells of a stage.

    All cells of the space are put into a random order; of those that are of the population and the first of their
    network, the first are the development cells, and those that follow confirm.
    """
    population, made = SPACES[space], load_space(space)
    is_of_population = is_member(made, population.name)
    order = np.random.default_rng(SEED).permutation(len(made)).tolist()
    networks = (cell for cell in order if is_of_population(cell) and _is_first(made, cell))
    drawn = list(islice(networks, population.develop + population.confirm))
    return sorted(drawn[: population.develop] if stage == "develop" else drawn[population.develop :])


def _is_first(space: Space, cell: int) -> bool:
    return space.representative(space[cell], "weights", "none") == cell


if __name__ == "__main__":
    main()
