"""Check that no two classes of cells have one kernel: the identities merge all that can be merged.

    python scripts/identities.py [--identity weights|all] [--write]

builds one cell of each class as a tiny network in float64, gives all weights of one shape the same values (so that a
repeated convolution repeats its weights too), and counts the different kernels, to six digits. Prints the numbers of
classes and of kernels, and the classes that share a kernel. --write finds the classes of both identities anew, and
writes the file that the package reads them from.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np
import torch
from torch import Tensor, nn

from ntknas import empirical_ntk, load_space
from ntknas.spaces.nb201.identity import IDENTITIES, STORED, class_representatives, found_representatives


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identity", choices=["weights", "all"], default="weights")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    if arguments.write:
        found = {name: np.array(found_representatives(name), dtype="<u2") for name in IDENTITIES}
        np.savez_compressed(STORED, **found)
        return
    identity = arguments.identity
    space = load_space("nb201")
    x = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    classes = sorted(set(class_representatives(identity)))
    cells = defaultdict(list)
    for cell in classes:
        network = space.build(cell, channels=2, cells_per_stage=1, num_classes=2).double()
        _repeat_weights(network)
        cells[_digits(empirical_ntk(network, x, parameters=identity).matrix)].append(cell)
    print(f"{identity}: {len(classes)} classes, {len(cells)} different kernels")
    for shared in (group for group in cells.values() if len(group) > 1):
        print("one kernel:", *(f"{cell} {space[cell]}" for cell in shared), sep="\n  ")


def _repeat_weights(network: nn.Module) -> None:
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                places = torch.arange(parameter.numel(), dtype=parameter.dtype)
                parameter.copy_(torch.sin(1.7 * places + parameter.shape[-1]).view_as(parameter))


def _digits(kernel: Tensor) -> tuple[str, ...]:
    norm = kernel.norm().clamp_min(1e-300)
    return (f"{float(norm):.6e}", *(f"{value:.6e}" for value in (kernel / norm).flatten().tolist()))


if __name__ == "__main__":
    main()
