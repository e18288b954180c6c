"""What is scored for the pages of the referee: every way of measuring, on one random sample of cells.

    python scripts/referee/ways.py --image-data FOLDER --store FILE.h5 [WAY ...] [--workers N]

scores the ways that are named, or all, in this order, on the same 500 random cells of NAS-Bench-201 (seed 1), what costs
seconds per cell on the 310 of them that are ``reachable``. FOLDER holds cifar-10-batches-py. An interrupted run goes on
where it was.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from ntknas import load_space
from ntknas.scoring.cells import sample
from ntknas.spaces.populations import members

CELLS, SEED = 500, 1
_BATCH = "--probe-size 64 --draw random --augment crop-flip"
_OF_SUM = "trace,mean,fro,lambda_max,lambda_min,cond,neg_cond,logdet,eig,effective_rank,lga,cka,alignment_numerator"
"""Measures of kernels of summed logits: the one of own-class logits in the group would take a kernel of its own."""
ON_ALL = {
    "recommended": "--recipe recommended --measures kernel",
    "label": "--measures kernel --output label --batch-norm per-sample --probe-size 64",
    "label-fan-out": "--measures kernel --output label --batch-norm per-sample --probe-size 64 --init kaiming-fan-out",
    "frozen": "--measures kernel --probe-size 64",
    "eval": "--measures kernel --batch-norm eval --probe-size 64",
    "per-sample": "--measures kernel --batch-norm per-sample --probe-size 64",
    "meco": "--recipe meco",
    "activations": f"--measures naswot,linear_regions {_BATCH}",
    "zero-cost-nas": "--recipe zero-cost-nas",
    "vilhess": "--recipe vilhess --probe-size 20",
    "tenas-thin": "--recipe tenas-thin --probe-size 32 --seeds 1",
    "coupled": f"--measures {_OF_SUM} --batch-norm coupled --probe-size 32",
    "mok": "--recipe mok --probe-size 32",
}
"""Options of ``ntknas score`` by name. Coupled kernels cost a backward pass of the batch per image: theirs are smaller
than published, and so are batches of ``vilhess`` and ``tenas-thin``."""
ON_REACHABLE = {
    **{name: f"--recipe {name}" for name in ("az-nas", "zico", "hnas", "nasi", "vkdnw", "as-vit", "swap")},
    "teg": "--recipe teg --seeds 1",
    "label_energy": "--measures label_energy --output traced --probe-size 32",
    "nb-suite-zero": "--recipe nb-suite-zero",
    "zen": "--measures zen --probe-size 16",
    "noise": "--recipe recommended --probe noise --measures effective_rank,cond,layers",
    "suite-zero-noise": "--recipe nb-suite-zero --measures grasp,plain,epe_nas,l2_norm --seeds 2",
}
_ROBUST = "--recipe robust-ntk --measures lambda_min,cond,lga,trace,effective_rank --probe-size 16"
ATTACKED = {
    "clean": f"{_ROBUST} --kernel-of clean",
    "fgsm": f"{_ROBUST} --perturb fgsm:8/255",
    "fgsm-mixed": f"{_ROBUST} --perturb fgsm:8/255 --kernel-of mixed:0.5",
    "pgd": f"{_ROBUST} --perturb pgd20:8/255",
}
"""Kernels under attack, in a store of their own (scripts/referee/robustness.py); smaller batches than the recipe's."""


def main() -> None:
    """Score what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [*ON_ALL, *ON_REACHABLE, *ATTACKED]
    parser.add_argument("ways", nargs="*", metavar="WAY", help=f"{', '.join(known)}; all but the attacked without any")
    parser.add_argument("--image-data", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    unknown = set(arguments.ways) - set(known)
    if unknown:
        parser.error(f"there is no way {', '.join(sorted(unknown))}: expected {', '.join(known)}")
    shared = ["--image-data", str(arguments.image_data.resolve()), "--store", arguments.store.name]
    shared += ["--workers", str(arguments.workers)]
    for name in arguments.ways or [*ON_ALL, *ON_REACHABLE]:
        options = {**ON_ALL, **ON_REACHABLE, **ATTACKED}[name]
        command = ["ntknas", "score", *_cells(name, arguments.store), *options.split(), *shared]
        print(f"{name}: {' '.join(command)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", *command], check=True, cwd=arguments.store.parent)


def _cells(name: str, store: Path) -> list[str]:
    """Return the options that name the cells; those of the sample that are reachable are written beside the store."""
    if name not in ON_REACHABLE:
        return ["--cells", str(CELLS), "--cells-seed", str(SEED)]
    space = load_space("nb201")
    reachable = set(members(space, "reachable"))
    file = store.with_name("reachable.txt")
    file.write_text("\n".join(str(cell) for cell in sample(space, CELLS, SEED) if cell in reachable) + "\n")
    return ["--cells-file", file.name]  # without its folder, since runs record it


if __name__ == "__main__":
    main()
