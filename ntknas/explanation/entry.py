"""``ntknas.explain``: a cell by index or text, or a network of one's own."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from ntknas.benchmarks import FOLDER
from ntknas.core.errors import KernelError
from ntknas.data.probe import Probe
from ntknas.explanation.explaining import Beside, Explained, LeftOut, explain_cell, layers_of
from ntknas.explanation.result import Explanation, MeasureRow, Spectrum
from ntknas.explanation.words import kernel_words
from ntknas.kernels import Batch, Method, compute_kernel
from ntknas.kernels.preparation import checked_batches
from ntknas.measures import get_measure
from ntknas.scoring.environment import resolve_device
from ntknas.scoring.inputs import inputs_of
from ntknas.scoring.inspection import Inspection, measures_of
from ntknas.scoring.recipe import Recipe
from ntknas.spaces import Space


def explain(
    subject: int | str | nn.Module,
    space: Space | str = "nb201",
    *,
    x: Tensor | None = None,
    labels: Tensor | None = None,
    recipe: Recipe | str | None = None,
    probe: Probe | str | None = None,
    dataset: str = "cifar10",
    seed: int = 0,
    device: str = "cpu",
    published: str | None = None,
    way: str | None = None,
    spectra: Path | str | None = None,
    score: str | None = None,
    bench: str | None = None,
    target: str | None = None,
    bench_data: Path | str = FOLDER,
) -> Explanation:
    """Say what the kernel of a cell is made of, and where the cell stands among all others of its space.

    Of a network of one's own there are its measures, the shares of its layers and its spectrum.

    Args:
        subject: A cell, by index or architecture string, or a network.
        space: The cell's space, or its name.
        x: Inputs of a network of one's own.
        labels: Their classes, for measures that use labels.
        recipe: Choices, network options and measures, or the name of a recipe.
        probe: Images for a cell's network, or the name of their source; the data set's own without any.
        dataset: Data set that the network is built for, and whose accuracies are shown.
        seed: Seed of the cell's weights.
        device: Where to compute: ``cpu``, ``cuda``, ``auto``.
        published: Name or folder of published scores; those of the space that come with the package without one.
        way: Way of measuring of these; without one that of the kernel that is computed, where there is one.
        spectra: Folder of published spectra; without one they are looked for as by ``Release.spectra``.
        score: Published measure that neighbours are compared by.
        bench: Name of the benchmark; the space's own without one.
        target: Target that the best and the median cell and neighbours are by, such as ``cifar10-valid/valid/200``.
        bench_data: Folder of imported tables.

    Returns:
        The explanation; what is not at hand is left out, and its ``left_out`` says why.

    Raises:
        KernelError: If a network comes without inputs, or its kernel is not defined.
        NtknasError: If there is no such cell, or something that was named is not there.

    Example:
        >>> import torch
        >>> _ = torch.manual_seed(0)
        >>> network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
        >>> [layer.name for layer in explain(network, x=torch.randn(5, 3)).layers]
        ['0', '2']
    """
    if isinstance(subject, nn.Module):
        if x is None:
            raise KernelError("The kernel of a network is of inputs: pass `x`.")
        (batch,) = checked_batches(x, labels=labels)
        return explain_inspection(_inspected(subject, batch, recipe))
    given = inputs_of(space, [subject], recipe=recipe, probe=probe, dataset=dataset, seeds=[seed])
    job = given.job
    explained = Explained(job.space, given.cells[0], job.recipe, job.probe, dataset, seed, resolve_device(device))
    folder = None if spectra is None else Path(spectra)
    return explain_cell(explained, Beside(published, way, folder, score, bench, target, Path(bench_data)))


def explain_inspection(inspection: Inspection) -> Explanation:
    """Explain a network of one's own whose kernel was computed.

    Args:
        inspection: The kernel and its measures.

    Returns:
        The explanation.
    """
    kernel, left_out = inspection.kernel, LeftOut()
    layers = layers_of(inspection, left_out)
    measures = [(get_measure(score.measure), score) for score in inspection.scores]
    words = "; ".join([*inspection.words, f"inputs {'x'.join(map(str, inspection.batch.x.shape))}"])
    network = inspection.description.get("network")
    return Explanation(
        heading=inspection.heading,
        text="",
        setting=f"{kernel_words(kernel)}; {words}",
        kernel=kernel,
        measures=[MeasureRow(each.name, each.formula, each.higher_is_better, score, None) for each, score in measures],
        layers=layers,
        spectra=[Spectrum("this network", None, kernel.spectrum.numpy(), False)] if kernel.is_finite else [],
        left_out=left_out.reasons,
        network=network if isinstance(network, dict) else None,
    )


def _inspected(network: nn.Module, batch: Batch, recipe: Recipe | str | None) -> Inspection:
    if isinstance(recipe, str):
        raise KernelError("A recipe by name is of cells: pass a Recipe with the choices that are meant.")
    meant = recipe or Recipe()
    method = Method(by_layer=meant.choices.normalisation == "none")
    kernel = compute_kernel(network, [batch], meant.choices, method)
    heading = type(network).__name__
    return Inspection(heading, {"model": heading}, kernel, measures_of(kernel, meant.measures), 0.0, network, batch)
