"""Time of kernels with channels first and channels last, side by side in one run.

    python scripts/memory_format.py [--images 32] [--cells 3] [--repeats 3]

For cells from light to heavy (by FLOPs) of NAS-Bench-201 at the official size, float32 rows: the layer-wise strategy
under ``frozen`` and the row loop under ``coupled``, on the same images in both layouts. The layouts alternate, after
one run of each that does not count; the table has medians, and how far the two kernels differ. Networks lay their
input out themselves; here they are kept from it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from unittest.mock import patch

import torch
from torch import Tensor

from ntknas import empirical_ntk, load_space
from ntknas.data import Request, make_probe
from ntknas.spaces.nb201 import network as nb201

POLICIES = ("frozen", "coupled")
POOLING = 7000
"""A cell with average pooling, whose gradient is what channels last speed up most."""


def main() -> None:
    """Print the table."""
    arguments = _parse()
    space = load_space("nb201")
    by_flops = sorted((cell for cell in space if not space.is_disconnected(cell)), key=space.flops)
    places = [round(share * (len(by_flops) - 1) / (arguments.cells - 1)) for share in range(arguments.cells)]
    first = make_probe("noise", arguments.images, Request()).images
    print(f"N = {arguments.images}, CPU, {torch.get_num_threads()} threads, torch {torch.__version__}\n")
    print("| cell | MFLOPs | policy | channels first (s) | channels last (s) | first / last | relative difference |")
    print("|---|---|---|---|---|---|---|")
    for cell in [*(by_flops[place] for place in places), space[POOLING]]:
        for policy in POLICIES:
            row = _row(space, cell, policy, first, arguments.repeats)
            print(f"| {cell.index} | {space.flops(cell) / 1e6:.0f} | {policy} | {row} |", flush=True)


def _row(space, cell, policy: str, first: Tensor, repeats: int) -> str:
    layouts = [first, first.contiguous(memory_format=torch.channels_last)]
    network = space.build(cell, num_classes=10, seed=0)
    times: list[list[float]] = [[], []]
    for repeat in range(repeats + 1):
        kernels = []
        for images, taken in zip(layouts, times, strict=True):
            start = time.perf_counter()
            with patch.object(nb201, "laid_out", lambda given: given):
                kernels.append(empirical_ntk(network, images, batch_norm=policy, verify=False).matrix)
            taken += [time.perf_counter() - start] if repeat else []
    difference = float((kernels[1] - kernels[0]).norm() / kernels[0].norm())
    before, after = (statistics.median(taken) for taken in times)
    return f"{before:.2f} | {after:.2f} | {before / after:.1f} | {difference:.0e}"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--cells", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
