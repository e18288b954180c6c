"""Figures: that every kind is drawn, what the drawings hold, and that files are whole or not there."""

import errno

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

from ntknas.core.errors import NtknasError
from ntknas.report import plotter
from ntknas.report.figures import (
    BarGroup,
    Bars,
    DotGrid,
    DotPanel,
    DotSeries,
    FrontPanel,
    Fronts,
    HeatMap,
    HeatMaps,
    KernelStrip,
    KernelView,
    Line,
    LineGrid,
    LinePanel,
    Matrix,
    Panel,
    ScatterGrid,
)

VALUES = np.array([0.3, np.nan, -0.2])
EPOCHS = np.array([0.0, 1, 5])
LINES = [Line("a", EPOCHS, VALUES, VALUES - 0.1, VALUES + 0.1), Line("b", EPOCHS, -VALUES, muted=True)]
LINE = np.array([[0.0, 1], [0, 2], [3, 2]])
FIGURES = {
    "bars": Bars("t", "x", ["a", "b", "c"], [BarGroup("g", VALUES, VALUES - 0.1, VALUES + 0.1, 0.9)], frozenset({"c"})),
    "scatter": ScatterGrid(
        "t",
        "y",
        [
            Panel("log", np.array([1.0, 1e4]), np.array([1.0, 2]), "x", "note", "log"),
            Panel("negative log", np.array([-1.0, -1e4]), np.array([1.0, 2]), "x", x_scale="negative log"),
            Panel("linear", np.array([-1.0, 1]), np.array([1.0, 2]), "x"),
            Panel("none", np.array([]), np.array([]), "x"),
            Panel("rank", np.array([1.0, 2, 1e9]), np.array([1.0, 2, 3]), "x", x_scale="rank"),
            Panel("next row", np.array([1.0]), np.array([1.0]), "x"),
        ],
    ),
    "dots": DotGrid(
        "t", "x", ["a", "b", "c"], [DotPanel("p", [DotSeries("s", VALUES, VALUES - 0.1, VALUES + 0.1)], 0.2)]
    ),
    "lines": LineGrid("t", "x", "y", [LinePanel("p", LINES, 0.0), LinePanel("q", LINES, y_scale="log")], "symlog"),
    "kernel": KernelView("t", np.eye(4), np.array([1, 0, 1, 0]), np.array([3.0, 1, 1e-12, -1e-15]), 1e-11),
    "kernel without labels": KernelView("t", np.zeros((3, 3)), None, np.zeros(3), 0.0),
    "strip": KernelStrip("t", ["one", "two"], [np.eye(3), np.ones((3, 3))], np.array([1, 0, 1]), "K"),
    "heat maps": HeatMaps("t", "x", ["r", "s"], ["u", "v"], [HeatMap("m", np.array([[1.0, 0], [9, np.nan]]))], "n"),
    "fronts": Fronts(
        "t",
        "x",
        "y",
        np.array([[0.0, 1], [2, 2]]),
        LINE,
        [FrontPanel(name, "note", LINE[:1], LINE, LINE - 1, LINE + 1) for name in "abcde"],
        (0.0, 4.0),
        (0.0, 3.0),
    ),
    "matrix": Matrix("t", ["r"], ["u", "v"], np.array([[0.9, np.nan]])),
}


@pytest.mark.parametrize("name", list(FIGURES))
def test_every_figure_is_drawn_and_pyplot_knows_none(tmp_path, name):
    path = plotter.draw(FIGURES[name], tmp_path / "deep" / "figure.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 1000
    assert not pyplot.get_fignums()


@pytest.mark.parametrize(("ending", "beginning"), [("pdf", b"%PDF"), ("svg", b"<?xml"), ("", b"\x89PNG")])
def test_the_ending_decides_the_format(tmp_path, ending, beginning):
    path = plotter.draw(FIGURES["matrix"], tmp_path / f"figure{ending and '.'}{ending}")
    assert path.read_bytes().startswith(beginning)
    assert path.suffix == f".{ending or 'png'}"


def test_a_rendered_figure_keeps_its_style_and_saves_what_draw_saves(tmp_path):
    figure = plotter.render(FIGURES["lines"])
    assert isinstance(figure, Figure)
    sizes = {label.get_fontsize() for axes in figure.axes for label in axes.get_yticklabels()}
    assert sizes == {9.0}
    figure.savefig(tmp_path / "shown.png", dpi=130)
    drawn = plotter.draw(FIGURES["lines"], tmp_path / "drawn.png")
    np.testing.assert_array_equal(pyplot.imread(tmp_path / "shown.png"), pyplot.imread(drawn))


def test_the_heat_map_is_sorted_by_class():
    matrix = np.arange(16.0).reshape(4, 4)
    figure = plotter.render(KernelView("t", matrix, np.array([1, 0, 1, 0]), np.ones(4), 0.0))
    shown = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(shown, matrix[np.ix_([1, 3, 0, 2], [1, 3, 0, 2])])
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["0", "1"]


def test_bars_have_the_lengths_of_their_values():
    figure = plotter.render(FIGURES["bars"])
    assert [patch.get_width() for patch in figure.axes[0].patches] == [0.3, 0.0, -0.2]


def test_curves_have_one_colour_in_every_panel_and_one_legend():
    figure = plotter.render(FIGURES["lines"])
    colours = [[line.get_color() for line in axes.get_lines()[:2]] for axes in figure.axes]
    assert colours[0] == colours[1]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_a_picture_that_cannot_be_written(tmp_path):
    with pytest.raises(NtknasError, match="Use .png"):
        plotter.draw(FIGURES["bars"], tmp_path / "figure.xyz")
    (tmp_path / "file").write_text("")
    with pytest.raises(NtknasError, match="Cannot write the picture"):
        plotter.draw(FIGURES["bars"], tmp_path / "file" / "figure.png")


def test_a_picture_cut_short_by_a_full_disk_leaves_the_one_before(tmp_path, monkeypatch):
    path = plotter.draw(FIGURES["matrix"], tmp_path / "figure.png")
    before = path.read_bytes()
    whole = Figure.savefig

    def cut_short(figure, place, **options):
        whole(figure, place, **options)
        place.write_bytes(place.read_bytes()[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", cut_short)
    with pytest.raises(NtknasError, match=r"Cannot write the picture .*figure.png: No space left on device"):
        plotter.draw(FIGURES["bars"], path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
