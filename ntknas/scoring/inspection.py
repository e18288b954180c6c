"""One kernel with its measures: of a cell, or of a user's own network."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from ntknas.core.choices import Choices
from ntknas.core.errors import DataError, KernelError, NtknasError
from ntknas.core.kernel import Kernel
from ntknas.core.layer_kernel import LayerKernel
from ntknas.core.pixel_range import PixelRange
from ntknas.core.score import NoValueError, Score
from ntknas.data.probe import Probe
from ntknas.kernels import Batch, Method, compute_perturbed_kernel
from ntknas.kernels.preparation import checked_batches, converted, in_precision
from ntknas.measures import Need, get_measure, layer_options, measure
from ntknas.models import ModelOptions
from ntknas.models.library import FAULTS, first_line
from ntknas.models.own_file import folder_of
from ntknas.scoring.cell_kernel import DTYPES, cell_network, prepare_images
from ntknas.scoring.named_model import named_case
from ntknas.scoring.recipe import Recipe
from ntknas.spaces import Space, is_own


@dataclass(frozen=True, eq=False)
class Inspection:
    """A kernel, what it is of, and its measures.

    Attributes:
        heading: What it is of, in a few words.
        description: The same in full: cell or model, and inputs.
        kernel: The kernel.
        scores: Its measures.
        seconds: What network and kernel took.
        network: The network itself, for whoever wants to know more of it.
        batch: What the kernel was taken on; under an attack, before it.
        disconnected: Whether it is of a cell without a path from input to output.
        words: What was named and what it was given, a few words each; nothing for a cell.
    """

    heading: str
    description: dict[str, object]
    kernel: Kernel
    scores: list[Score]
    seconds: float
    network: nn.Module
    batch: Batch
    disconnected: bool = False
    words: Sequence[str] = ()

    def as_json(self) -> dict[str, object]:
        """Return everything, ready for JSON; the matrix only if all its entries are numbers."""
        kernel = self.kernel
        return {
            **self.description,
            "choices": kernel.choices.as_dict(),
            "strategy": kernel.strategy,
            "seconds": self.seconds,
            "measures": [
                {"measure": score.measure, "value": score.value, "status": score.status.value, "reason": score.reason}
                for score in self.scores
            ],
            "spectrum": kernel.spectrum.tolist() if kernel.is_finite else None,
            "matrix": kernel.matrix.tolist() if kernel.is_finite else None,
            **({} if kernel.layers is None else {"layers": [vars(layer) for layer in layer_figures(kernel)]}),
        }


@dataclass(frozen=True)
class LayerFigures:
    """What is said of a layer.

    Attributes:
        name: Its path in the network.
        kind: Name of its class.
        parameters: Its parameters that are meant.
        trace: tr K_l.
        effective_rank: That of K_l; ``None`` where it adds nothing.
        cond: Condition number of K_l; ``None`` where it is singular.
    """

    name: str
    kind: str
    parameters: int
    trace: float | None
    effective_rank: float | None
    cond: float | None


def layer_figures(kernel: Kernel) -> list[LayerFigures]:
    """Return what is said of each layer of a kernel; nothing where it has none."""

    def value(name: str, layer: LayerKernel) -> float | None:
        return measure(name, layer.kernel).value

    return [
        LayerFigures(
            layer.name,
            layer.kind,
            layer.columns,
            *(value(name, layer) for name in ("trace", "effective_rank", "cond")),
        )
        for layer in kernel.layers or ()
    ]


def inspect_cell(
    space: Space,
    cell: int,
    *,
    recipe: Recipe,
    probe: Probe,
    dataset: str,
    seed: int,
    device: torch.device,
    by_layer: bool = False,
) -> Inspection:
    """Compute the kernel of a cell and its measures.

    Args:
        space: The space.
        cell: Index of the cell.
        recipe: Choices, network options and measures.
        probe: The probe.
        dataset: Data set that the network is built for.
        seed: Seed of the weights.
        device: Where to compute.
        by_layer: Whether to keep apart what each layer adds.

    Returns:
        The kernel and its measures.

    Raises:
        NtknasError: If the choices are impossible for such networks.
    """
    images = prepare_images(probe.images, device, recipe.choices.precision)
    start = time.perf_counter()
    network = cell_network(space, cell, seed, dataset, recipe.network, images)
    method = _method(recipe, verify=not is_own(space), by_layer=by_layer)
    batch = Batch(images, probe.labels)
    kernel = _attacked_or_not(network, batch, recipe.choices, probe.pixel_range, method, seed)
    seconds = time.perf_counter() - start
    disconnected = space.is_disconnected(space[cell])
    description: dict[str, object] = {
        "cell": cell,
        "architecture": str(space[cell]),
        "disconnected": disconnected,
        "probe": probe.describe(),
    }
    scores = measures_of(kernel, recipe.measures)
    return Inspection(f"{space.name} cell {cell}", description, kernel, scores, seconds, network, batch, disconnected)


def inspect_model(
    reference: str,
    *,
    recipe: Recipe,
    draw_probe: Callable[[], Probe],
    device: torch.device,
    verify: bool = True,
    options: ModelOptions | None = None,
    by_layer: bool = False,
) -> Inspection:
    """Compute the kernel of a network that is named, and its measures.

    Args:
        reference: ``FILE.py:function``, which is run, or ``timm:NAME``, ``torchvision:NAME``, ``hf:TYPE``.
        recipe: Choices and measures.
        draw_probe: Draws the probe to take where the function returns no inputs.
        device: Where to compute.
        verify: Whether to prove the kernel.
        options: Weights, checkpoint, classes, size of images, seed.
        by_layer: Whether to keep apart what each layer adds.

    Returns:
        The kernel and its measures.

    Raises:
        DataError: If the network cannot be made, or fails on these inputs.
        KernelError: If the kernel is not defined for it, or inputs of its own are to be attacked.
        NtknasError: If something else is impossible.
    """
    asked = options or ModelOptions()
    case = named_case(reference, asked, draw_probe)
    if case.has_own_inputs and recipe.choices.attack:
        raise KernelError(
            "`perturb` moves pixels from 0 to 1, and nothing says where they lie in inputs of your own: return the "
            "module alone for the probe's images, or call ntknas.perturbed_ntk with `black` and `white`."
        )
    dtype = DTYPES[recipe.choices.precision]
    x = in_precision(case.x, device, dtype)
    start = time.perf_counter()
    try:
        with folder_of(case.reference):
            network, (batch,) = converted(case.network, device, dtype), checked_batches(x, labels=case.labels)
            method = _method(recipe, verify=verify, by_layer=by_layer)
            kernel = _attacked_or_not(network, batch, recipe.choices, case.pixel_range, method, asked.seed)
    except NtknasError:
        raise
    except FAULTS as error:
        raise DataError(
            f"{reference} fails on inputs of shape {tuple(x.shape)}: {first_line(error)}. {case.remedy}"
        ) from error
    seconds = time.perf_counter() - start
    scores = measures_of(kernel, recipe.measures)
    words = (case.words, f"{kernel.outputs} {'output' if kernel.outputs == 1 else 'outputs'}")
    return Inspection(reference, case.description, kernel, scores, seconds, network, batch, words=words)


def _method(recipe: Recipe, *, verify: bool, by_layer: bool) -> Method:
    needed = layer_options(recipe.measures)
    return Method(verify=verify, by_layer=by_layer or needed["by_layer"], layer_inputs=needed["layer_inputs"])


def _attacked_or_not(
    network: nn.Module, batch: Batch, choices: Choices, pixel_range: PixelRange | None, method: Method, seed: int = 0
) -> Kernel:
    try:
        return compute_perturbed_kernel(network, batch, choices, pixel_range, method, seed)
    except NoValueError as error:
        raise KernelError(f"There is no kernel under attack: {error}.") from error


def measures_of(kernel: Kernel, names: tuple[str, ...]) -> list[Score]:
    """Take the measures that are defined for a kernel's output reduction, and without labels those that need none."""
    definitions = [get_measure(name) for name in names]
    unlabelled = kernel.labels is None
    return [
        measure(definition.name, kernel)
        for definition in definitions
        if (not definition.outputs or kernel.choices.output in definition.outputs)
        and not (unlabelled and Need.LABELS in definition.needs)
    ]
