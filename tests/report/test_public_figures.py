"""The figures of the library: matplotlib's own, drawn without a backend of ours."""

import subprocess
import sys

import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

import ntknas
from ntknas.core.errors import ChoiceError, KernelError


def _kernel(scale=1.0):
    network = nn.Linear(3, 2)
    nn.init.constant_(network.weight, scale)
    return ntknas.empirical_ntk(network, scale * torch.eye(3), parameters="all", labels=torch.tensor([0, 1, 1]))


def test_a_kernel(tmp_path):
    figure = ntknas.figures.kernel(_kernel(), "mine")
    assert isinstance(figure, Figure)
    assert len(figure.axes) >= 2
    figure.savefig(tmp_path / "kernel.png")
    assert (tmp_path / "kernel.png").stat().st_size > 5_000


def test_a_kernel_that_is_no_number_is_refused():
    with pytest.raises(KernelError, match="nothing to draw"):
        ntknas.figures.kernel(_kernel(float("inf")))


def test_correlations():
    cells = range(30)
    rows = [{"cell": cell, "seed": 0, "setting": "s", "measure": "mine", "value": float(cell % 7)} for cell in cells]
    scores = pd.DataFrame(rows).assign(status="ok", seconds=1.0)
    result = ntknas.correlate(scores, pd.Series({cell: float(cell) for cell in cells}, name="made"), resamples=200)
    assert isinstance(ntknas.figures.correlations(result), Figure)
    assert isinstance(ntknas.figures.scatter(result, "made"), Figure)
    assert ntknas.figures.over_epochs(result, "made") is None
    for figure in (ntknas.figures.scatter, ntknas.figures.over_epochs):
        with pytest.raises(ChoiceError, match="Unknown target 'other'"):
            figure(result, "other")


def test_the_package_imports_none_of_it():
    code = "import sys, ntknas; print([name for name in ('torch', 'matplotlib', 'pandas') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert "figures" in dir(ntknas)
