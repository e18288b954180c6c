"""Measure c of the singularity rule: the relative error of float32 rows of J, in units of float32's epsilon.

    python scripts/measure_row_error.py [--cells 24] [--images 16]

computes the rows of J of random NAS-Bench-201 cells in float32 and in float64, same weights and probe, and prints the
error ‖J32_i − J64_i‖ / ‖J64_i‖ / eps over all rows, by batch-norm policy. A kernel whose rows carry this relative error
can have an eigenvalue of up to n·(c·eps)²·λ_1 where the exact one is zero.
"""

from __future__ import annotations

import argparse
import copy

import numpy as np
import torch

from ntknas import load_space
from ntknas.data import make_probe
from ntknas.data.sources import Request
from ntknas.kernels.batch_norm import applied
from ntknas.kernels.strategies.row_loop import jacobian_rows
from ntknas.scoring.cells import sample

EPS = torch.finfo(torch.float32).eps


def main() -> None:
    """Print the quantiles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=24)
    parser.add_argument("--images", type=int, default=16)
    arguments = parser.parse_args()
    space, probe = load_space("nb201"), make_probe("digits", arguments.images, Request())
    cells = [cell for cell in sample(space, arguments.cells, 0) if not space.is_disconnected(cell)]
    print(f"{len(cells)} cells, {arguments.images} images, official network, output sum, parameters weights")
    print("| policy | median | 90 % | 99 % | largest |\n|---|---|---|---|---|")
    for policy in ("frozen", "eval", "coupled"):
        errors = np.concatenate([_errors(space.build(cell), probe.images, policy) for cell in cells])
        quantiles = np.quantile(errors, [0.5, 0.9, 0.99, 1.0])
        print(f"| {policy} | " + " | ".join(f"{value:.1f}" for value in quantiles) + " |")


def _errors(network: torch.nn.Module, images: torch.Tensor, policy: str) -> np.ndarray:
    single, double = (
        _rows(copy.deepcopy(network).to(dtype), images.to(dtype), policy) for dtype in (torch.float32, torch.float64)
    )
    return ((single.double() - double).norm(dim=1) / double.norm(dim=1) / EPS).numpy()


def _rows(network: torch.nn.Module, images: torch.Tensor, policy: str) -> torch.Tensor:
    parameters = [value for name, value in network.named_parameters() if "weight" in name]
    with applied(network, policy) as state:
        state.record()
        output = network(images)
        cotangents = torch.eye(len(images), dtype=images.dtype)[:, :, None].expand(-1, -1, output.shape[1])
        return jacobian_rows(output, cotangents, parameters)


if __name__ == "__main__":
    main()
