"""Families whose kernel is known at infinite width: samples, finite networks and the kernel that they approach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ntknas.core.errors import ChoiceError, DataError, KernelError, check_known
from ntknas.kernels.analytic import (
    GraphNetwork,
    RecurrentNetwork,
    Sequences,
    TransformerNetwork,
    convolutional,
    finite_network,
    fully_connected,
    infinite_kernel,
)
from ntknas.kernels.analytic.layers import Layer
from ntknas.kernels.memory import check_fits
from ntknas.studies import tu_format
from ntknas.studies.cost import STEP
from ntknas.studies.data import load
from ntknas.studies.families import FAMILIES

Build = Callable[[int, int, int], nn.Module]


@dataclass(frozen=True)
class Limit:
    """A family on given samples; networks are in NTK parametrisation.

    Attributes:
        family: A key of ``LIMITS``.
        data: Name of the data.
        x: What networks take, N×…, float64.
        y: Classes, N, int64, or values, N×1, float64 of mean 0 and variance 1.
        source: Where the samples come from.
        build: Makes a network from its width, outputs and seed.
        kernel: Computes the NTK at infinite width, N×N.
    """

    family: str
    data: str
    x: Tensor = field(repr=False)
    y: Tensor = field(repr=False)
    source: str
    build: Build = field(repr=False)
    kernel: Callable[[], Tensor] = field(repr=False)

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.x)

    @property
    def is_series(self) -> bool:
        """Whether samples are windows of one series, which share values with their neighbours."""
        return self.data in SERIES

    @property
    def tokens(self) -> int:
        """Places of a sample at which networks have activations: pixels, nodes or steps."""
        return {4: int(self.x.shape[2:].numel()), 3: int(self.x.shape[1])}.get(self.x.dim(), 1)

    def infinite(self) -> Tensor:
        """Return the NTK at infinite width, N×N.

        Raises:
            KernelError: If it is not finite.
        """
        kernel = self.kernel()
        if not bool(torch.isfinite(kernel).all()):
            raise KernelError(
                f"The infinite kernel of {FAMILIES[self.family].recorded} on {self.data} is not finite: scale the "
                "features down."
            )
        return kernel

    @property
    def is_classification(self) -> bool:
        """Whether targets are classes."""
        return not self.y.is_floating_point()

    @property
    def outputs(self) -> int:
        """Outputs of a network: one per class, or one."""
        return int(self.y.max()) + 1 if self.is_classification else 1

    def network(self, width: int, seed: int, outputs: int | None = None) -> nn.Module:
        """Build a network in float64, on the device of the samples."""
        built = self.build(width, self.outputs if outputs is None else outputs, seed)
        return built.to(self.x.device, torch.float64)

    def parameters(self, width: int) -> int:
        """Return the number of parameters of a network of one output."""
        return round(float(np.polyval(self._parameter_polynomial, width)))

    def pass_cost(self, width: int) -> float:
        """Return about how many multiplications a forward and a backward pass take; see ``Study.cost``."""
        return STEP + 3.0 * len(self) * self.tokens * self.parameters(width)

    def kernel_cost(self, width: int) -> float:
        """Return about how many multiplications the kernel of a network of one output takes."""
        return self.pass_cost(width) + float(len(self) ** 2 * self.parameters(width))

    @cached_property
    def _parameter_polynomial(self) -> np.ndarray:
        """Their number is a square polynomial of the width: through the counts at widths 1, 2 and 3."""
        counts = [sum(p.numel() for p in self.build(width, 1, 0).parameters()) for width in (1, 2, 3)]
        return np.polyfit([1, 2, 3], counts, 2)


Maker = Callable[[str, int, Path, str], Limit]
"""Makes a family on samples, from the name of the data, their number, the folder of images and the device."""
LAYERS: dict[str, list[Layer]] = {
    "mlp-1": fully_connected(1, "relu", 2**0.5, 0.1),
    "mlp-2": fully_connected(2, "relu", 2**0.5, 0.1),
    "cnn-flat": convolutional(2, "relu", 2**0.5, 0.1, stride=2),
    "cnn-pool": convolutional(2, "relu", 2**0.5, 0.1, stride=2, pooling=True),
}
GRAPH = GraphNetwork(2, 1, "degree", jumping=True, readout_std=0.1, readout_bias_std=0.1)
RECURRENT = RecurrentNetwork(1, "erf", "mean", weight_std=1.2, input_std=1.0, bias_std=0.1, readout_bias_std=0.1)
TRANSFORMER = TransformerNetwork(1, "tied", "relu", readout_bias_std=0.1)
SERIES = ("sine", "temperature")
POSITIONS = 4
"""Features that tell places of a sequence apart, for transformers: sines and cosines of two frequencies."""


def _layered(family: str) -> Maker:
    layers = LAYERS[family]

    def make(data: str, size: int, folder: Path, device: str) -> Limit:
        loaded = load(data, size, folder)
        x = loaded.x.to(device)

        def build(width: int, outputs: int, seed: int) -> nn.Module:
            return finite_network(layers, x.shape[1:], width, outputs, seed)

        return Limit(
            family, data, x, loaded.y.to(device), loaded.source, build, lambda: infinite_kernel(layers, x).ntk.cpu()
        )

    return make


def _graphs(data: str, size: int, folder: Path, device: str) -> Limit:
    """MUTAG, or the folder of a set in the TU format; the graphs are drawn with a fixed seed."""
    graph_set = tu_format.read(tu_format.mutag_folder() if data == "mutag" else Path(data))
    if size > len(graph_set.graphs):
        raise DataError(
            f"{graph_set.name} has {len(graph_set.graphs)} graphs, and {size} were asked for: take fewer `samples`."
        )
    rows = np.sort(np.random.default_rng(0).permutation(len(graph_set.graphs))[:size])
    graphs = graph_set.graphs.take(rows.tolist())
    packed = 8 * size * graphs.tokens * (graphs.width + graphs.tokens)
    check_fits(3 * packed, "Graphs, padded to the largest,", "fewer `samples` or smaller graphs")
    x, y = graphs.packed(GRAPH.aggregation).to(device), torch.from_numpy(graph_set.classes[rows]).to(device)

    def build(width: int, outputs: int, seed: int) -> nn.Module:
        return GRAPH.network(graphs.width, width, outputs, seed)

    is_users, digest = data != "mutag", graph_set.digest()
    source = f"{graph_set.name}, TU format" + (f", sha256 {digest}" if is_users else ", as shipped with grakel")
    # By content: a user's folder may change, or be named as another one, and ledgers go by the name.
    name = f"{graph_set.name.lower()}-{digest[:8]}" if is_users else data
    return Limit("gnn", name, x, y, source, build, lambda: GRAPH.kernel(graphs).ntk)


def _sequences(family: str, network: RecurrentNetwork | TransformerNetwork) -> Maker:

    def make(data: str, size: int, folder: Path, device: str) -> Limit:
        values, y, source = _digit_rows(size) if data == "digits" else _windows(data, size, folder)
        sequences = Sequences(with_positions(values) if isinstance(network, TransformerNetwork) else values)

        def build(width: int, outputs: int, seed: int) -> nn.Module:
            return network.network(sequences.features, width, outputs, seed)

        x = sequences.packed().to(device)
        return Limit(family, data, x, y.to(device), source, build, lambda: network.kernel(sequences).ntk)

    return make


def _windows(data: str, size: int, folder: Path) -> tuple[Tensor, Tensor, str]:
    series = load(data, size, folder)
    return series.x, (series.y - series.y.mean()) / series.y.std(), series.source


def _digit_rows(size: int) -> tuple[Tensor, Tensor, str]:
    """Digits as sequences of their 8 rows of 8 pixels, classes in turn."""
    from sklearn.datasets import load_digits

    from ntknas.studies.data import alternating

    digits = load_digits()
    if size > len(digits.target):
        raise DataError(f"digits has {len(digits.target)} samples, and {size} were asked for: take fewer `samples`.")
    rows = alternating(digits.target, size)
    pixels = (digits.images - digits.images.mean()) / digits.images.std()
    classes = torch.from_numpy(digits.target[rows].astype(np.int64))
    return torch.from_numpy(pixels[rows]), classes, "8×8 digits of scikit-learn, a row of pixels a step"


def with_positions(values: Tensor) -> Tensor:
    """Return sequences N×T×D with features that tell their steps apart, N×T×(D + 4)."""
    steps = torch.arange(values.shape[1], dtype=values.dtype) / values.shape[1]
    angles = [2 * torch.pi * frequency * steps for frequency in range(1, POSITIONS // 2 + 1)]
    codes = torch.stack([wave for angle in angles for wave in (angle.sin(), angle.cos())], 1)
    return torch.cat([values, codes.expand(len(values), -1, -1)], 2)


LIMITS: dict[str, Maker] = {
    **{family: _layered(family) for family in LAYERS},
    "gnn": _graphs,
    "rnn": _sequences("rnn", RECURRENT),
    "transformer-tied": _sequences("transformer-tied", TRANSFORMER),
}
"""Keys are those of ``FAMILIES``."""
_CHOICES: dict[str, object] = {**LAYERS, "gnn": GRAPH, "rnn": RECURRENT, "transformer-tied": TRANSFORMER}


def choices_of(family: str) -> str:
    """Return every number of a family's networks, as text that identifies them."""
    return repr(_CHOICES[family])


def limit(family: str, data: str | None, size: int, folder: Path = Path("image_data"), device: str = "cpu") -> Limit:
    """Make a family on samples.

    Args:
        family: A key of ``LIMITS``.
        data: Name of the data, or for graphs a folder in the TU format; the family's own without it.
        size: Number of samples.
        folder: Folder of downloaded images.
        device: Where to compute.

    Returns:
        The family on these samples.

    Raises:
        ChoiceError: If a name is unknown.
        DataError: If the data cannot be read, or has fewer samples.
    """
    check_known("family of networks", family, LIMITS)
    names, recorded = FAMILIES[family].data, FAMILIES[family].recorded
    name = data or names[0]
    if name not in names and not (family == "gnn" and Path(name).is_dir()):
        also = ", or a folder of graphs in the TU format" if family == "gnn" else ""
        raise ChoiceError(f"Unknown data of {recorded} '{name}': expected one of {', '.join(names)}{also}.")
    if size < 2:
        raise ChoiceError(f"At least two samples are needed, got {size}.")
    return LIMITS[family](name, size, folder, device)
