"""``plot()`` of results: matplotlib's figure, for which nobody imports pyplot or chooses a backend."""

import os
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

import ntknas
from ntknas.core.errors import ChoiceError, KernelError
from ntknas.core.score import Status
from ntknas.report.figures import BarGroup, Bars
from ntknas.studies.base import Findings
from ntknas.tracking import Track
from tests.shown import gallery

BARS = Bars("bars", "x", ["a"], [BarGroup("g", np.ones(1), np.zeros(1), np.full(1, 2.0))])
OURS = ("kernel", "correlation", "overview", "trade-offs", "tracks", "track", "search result", "explanation")
SAY = """
import sys, matplotlib
print('matplotlib.pyplot' in sys.modules, dict.__getitem__(matplotlib.rcParams, 'backend'))
"""


@pytest.mark.parametrize("name", [*OURS, "explanation of a cell"])
def test_a_result_is_drawn(name):
    figure = gallery.MADE[name]().plot()
    assert isinstance(figure, Figure)
    assert figure.axes
    assert figure._repr_png_()[:8] == b"\x89PNG\r\n\x1a\n"


def test_the_style_decides_its_width():
    widths = [gallery.correlated().plot(style=style).get_figwidth() for style in ("screen", "paper")]
    assert widths[1] < widths[0]


def test_an_unknown_style_is_refused():
    with pytest.raises(ChoiceError, match=r"Unknown style of pictures 'papr'.*Did you mean 'paper'"):
        gallery.kernel().plot(style="papr")


def test_a_study_is_drawn_by_the_name_of_its_figure():
    found = Findings(gallery.findings().table, {"first": BARS, "second": BARS}, gallery.findings().verdict)
    assert isinstance(found.plot(), Figure)
    assert isinstance(found.plot("second"), Figure)
    with pytest.raises(ChoiceError, match="Unknown figure 'third': expected one of first, second"):
        found.plot("third")
    with pytest.raises(ChoiceError, match="no figure"):
        gallery.findings().plot()


def test_what_cannot_be_drawn_says_so():
    with pytest.raises(KernelError, match="A picture needs a kernel of one batch with itself"):
        gallery.MADE["kernel between two batches"]().plot()
    track = gallery.track()
    empty = Track(track.identity, track.frame.iloc[:0], *(np.empty(0, int),) * 3, status=Status.OOM)
    with pytest.raises(ChoiceError, match=r"Nothing was recorded of this network \(oom\)"):
        empty.plot()


@pytest.mark.parametrize("backend", [None, "svg"])
def test_neither_import_nor_plot_touches_pyplot_or_the_backend(backend):
    lines = ["import ntknas", SAY, "import ntknas.figures", SAY, "from tests.shown import gallery"]
    lines += [f"gallery.MADE[{name!r}]().plot()\n{SAY}" for name in OURS]
    own = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    own |= {} if backend is None else {"MPLBACKEND": backend}
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], env=own, capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    assert len(said) == 2 + len(OURS)
    assert len(set(said)) == 1
    assert said[0].startswith("False ")
    assert backend is None or said[0] == f"False {backend}"


def test_pyplot_would_be_seen():
    code = f"import matplotlib.pyplot\n{SAY}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("True ")


def test_the_figures_of_the_library_are_all_there():
    assert {"explanation", "search", "study", "track"} <= set(ntknas.figures.__all__)
