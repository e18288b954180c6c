"""A kernel in words: which one it is, and the measures that its spectrum decides."""

from __future__ import annotations

from ntknas.core.choices import Choices
from ntknas.core.kernel import Kernel
from ntknas.core.score import Score
from ntknas.measures import measure

OF_SPECTRUM = ("trace", "fro", "lambda_max", "lambda_min", "cond", "logdet", "effective_rank")
"""Measures that the eigenvalues decide alone."""
OUTPUTS = {
    "sum": "the summed outputs",
    "traced": "all outputs, traced",
    "label": "the own class's output",
    "features": "the pooled features",
    "full": "every output",
}
_MAX_NAMED = 3
"""Parameters of one's own choice that are few enough to be named."""


def of_spectrum(kernel: Kernel) -> tuple[Score, ...]:
    """Return the measures that the spectrum of a kernel decides, or why they have no value."""
    return tuple(measure(name, kernel) for name in OF_SPECTRUM)


def kernel_in_words(kernel: Kernel) -> str:
    """Return which kernel it is and of how many samples."""
    choices = kernel.choices
    words = [
        f"kernel of {OUTPUTS[choices.output]}",
        f"{choices.batch_norm} batch norm",
        f"parameters: {_parameters(choices)}",
        f"{choices.precision} rows",
    ]
    if choices.normalisation != "none":
        words.append(f"{choices.normalisation}-normalised")
    if choices.attack is not None:
        words.append(f"{choices.rows.text} by {choices.perturb}")
    return f"{kernel.samples:,} samples; {', '.join(words)}"


def _parameters(choices: Choices) -> str:
    if isinstance(choices.parameters, str):
        return choices.parameters
    names = choices.parameters
    return ", ".join(names) if len(names) <= _MAX_NAMED else f"{len(names)} by name"
