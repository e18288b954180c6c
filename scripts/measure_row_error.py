"""Measure c of the singularity rule: the relative error of float32 rows of J, in units of float32's epsilon.

    python scripts/measure_row_error.py [--cells 24] [--images 16] [--probe noise]

computes the rows of J of random NAS-Bench-201 cells in float32 and in float64, same weights and probe, and prints the
error ‖J32_i − J64_i‖ / ‖J64_i‖ / eps by batch-norm policy: over the rows whose ReLU patterns are the same in both
precisions, which is rounding; and over all rows. A pattern that differs is another linear piece of the network: such a
row is not noise, but the exact row of a network next to this one, and tells nothing about rounding. Under ``coupled``
every row depends on every sample's pattern.

A kernel whose rows carry a relative rounding error of c·eps can have an eigenvalue of up to n·(c·eps)²·λ_1 where the
exact one is zero.
"""

from __future__ import annotations

import argparse
import copy
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ntknas import load_space
from ntknas.data import Request, make_probe
from ntknas.kernels.batch_norm import applied
from ntknas.kernels.strategies.row_loop import Rows, jacobian_rows
from ntknas.scoring.cells import sample

EPS = torch.finfo(torch.float32).eps


def main() -> None:
    """Print the quantiles."""
    arguments = _parse()
    space = load_space("nb201")
    images = make_probe(arguments.probe, arguments.images, Request(arguments.image_data)).images
    cells = [cell for cell in sample(space, arguments.cells, 0) if not space.is_disconnected(cell)]
    print(f"{len(cells)} cells, {len(images)} images of {arguments.probe}, official network, output sum, weights")
    print("| policy | rows | median | 90 % | 99 % | largest |\n|---|---|---|---|---|---|")
    for policy in ("frozen", "eval", "coupled"):
        errors, same = map(
            np.concatenate, zip(*(_errors(space.build(cell), images, policy) for cell in cells), strict=True)
        )
        for name, chosen in (("equal patterns", errors[same]), ("all", errors)):
            quantiles = (
                [f"{value:.1f}" for value in np.quantile(chosen, [0.5, 0.9, 0.99, 1.0])] if len(chosen) else ["–"] * 4
            )
            print(f"| {policy} | {name}: {len(chosen)} | {' | '.join(quantiles)} |", flush=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=24)
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--probe", default="noise")
    parser.add_argument("--image-data", type=Path, default=Path("image_data"))
    return parser.parse_args()


def _errors(network: nn.Module, images: Tensor, policy: str) -> tuple[np.ndarray, np.ndarray]:
    """Error of each row, and whether its ReLU patterns are the same in both precisions."""
    (single, patterns), (double, exact) = (
        _rows(copy.deepcopy(network).to(dtype), images.to(dtype), policy) for dtype in (torch.float32, torch.float64)
    )
    same = torch.stack([(a == b).flatten(1).all(1) for a, b in zip(patterns, exact, strict=True)]).all(0)
    if policy == "coupled":
        same = same.all().expand(len(images))
    return ((single.double() - double).norm(dim=1) / double.norm(dim=1) / EPS).numpy(), same.numpy()


def _rows(network: nn.Module, images: Tensor, policy: str) -> tuple[Tensor, list[Tensor]]:
    patterns: list[Tensor] = []
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda module, inputs, output: patterns.append(output > 0))
    parameters = [value for name, value in network.named_parameters() if "weight" in name]
    with applied(network, policy) as state:
        state.record()
        output = network(images)
        return jacobian_rows(output, Rows(torch.ones_like(output), range(len(images))), parameters), patterns


if __name__ == "__main__":
    main()
