import errno

import numpy as np
import pytest

from ntknas.core.errors import NtknasError
from ntknas.report import plotter
from ntknas.report.figures import BarGroup, Bars, KernelView, Panel, ScatterGrid

VALUES = np.array([0.3, np.nan, -0.2])
FIGURES = {
    "bars": Bars("t", "x", ["a", "b", "c"], [BarGroup("g", VALUES, VALUES - 0.1, VALUES + 0.1, 0.9)], frozenset({"c"})),
    "scatter": ScatterGrid(
        "t",
        "y",
        [
            Panel("log", np.array([1.0, 1e4]), np.array([1.0, 2]), "x", "note"),
            Panel("negative log", np.array([-1.0, -1e4]), np.array([1.0, 2]), "x"),
            Panel("linear", np.array([-1.0, 1]), np.array([1.0, 2]), "x"),
            Panel("none", np.array([]), np.array([]), "x"),
            Panel("next row", np.array([1.0]), np.array([1.0]), "x"),
        ],
    ),
    "kernel": KernelView("t", np.eye(4), np.array([1, 0, 1, 0]), np.array([3.0, 1, 1e-12, -1e-15]), 1e-11),
    "kernel without labels": KernelView("t", np.zeros((3, 3)), None, np.zeros(3), 0.0),
}


@pytest.mark.parametrize("name", list(FIGURES))
@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_every_figure_is_drawn_and_no_canvas_stays_open(tmp_path, name, ending):
    path = plotter.draw(FIGURES[name], tmp_path / "deep" / f"figure.{ending}")
    assert path.stat().st_size > 1000
    assert not plotter.plt.get_fignums()


def test_the_heat_map_is_sorted_by_class():
    matrix = np.arange(16.0).reshape(4, 4)
    canvas = plotter._canvas(KernelView("t", matrix, np.array([1, 0, 1, 0]), np.ones(4), 0.0))
    shown = canvas.axes[0].images[0].get_array()
    np.testing.assert_array_equal(shown, matrix[np.ix_([1, 3, 0, 2], [1, 3, 0, 2])])
    assert [label.get_text() for label in canvas.axes[0].get_xticklabels()] == ["0", "1"]
    plotter.plt.close(canvas)


def test_bars_have_the_lengths_of_their_values():
    canvas = plotter._canvas(FIGURES["bars"])
    assert [patch.get_width() for patch in canvas.axes[0].patches] == [0.3, 0.0, -0.2]
    plotter.plt.close(canvas)


def test_a_picture_that_cannot_be_written(tmp_path):
    with pytest.raises(NtknasError, match="Use .png"):
        plotter.draw(FIGURES["bars"], tmp_path / "figure.xyz")
    (tmp_path / "file").write_text("")
    with pytest.raises(NtknasError, match="Cannot write the picture"):
        plotter.draw(FIGURES["bars"], tmp_path / "file" / "figure.png")


def test_a_picture_cut_short_by_a_full_disk_leaves_the_one_before(tmp_path, monkeypatch):
    path = plotter.draw(FIGURES["bars"], tmp_path / "figure.png")
    before = path.read_bytes()
    whole = plotter.Canvas.savefig

    def cut_short(canvas, place, **options):
        whole(canvas, place, **options)
        place.write_bytes(place.read_bytes()[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(plotter.Canvas, "savefig", cut_short)
    with pytest.raises(NtknasError, match=r"Cannot write the picture .*figure.png: No space left on device"):
        plotter.draw(FIGURES["scatter"], path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
