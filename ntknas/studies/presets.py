"""Published settings of the studies, and quick ones that end within a minute on two cores."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """Numbers of a study over widths.

    Attributes:
        data: The data.
        samples: Number of samples.
        widths: The widths.
        repeats: Initialisations of each.
        steps: Steps of training, where there is one.
        learning_rate: η, where there is one.
    """

    data: str
    samples: int
    widths: tuple[int, ...]
    repeats: int
    steps: int
    learning_rate: float


_MLP = (50, 100, 250, 500, 1000, 2500, 5000, 10_000)
_MLP_IN_FILE_ORDER = (50, 100, 500, 1000, 5000, 10_000, 50_000, 100_000)
_MNIST = (250, 500, 1000, 2500, 5000)
_CNN = (16, 32, 64, 128, 256, 512)
_TRANSFORMER = (64, 128, 256, 512, 1024)

PUBLISHED = {
    ("mlp", "boston"): Preset("boston", 500, _MLP, 50, 50, 1e-4),
    ("mlp", "boston-file-order"): Preset("boston-file-order", 100, _MLP_IN_FILE_ORDER, 50, 50, 1e-4),
    ("mlp", "mnist"): Preset("mnist", 35, _MNIST, 50, 20, 1e-5),
    ("cnn", "mnist"): Preset("mnist", 35, _CNN, 50, 10, 1e-5),
    ("transformer", "sine"): Preset("sine", 100, _TRANSFORMER, 50, 50, 1e-4),
    ("transformer-wide", "sine"): Preset("sine", 100, _TRANSFORMER, 50, 50, 1e-4),
    ("transformer", "temperature"): Preset("temperature", 100, _TRANSFORMER, 50, 50, 1e-4),
}
QUICK = {
    ("mlp", "boston"): Preset("boston", 60, (64, 256, 1024), 6, 10, 1e-3),
    ("mlp", "boston-file-order"): Preset("boston-file-order", 60, (64, 256, 1024), 6, 10, 1e-3),
    ("mlp", "mnist"): Preset("mnist", 20, (64, 256, 1024), 6, 10, 1e-4),
    ("cnn", "mnist"): Preset("mnist", 10, (8, 16, 32), 6, 5, 1e-4),
    ("transformer", "sine"): Preset("sine", 20, (16, 32, 64), 6, 10, 1e-3),
    ("transformer-wide", "sine"): Preset("sine", 20, (16, 32, 64), 6, 10, 1e-3),
    ("transformer", "temperature"): Preset("temperature", 20, (16, 32, 64), 6, 10, 1e-3),
}
