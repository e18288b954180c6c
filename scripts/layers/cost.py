"""What kernels of layers cost beside the plain kernel, in one run, turn by turn.

    python scripts/layers/cost.py [--cells 12] [--images 64] [--repeats 3]

On random cells of NAS-Bench-201 (official networks, digits, one thread): seconds of the plain kernel, of one by layer,
and of one with the layers' inputs, the least of the repeats; and the median ratio over cells.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from ntknas import empirical_ntk, load_space, make_probe
from ntknas.scoring.cells import sample

KINDS: dict[str, dict[str, bool]] = {
    "plain": {},
    "by layer": {"by_layer": True},
    "with inputs": {"by_layer": True, "layer_inputs": True},
}
WAYS = {"frozen": ("sum", "frozen"), "recommended": ("features", "per-sample"), "eval": ("sum", "eval")}


def main() -> None:
    """Time all kinds of all ways."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=12)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    space, probe = load_space("nb201"), make_probe("digits", arguments.images)
    cells = [cell for cell in sample(space, 2 * arguments.cells, 0) if not space.is_disconnected(space[cell])]
    print("| kernel | plain, s | by layer | with inputs |\n| --- | --- | --- | --- |")
    for name, (output, policy) in WAYS.items():
        seconds = []
        for cell in cells[: arguments.cells]:
            network = space.build(space[cell], num_classes=10, seed=0)
            seconds.append(_seconds(network, probe.images, output, policy, arguments.repeats))
        plain = statistics.median(times["plain"] for times in seconds)
        ratios = [statistics.median(times[kind] / times["plain"] for times in seconds) for kind in list(KINDS)[1:]]
        print(f"| {name} | {plain:.2f} | " + " | ".join(f"{ratio:.2f} times" for ratio in ratios) + " |", flush=True)


def _seconds(network: torch.nn.Module, x: torch.Tensor, output: str, policy: str, repeats: int) -> dict[str, float]:
    """Return the least time of each kind, all kinds in each turn."""
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(repeats):
        for kind, options in KINDS.items():
            start = time.perf_counter()
            empirical_ntk(network, x, output=output, batch_norm=policy, verify=False, **options)
            times[kind].append(time.perf_counter() - start)
    return {kind: min(found) for kind, found in times.items()}


if __name__ == "__main__":
    main()
