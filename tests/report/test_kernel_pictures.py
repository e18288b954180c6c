"""Pictures of kernels: colours that say signs, limits that no single entry decides, classes and measures with names."""

import numpy as np
import pytest
import torch

from ntknas import empirical_ntk
from ntknas.measures import measure
from ntknas.report import plotter
from ntknas.report.drawers.canvas import DIVERGING, SEQUENTIAL
from ntknas.report.drawers.colour_scale import scale_of
from ntknas.report.drawers.kernels import scientific
from ntknas.report.figures import HeatMap, HeatMaps, KernelStrip, KernelView
from ntknas.report.kernel_words import OF_SPECTRUM
from ntknas.report.look import PAPER, SCREEN

GENERATOR = np.random.default_rng(0)
SIGNED = GENERATOR.standard_normal((20, 20))
POSITIVE = 1 + GENERATOR.random((20, 20))
BRIGHT = POSITIVE + 1e4 * (np.arange(400) == 50).reshape(20, 20)
SCALES = {
    "both signs": (SIGNED, DIVERGING, "neither"),
    "both signs, few negative": (POSITIVE - 1.05, DIVERGING, "neither"),
    "positive": (POSITIVE, SEQUENTIAL, "neither"),
    "zero but for rounding below": (np.where(np.eye(20) > 0, 1.0, -1e-9), SEQUENTIAL, "neither"),
    "negative": (-POSITIVE, SEQUENTIAL, "neither"),
    "zeros": (np.zeros((3, 3)), SEQUENTIAL, "neither"),
    "one bright entry": (BRIGHT, SEQUENTIAL, "max"),
    "one bright entry of both signs": (np.where(BRIGHT > 100, 1e4, SIGNED), DIVERGING, "max"),
    "one dark entry of both signs": (np.where(BRIGHT > 100, -1e4, SIGNED), DIVERGING, "min"),
    "two far entries": (np.where(BRIGHT > 100, 1e4, np.where(BRIGHT.T > 100, -1e4, SIGNED)), DIVERGING, "both"),
    "no number among them": (np.where(BRIGHT > 100, np.nan, POSITIVE), SEQUENTIAL, "neither"),
    "no numbers": (np.full((2, 2), np.nan), SEQUENTIAL, "neither"),
}


@pytest.mark.parametrize("name", SCALES)
def test_colours_diverge_exactly_where_entries_have_both_signs(name):
    matrix, colours, extend = SCALES[name]
    scale = scale_of([matrix])
    assert (scale.map, scale.extend) == (colours, extend)
    finite = matrix[np.isfinite(matrix)]
    if colours == DIVERGING:
        assert scale.norm.vmin == -scale.norm.vmax < 0
    within = (scale.norm.vmin <= finite) & (finite <= scale.norm.vmax)
    assert within.mean() >= 0.97 if len(finite) and extend != "neither" else True
    is_clipped = {"min": finite < scale.norm.vmin, "max": finite > scale.norm.vmax}
    assert [end for end, beyond in is_clipped.items() if beyond.any() and np.abs(finite[beyond]).max() > 1e-6] == (
        {"neither": [], "both": ["min", "max"]}.get(extend, [extend])
    )


def test_several_matrices_share_one_scale():
    scale = scale_of([POSITIVE, 2 * POSITIVE])
    assert (scale.norm.vmin, scale.norm.vmax) == (POSITIVE.min(), 2 * POSITIVE.max())


@pytest.fixture(scope="module")
def kernel():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
    x = torch.randn(12, 5, dtype=torch.float64)
    return empirical_ntk(model.double(), x, "label", labels=torch.arange(12) % 3)


@pytest.mark.parametrize("style", [SCREEN, PAPER], ids=lambda style: style.name)
def test_the_view_names_axes_bar_classes_and_what_the_spectrum_decides(kernel, style):
    figure = plotter.render(KernelView.of(kernel, "of a network", "made up"), style)
    heat, line, bar = figure.axes
    assert heat.get_xlabel() == heat.get_ylabel() == "sample, by class"
    assert [label.get_text() for label in heat.get_xticklabels()] == ["0", "1", "2"]
    assert [label.get_text() for label in heat.get_yticklabels()] == ["0", "1", "2"]
    assert heat.xaxis.get_minorticklocs().tolist() == [-0.5, 3.5, 7.5, 11.5]
    assert bar.get_ylabel() == "entry $K_{ij}$"
    image = heat.images[0]
    order = [*range(0, 12, 3), *range(1, 12, 3), *range(2, 12, 3)]
    np.testing.assert_array_equal(image.get_array(), kernel.matrix.numpy()[np.ix_(order, order)])
    assert image.norm.vmin == -image.norm.vmax
    assert "eigenvalue" in line.get_xlabel()
    assert "eigenvalue" in line.get_ylabel()
    text = "\n".join(each.get_text() for each in line.texts)
    for name in OF_SPECTRUM:
        assert f"{name}  " in text
        assert scientific(measure(name, kernel).value) in text
    caption = next(each.get_text() for each in figure.texts if each.get_gid() == "caption").replace("\n", " ")
    assert "made up; 12 samples; kernel of the own class's output, frozen batch norm, parameters: weights" in caption


def test_a_singular_kernel_says_so_in_place_of_a_number():
    x = torch.ones(4, 2, dtype=torch.float64)
    view = KernelView.of(empirical_ntk(torch.nn.Linear(2, 1).double(), x))
    values = {each.name: (each.value, each.status) for each in view.measures}
    assert values["cond"] == values["logdet"] == (None, "singular")
    figure = plotter.render(view)
    text = "\n".join(each.get_text() for each in figure.axes[1].texts)
    assert "= singular" in text
    assert figure.axes[0].get_xlabel() == "sample"
    assert not figure.axes[1].get_legend()


def test_rows_of_every_output_are_called_so():
    x = torch.randn(3, 2, dtype=torch.float64)
    view = KernelView.of(empirical_ntk(torch.nn.Linear(2, 2).double(), x, "full"))
    assert view.row_label == "sample and output"
    assert plotter.render(view).axes[0].get_ylabel() == "sample and output"


@pytest.mark.parametrize(("classes", "named"), [(3, 3), (20, 20), (60, 20)])
def test_many_classes_are_not_all_named(classes, named):
    labels = np.arange(120) % classes
    figure = plotter.render(KernelView("t", np.eye(120), labels, np.ones(120), 0.0))
    assert len(figure.axes[0].get_xticks()) == named
    assert len(figure.axes[0].xaxis.get_minorticklocs()) == classes + 1


@pytest.mark.parametrize("style", [SCREEN, PAPER], ids=lambda style: style.name)
@pytest.mark.parametrize("count", [1, 3, 5, 8])
def test_a_strip_has_axes_on_its_edges_and_its_bar_beside(count, style):
    labels = np.array([0, 0, 1, 1])
    names = [f"epoch {number}" for number in range(count)]
    strip = KernelStrip("t", names, [POSITIVE[:4, :4]] * count, labels, "K / mean", setting="four samples.")
    figure = plotter.render(strip, style)
    *panels, bar = [axes for axes in figure.axes if axes.get_visible()]
    assert bar.get_ylabel() == "K / mean"
    columns = min(count, style.columns)
    for number, axes in enumerate(panels):
        assert bool(axes.get_ylabel()) == (number % columns == 0)
        assert bool(axes.get_xlabel()) == (number + columns >= count)
    right = max(axes.get_position().x1 for axes in panels)
    assert 0 < bar.get_position().x0 - right < 0.12
    width, height = figure.get_size_inches()
    shown = sum(axes.get_position().width * axes.get_position().height for axes in panels)
    assert shown > 0.35 or count in (1, 5)  # one panel is no wider than the heading needs, five leave three places
    assert width < 11
    assert height < 8


def test_heat_maps_share_one_bar_below_whose_label_stands_level():
    maps = [HeatMap(f"α = {number}", np.array([[1.0, 10], [100, np.nan]])) for number in range(6)]
    figure = plotter.render(HeatMaps("t", "share of the time", ["in", "out"], ["0", "1"], maps, "change", setting="s."))
    *panels, bar = figure.axes
    assert bar.get_xlabel() == "change"
    assert bar.xaxis.label.get_rotation() == 0
    assert bar.get_position().y1 < min(axes.get_position().y0 for axes in panels)
    assert [bool(axes.get_xlabel()) for axes in panels] == [False] * 3 + [True] * 3
    assert all(axes.get_facecolor() != (1, 1, 1, 1) for axes in panels)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1.234, "1.23"), (-0.5, "-0.5"), (123456.0, r"1.23$\times 10^{5}$"), (1e-7, r"1$\times 10^{-7}$")],
)
def test_numbers_have_powers_of_ten_as_such(value, text):
    assert scientific(value) == text
