"""Time, memory and error of kernels: our strategies, the floor, and what people use, side by side in one run.

    python scripts/speed.py [--images 64] [--cells 5] [--repeats 3] [--device cpu] [--neural-tangents PYTHON] [--parts ...]

Cells of NAS-Bench-201 from light to heavy (by FLOPs) at the official size, float32 rows. Within a part every way computes the same
kernel in turn, after one round that does not count; a figure is the median over rounds. Peak memory is above what the process held
before, each measured in a process of its own (Linux, or CUDA), in which every block of memory is mapped apart: what is in use counts,
not the gaps of a heap.

Parts: ``decoupled`` (policy frozen, all parameters) against a training step, the row loop, ``torch.func``, ``nngeometry`` (if installed)
and ``neural-tangents`` (if a Python that has it is named); ``coupled`` against N backward passes; ``forms`` (mean and numerator of the
alignment from one backward pass a class) against the loop; ``large`` (up to 2,048 images, and a full kernel, in chunks);
``shares`` (what rows and Gram matrices add to a step, timed apart); ``launches`` (operations that a GPU would be asked for, counted without one); ``batch`` (seconds per image, by batch); ``start``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from peers import graph, launches, with_torch
from peers.shares import shares
from torch import Tensor

from ntknas import empirical_ntk, load_space
from ntknas.core.allocator import keep_freed_memory
from ntknas.data import Request, make_probe
from ntknas.kernels import kernel_operator
from ntknas.scoring.cell_kernel import prepare_images

SPACE = load_space("nb201")
OURS = {"parameters": "all", "verify": False}
CLASSES = 10


def main() -> None:
    """Print the tables."""
    arguments = _parse()
    if not arguments.default_allocator:
        keep_freed_memory()
    if arguments.memory:
        print(json.dumps(_memory(arguments)))
        return
    print(f"{_machine(arguments.device)}, torch {torch.__version__}, median of {arguments.repeats}\n", flush=True)
    for part in arguments.parts.split(","):
        PARTS[part](arguments)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--cells", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--parts", default="decoupled,shares,coupled,forms,large,launches,batch,start")
    parser.add_argument("--neural-tangents", help="A Python that has neural-tangents 0.6.5 and jax 0.4.30.")
    parser.add_argument("--default-allocator", action="store_true", help="Leave the C library's allocator as it is.")
    parser.add_argument("--memory", nargs=2, metavar=("CELL", "WAY"), help=argparse.SUPPRESS)
    return parser.parse_args()


def _machine(device: str) -> str:
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return f"{name}, {torch.get_num_threads()} threads"


def _cells(count: int) -> list:
    by_flops = sorted((cell for cell in SPACE if not SPACE.is_disconnected(cell)), key=SPACE.flops)
    return [by_flops[round(share * (len(by_flops) - 1) / max(count - 1, 1))] for share in range(count)]


def _images(arguments: argparse.Namespace, count: int | None = None) -> Tensor:
    images = make_probe("noise", count or arguments.images, Request()).images
    return prepare_images(images, torch.device(arguments.device), "float32")


def _network(cell: object, arguments: argparse.Namespace, x: Tensor) -> torch.nn.Module:
    """A network whose running statistics are the batch's: every way then sees the policy ``frozen``."""
    return with_torch.with_batch_statistics(SPACE.build(cell).to(arguments.device), x)


def _step(network: torch.nn.Module, x: Tensor) -> None:
    network.zero_grad()
    network.train()(x).sum().backward()
    network.eval()


def _rounds(ways: dict[str, Callable[[], object]], arguments: argparse.Namespace) -> tuple[dict[str, float], dict]:
    """Return the median seconds of every way and what its first, uncounted call returned; a way may fail, by name."""
    results, seconds = {}, {name: [] for name in ways}
    for name, way in ways.items():
        try:
            results[name] = way()
        except RuntimeError as error:
            print(f"({name} failed: {str(error).splitlines()[0][:100]})")
    for _ in range(arguments.repeats):
        for name in results:
            seconds[name].append(_seconds(ways[name], arguments.device))
    return {name: statistics.median(seconds[name]) for name in results}, results


def _seconds(way: Callable[[], object], device: str) -> float:
    _synchronise(device)
    start = time.perf_counter()
    way()
    _synchronise(device)
    return time.perf_counter() - start


def _synchronise(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def _difference(a: Tensor, b: Tensor) -> float:
    a, b = a.detach().cpu().double(), b.detach().cpu().double()
    return float((a - b).norm() / b.norm())


NAMES = ["row loop", "vmap(grad)", "vmap(jacrev)", "vmap, K in float64", "nngeometry", "neural-tangents"]


def _decoupled(arguments: argparse.Namespace) -> None:
    print(f"## Decoupled: policy `frozen`, N = {arguments.images}\n")
    found = [_decoupled_cell(cell, arguments) for cell in _cells(arguments.cells)]
    rows, errors, memory = ([parts[place] for parts in found] for place in range(3))
    print("Seconds; a peer's figure is that of its fastest configuration (layout, chunk or batch, implementation).\n")
    _table(["cell", "MFLOPs", "step", "ours", "ours / step", *NAMES], rows)
    print(
        f"\nours / step: {statistics.fmean(row[4] for row in rows):.2f} on average. How many times slower than ours:\n"
    )
    _table(["cell", *NAMES], [[row[0], *[value / row[3] if value else None for value in row[5:]]] for row in rows])
    print("\nRelative error ‖K − K_64‖_F / ‖K_64‖_F against float64, and in brackets of the condition number:\n")
    _table(["cell", "ours", *NAMES], errors)
    print("\nPeak memory in MiB; N·P_max is the largest layer's rows in float32:\n")
    _table(["cell", *WAYS, "N·P_max"], memory)


def _decoupled_cell(cell: object, arguments: argparse.Namespace) -> tuple[list, list, list]:
    """Return the rows of the tables of times, errors and memory."""
    n, last = arguments.images, _images(arguments)
    first = last.contiguous()
    network, trained = _network(cell, arguments, first), SPACE.build(cell).to(arguments.device)
    oracle = empirical_ntk(SPACE.build(cell).double(), first.double().cpu(), parameters="all").matrix
    ways = {
        "step": lambda: _step(trained, first),
        "step, channels last": lambda: _step(trained, last),
        "ours": lambda: empirical_ntk(network, last, **OURS).matrix,
        "row loop": lambda: with_torch.row_loop(network, first),
        "row loop, channels last": lambda: with_torch.row_loop(network, last),
    }
    for layout, x in (("", first), (", channels last", last)):
        for chunk in (None, 16):
            ways[f"vmap(grad){layout}, {chunk}"] = partial(with_torch.vmap_grad(chunk), network, x)
            ways[f"vmap(jacrev){layout}, {chunk}"] = partial(with_torch.vmap_jacrev(chunk), network, x)
            ways[f"vmap, K in float64{layout}, {chunk}"] = partial(
                with_torch.vmap_grad(chunk, torch.float64), network, x
            )
        for batch in (n, max(n // 4, 1)) if _has_nngeometry() else ():
            ways[f"nngeometry{layout}, {batch}"] = partial(with_torch.nngeometry(batch), network, x.clone())
    seconds, kernels = _rounds(ways, arguments)
    best = {name: _best(seconds, name) for name in ("step", *NAMES)}
    if arguments.neural_tangents:
        best["neural-tangents"], kernels["neural-tangents"] = _neural_tangents(network, first, arguments)
    ours, step = seconds["ours"], best["step"]
    times = [cell.index, f"{SPACE.flops(cell) / 1e6:.0f}", step, ours, ours / step, *[best[name] for name in NAMES]]
    errors = [cell.index, *[_error(kernels, name, oracle) for name in ("ours", *NAMES)]]
    memory = [cell.index, *[_memory_of(cell.index, way, arguments) for way in WAYS], n * _widest(network) * 4 / 2**20]
    return times, errors, memory


def _best(seconds: dict[str, float], name: str) -> float | None:
    return min((value for key, value in seconds.items() if _is(key, name)), default=None)


def _is(key: str, name: str) -> bool:
    """Whether a way is a configuration of a name."""
    return key == name or key.startswith(f"{name}, ")


def _error(kernels: dict, name: str, oracle: Tensor) -> str | None:
    found = next((kernel for key, kernel in kernels.items() if _is(key, name)), None)
    if found is None:
        return None
    condition = [np.linalg.cond(matrix.detach().cpu().double()) for matrix in (found, oracle)]
    return f"{_difference(found, oracle):.0e} ({abs(condition[0] / condition[1] - 1):.0e})"


def _widest(network: torch.nn.Module) -> int:
    return max(parameter.numel() for parameter in network.parameters())


def _has_nngeometry() -> bool:
    try:
        import nngeometry  # noqa: F401
    except ImportError:
        return False
    return True


def _neural_tangents(
    network: torch.nn.Module, x: Tensor, arguments: argparse.Namespace
) -> tuple[float | None, Tensor | None]:
    """The fastest of its implementations, after compilation."""
    script, found = Path(__file__).parent / "peers" / "with_neural_tangents.py", []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.npz"
        graph.export(network.cpu(), x.cpu(), path)
        network.to(x.device)
        for implementation in (1, 2, 3):
            command = [arguments.neural_tangents, str(script), str(path), str(implementation), str(arguments.repeats)]
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if done.returncode == 0:
                seconds = statistics.median(json.loads(done.stdout)["seconds"])
                found.append((seconds, torch.from_numpy(np.load(path.with_suffix(".npy")))))
    return min(found, key=lambda pair: pair[0], default=(None, None))


def _table(head: list[str], rows: list[list]) -> None:
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(_cell(value) for value in row) + " |", flush=True)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _coupled(arguments: argparse.Namespace) -> None:
    at_once = [1, 8, 32] if arguments.device.startswith("cuda") else [1, 8]
    print(f"\n## Coupled: policy `coupled`, N = {arguments.images}\n")
    print("Seconds; `N passes` is N times one backward pass of the batch.\n")
    head = [
        "cell",
        "N passes",
        *[f"{rows} at once" for rows in at_once],
        "row loop as used",
        "ours / N passes",
        "difference",
    ]
    _table(head, [_coupled_cell(cell, at_once, arguments) for cell in _cells(arguments.cells)])


def _coupled_cell(cell: object, at_once: list[int], arguments: argparse.Namespace) -> list:
    x = _images(arguments)
    network = SPACE.build(cell).to(arguments.device).train()
    output, parameters = network(x), list(network.parameters())
    ways = {"pass": lambda: torch.autograd.grad(output.sum(), parameters, retain_graph=True)}
    for rows in at_once:
        choices = {"batch_norm": "coupled", "rows_at_once": rows, **OURS}
        ways[f"{rows} at once"] = partial(empirical_ntk, network, x, **choices)
    ways["row loop"] = lambda: with_torch.row_loop(network.train(), x)
    seconds, kernels = _rounds(ways, arguments)
    ours = {rows: seconds.get(f"{rows} at once") for rows in at_once}
    passes = arguments.images * seconds["pass"]
    fastest = min(value for value in ours.values() if value)
    difference = _difference(kernels["1 at once"].matrix, kernels["row loop"])
    return [cell.index, passes, *ours.values(), seconds["row loop"], fastest / passes, difference]


def _forms(arguments: argparse.Namespace) -> None:
    print("\n## Class forms: mean and numerator of the alignment, policy `coupled`, N = 256, 10 classes\n")
    rows = [_forms_of(cell, arguments) for cell in _cells(5)[:1] + _cells(5)[2:3]]
    head = [
        "cell",
        "loop (s)",
        "forms (s)",
        "loop / forms",
        "error of the numerator / ‖K‖‖L‖",
        "relative error of the mean",
    ]
    _table(head, rows)


def _forms_of(cell: object, arguments: argparse.Namespace) -> list:
    x, labels = _images(arguments, 256), torch.arange(256) % CLASSES
    network = SPACE.build(cell).to(arguments.device)
    choices = {"batch_norm": "coupled", "verify": False, "labels": labels.to(arguments.device)}

    def forms() -> object:
        with kernel_operator(network, x, **choices) as kernel:
            return kernel.class_forms()

    start = time.perf_counter()
    matrix = empirical_ntk(network, x, **choices).matrix
    loop = time.perf_counter() - start
    seconds, found = _rounds({"forms": forms}, arguments)
    same = (labels[:, None] == labels[None, :]).double() * 2 - 1
    numerator = float(((matrix - matrix.mean()) * (same - same.mean())).sum())
    error = abs(found["forms"].alignment_numerator - numerator) / float(matrix.norm() * same.norm())
    mean = abs(found["forms"].mean / float(matrix.mean()) - 1)
    return [cell.index, loop, seconds["forms"], loop / seconds["forms"], error, mean]


def _large(arguments: argparse.Namespace) -> None:
    print("\n## Large kernels in chunks: policy `frozen`, a light cell\n")
    cell, rows = _cells(5)[0], []
    network = SPACE.build(cell).to(arguments.device)
    for count, output, chunk in ((256, "sum", None), (1024, "sum", 256), (2048, "sum", 256), (256, "full", 64)):
        x = _images(arguments, count)
        seconds = _seconds(
            lambda x=x, o=output, c=chunk: empirical_ntk(network, x, output=o, chunk=c, **OURS), arguments.device
        )
        size = count * (CLASSES if output == "full" else 1)
        matrix = torch.randn(size, size, dtype=torch.float64)
        spectrum = _seconds(lambda m=matrix: torch.linalg.eigvalsh(m @ m.T), "cpu")
        way = f"{count}:{output}:{chunk or 0}"
        rows.append(
            [
                count,
                output,
                size,
                chunk or "–",
                seconds,
                spectrum,
                _memory_of(cell.index, way, arguments),
                size**2 * 8 / 2**20,
            ]
        )
    _table(["N", "output", "rows", "chunk", "kernel (s)", "spectrum (s)", "peak (MiB)", "K alone (MiB)"], rows)


def _shares(arguments: argparse.Namespace) -> None:
    print(f"\n## Shares: what a kernel adds to a training step, N = {arguments.images}\n")
    print("Seconds, each the fastest of its rounds.\n")
    rows = []
    for cell in _cells(arguments.cells):
        x = _images(arguments)
        network, trained = _network(cell, arguments, x), SPACE.build(cell).to(arguments.device)
        ways = {"step": lambda t=trained, x=x: _step(t, x), "ours": partial(empirical_ntk, network, x, **OURS)}
        fastest = {name: min(_seconds(way, arguments.device) for _ in range(6)) for name, way in ways.items()}
        found, step, ours = shares(network, x), fastest["step"], fastest["ours"]
        more = found.rows - found.weight_gradients
        floor = step + more + found.gram
        rows.append(
            [cell.index, step, found.weight_gradients, found.rows, found.gram, floor / step, ours / step, ours / floor]
        )
    head = ["cell", "step", "weight gradients in it", "rows", "Gram", "(step − gradients + rows + Gram) / step"]
    _table([*head, "ours / step", "ours / that sum"], rows)


def _launches(arguments: argparse.Namespace) -> None:
    print("\n## Launches: operations of a kernel on a device that is not the CPU\n")
    rows = []
    for cell in _cells(arguments.cells):
        x = torch.empty(arguments.images, 3, 32, 32, device=launches.DEVICE)
        counts = [launches.of_step(SPACE.build(cell).to(x.device), x)]
        counts += [launches.of_layer_wise(SPACE.build(cell).to(x.device), x, how) for how in ("frozen", "per-sample")]
        two, one = (launches.of_row_loop(SPACE.build(cell).to(x.device), x[:n], "coupled") for n in (2, 1))
        totals = [found.launches.total() for found in counts]
        rows.append([cell.index, *totals, totals[1] / totals[0], two.launches.total() - one.launches.total()])
    _table(["cell", "step", "frozen", "per-sample", "frozen / step", "coupled, each row"], rows)


def _batch(arguments: argparse.Namespace) -> None:
    print("\n## Batch: milliseconds per image of a kernel, policy `frozen`\n")
    sizes, rows = (16, 32, 64, 128), []
    for cell in _cells(arguments.cells):
        network = SPACE.build(cell).to(arguments.device)
        images = {size: _images(arguments, size) for size in sizes}
        ways = {str(size): partial(empirical_ntk, network, x, **OURS) for size, x in images.items()}
        seconds, _ = _rounds(ways, arguments)
        rows.append([cell.index, *[1e3 * seconds[str(size)] / size for size in sizes]])
    _table(["cell", *[f"N = {size}" for size in sizes]], rows)


def _start(arguments: argparse.Namespace) -> None:
    print("\n## Start\n")
    code = {
        "import torch": "import torch",
        "import ntknas": "import ntknas",
        "import ntknas and torch": "import torch, ntknas.kernels",
    }
    for name, line in code.items():
        taken = [
            _seconds(lambda line=line: subprocess.run([sys.executable, "-c", line], check=True), "cpu")
            for _ in range(3)
        ]
        print(f"- {name}: {statistics.median(taken):.2f} s")
    for cell in (_cells(5)[0], _cells(5)[-1]):
        x = _images(arguments)
        network = SPACE.build(cell)
        ways = {
            "build": lambda cell=cell: SPACE.build(cell),
            "move": lambda network=network: network.to(arguments.device),
            "kernel": lambda network=network, x=x: empirical_ntk(network, x, **OURS),
        }
        seconds, _ = _rounds(ways, arguments)
        print(f"- cell {cell.index}: " + ", ".join(f"{name} {value:.3f} s" for name, value in seconds.items()))


def _memory_of(cell: int, way: str, arguments: argparse.Namespace) -> float:
    command = [sys.executable, __file__, "--images", str(arguments.images), "--device", arguments.device]
    command += ["--default-allocator", "--memory", str(cell), way]
    mapped = os.environ | {"MALLOC_MMAP_THRESHOLD_": str(1 << 16)}
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, env=mapped).stdout)["MiB"]


WAYS: dict[str, Callable[[torch.nn.Module, Tensor], object]] = {
    "step": _step,
    "ours": lambda network, x: empirical_ntk(network, x, **OURS),
    "row loop": with_torch.row_loop,
    "vmap(grad)": with_torch.vmap_grad(None),
}


def _memory(arguments: argparse.Namespace) -> dict[str, float]:
    """Peak memory above what the process held before, in a process that did a small one first."""
    cell, name = arguments.memory
    way, x = WAYS.get(name), _images(arguments)
    if way is None:
        count, output, chunk = name.split(":")
        x = _images(arguments, int(count))
        way = lambda network, x: empirical_ntk(network, x, output=output, chunk=int(chunk) or None, **OURS)  # noqa: E731
    network = _network(int(cell), arguments, x[:8])
    WAYS["step"](network, x[:8])
    if arguments.device.startswith("cuda"):
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        way(network, x)
        return {"MiB": (torch.cuda.max_memory_allocated() - before) / 2**20}
    Path("/proc/self/clear_refs").write_text("5")  # lets the high-water mark start here (Linux)
    before = _status("VmRSS")
    way(network, x)
    return {"MiB": (_status("VmHWM") - before) / 2**10}


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


PARTS = {
    "decoupled": _decoupled,
    "coupled": _coupled,
    "forms": _forms,
    "large": _large,
    "shares": _shares,
    "launches": _launches,
    "batch": _batch,
    "start": _start,
}

if __name__ == "__main__":
    main()
