"""Words for what pictures show: networks, their layers and data, by the names that results are recorded under."""

from __future__ import annotations

from ntknas.studies.families import ALL, FAMILIES
from ntknas.studies.subject import Subject

KINDS = {
    "dense": "fully connected network",
    "convolutional": "convolutional network",
    "graph": "graph network",
    "recurrent": "recurrent network",
    "attention": "transformer",
}
SCALINGS = {"ntk": "NTK", "standard": "standard", "normal-fan-in": "normal fan-in"}
DATA = {
    "boston": "Boston housing",
    "boston-file-order": "Boston housing, in the order of the file",
    "mnist": "MNIST",
    "mutag": "MUTAG",
    "sine": "a noisy sine, in windows of ten steps",
    "temperature": "sea-surface temperatures, in windows of ten months",
    "digits": "8×8 digits",
}
"""Data by name; those of users go by their own."""
LAYERS = {
    "mlp-2": {"1": "hidden layer 1", "3": "hidden layer 2", "5": "output layer"},
    "cnn-flat": {"0": "convolution 1", "2": "convolution 2", "5": "output layer"},
    "gnn": {
        "blocks.0.0": "block 1",
        "blocks.1.0": "block 2",
        "readouts.0": "readout of features",
        "readouts.1": "readout of block 1",
        "readouts.2": "readout of block 2",
    },
    "rnn": {"inputs.0": "input weights", "recurrent.0": "recurrent weights", "readout": "output layer"},
    "transformer-tied": {
        "encoders.0.projections.0": "attention, tied",
        "encoders.0.feed.0": "feed-forward 1",
        "encoders.0.feed.1": "feed-forward 2",
        "readout": "output layer",
    },
}
"""Layers of each family by the names of their modules, from input to output."""


def kind_of(family: str) -> str:
    """Return what kind of network a family is, as ``transformer``."""
    return KINDS[FAMILIES[family].kind]


def networks_of(subject: Subject) -> str:
    """Return a subject's networks in words, with their layers and parametrisation."""
    scaling = f"{SCALINGS[subject.parametrisation]} parametrisation"
    if subject.family == ALL:
        return f"networks in {scaling}"
    return f"{kind_of(subject.family)} ({subject.networks.text}) in {scaling}"


def data_of(name: str) -> str:
    """Return data in words."""
    return DATA.get(name, name)


def setting_of(subject: Subject, *details: str, data: str | None = None) -> str:
    """Return with what a study was made, as a sentence to stand under its pictures.

    Args:
        subject: Which networks, on which data.
        *details: What else decides the numbers.
        data: The data in words, where they are not the subject's.
    """
    samples = f"{subject.samples:,} samples of {data or data_of(subject.data)}"
    parts = [networks_of(subject), samples, *details, f"seed {subject.seed}"]
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def counted(number: int, what: str) -> str:
    """Return how many of something there are.

    Example:
        >>> counted(1, "initialisation"), counted(1200, "step")
        ('1 initialisation', '1,200 steps')
    """
    return f"{number:,} {what}{'s' * (number != 1)}"
