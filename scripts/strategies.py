"""Time and peak memory of the layer-wise strategy against the row loop, side by side in one run.

    python scripts/strategies.py [--images 64] [--cells 5] [--repeats 3] [--device cpu]

For cells from light to heavy (by FLOPs) of NAS-Bench-201 at the official size, policy ``frozen``, output ``sum``,
parameters ``weights``, float32 rows. Each measurement of memory is a process of its own; the times alternate between
the strategies within one process, after one run of each that does not count. ``step`` is a plain training step (forward
and backward) on the same batch.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch

from ntknas import empirical_ntk, load_space
from ntknas.data import Request, make_probe

STRATEGIES = ("layer-wise", "row-loop")


def main() -> None:
    """Print the table."""
    arguments = _parse()
    if arguments.memory:
        print(json.dumps(_memory(arguments)))
        return
    space = load_space("nb201")
    by_flops = sorted((cell for cell in space if not space.is_disconnected(cell)), key=space.flops)
    places = [round(share * (len(by_flops) - 1) / (arguments.cells - 1)) for share in range(arguments.cells)]
    print(
        f"N = {arguments.images}, {_machine(arguments.device)}, torch {torch.__version__}, "
        f"median of {arguments.repeats}\n"
    )
    print(
        "| cell | MFLOPs | step (s) | layer-wise (s) | row loop (s) | row loop / layer-wise | layer-wise / step | "
        "layer-wise (MiB) | row loop (MiB) | relative difference |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for place in places:
        print(_row(space, by_flops[place], arguments), flush=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--cells", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--memory", nargs=2, metavar=("CELL", "STRATEGY"), help=argparse.SUPPRESS)
    return parser.parse_args()


def _machine(device: str) -> str:
    return (
        torch.cuda.get_device_name(device) if device.startswith("cuda") else f"CPU, {torch.get_num_threads()} threads"
    )


def _batch(arguments: argparse.Namespace) -> torch.Tensor:
    return make_probe("noise", arguments.images, Request()).images.to(arguments.device)


def _row(space: object, cell: object, arguments: argparse.Namespace) -> str:
    network, x = space.build(cell).to(arguments.device), _batch(arguments)
    tasks = {"step": lambda: network(x).sum().backward()}
    tasks |= {name: lambda name=name: empirical_ntk(network, x, strategy=name, verify=False) for name in STRATEGIES}
    kernels = {name: task() for name, task in tasks.items()}
    seconds = {name: [] for name in tasks}
    for _ in range(arguments.repeats):
        for name, task in tasks.items():
            seconds[name].append(_seconds(task, arguments.device))
    step, fast, slow = (statistics.median(seconds[name]) for name in ("step", *STRATEGIES))
    memory = [_memory_of(cell.index, name, arguments) for name in STRATEGIES]
    a, b = (kernels[name].matrix for name in STRATEGIES)
    difference = float((a - b).norm() / b.norm())
    return (
        f"| {cell.index} | {space.flops(cell) / 1e6:.0f} | {step:.2f} | {fast:.2f} | {slow:.1f} | {slow / fast:.0f} | "
        f"{fast / step:.1f} | {memory[0]:.0f} | {memory[1]:.0f} | {difference:.0e} |"
    )


def _seconds(task: object, device: str) -> float:
    start = time.perf_counter()
    task()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _memory_of(cell: int, strategy: str, arguments: argparse.Namespace) -> float:
    command = [sys.executable, __file__, "--images", str(arguments.images), "--device", arguments.device]
    done = subprocess.run([*command, "--memory", str(cell), strategy], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)["MiB"]


def _memory(arguments: argparse.Namespace) -> dict[str, float]:
    """Peak memory above what the process held before the kernel."""
    cell, strategy = arguments.memory
    network, x = load_space("nb201").build(int(cell)).to(arguments.device), _batch(arguments)
    if arguments.device.startswith("cuda"):
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        empirical_ntk(network, x, strategy=strategy, verify=False)
        return {"MiB": (torch.cuda.max_memory_allocated() - before) / 2**20}
    Path("/proc/self/clear_refs").write_text("5")  # lets the high-water mark start here (Linux)
    before = _status("VmRSS")
    empirical_ntk(network, x, strategy=strategy, verify=False)
    return {"MiB": (_status("VmHWM") - before) / 2**10}


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main()
