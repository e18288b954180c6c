"""Pictures of studies: every one has its axes, units and setting in words, no legend of one entry, nothing cut off."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from ntknas.report import plotter
from ntknas.report.figures import Bars, HeatMaps, LineGrid
from ntknas.report.look import PAPER, SCREEN
from ntknas.studies import get_study, study_names
from ntknas.studies.limits import limit
from ntknas.studies.slopes import interval, mean_of_pairs, mean_of_repeats, power_law
from ntknas.studies.words import LAYERS

SMALL = {
    "constancy": {"samples": 6, "widths": (4, 8), "repeats": 5, "steps": 5},
    "convergence": {"family": "rnn", "samples": 4, "widths": (4, 8), "repeats": 5},
    "determinism": {"samples": 6, "widths": (4, 8), "repeats": 5},
    "lazy": {"samples": 6, "widths": (4, 8), "alphas": (1.0, 10.0), "steps": 3, "repeats": 2},
    "loss-bound": {"samples": 4, "widths": (4,), "steps": 4},
    "performance": {"family": "mlp-2", "samples": 30, "widths": (4,), "steps": 2, "folds": 2},
    "regression": {"samples": 20, "widths": (4,), "steps": 3, "repeats": 2},
}
"""The quick runs, smaller still."""
FIGURES = {
    "constancy": ("change", "steps"),
    "convergence": ("error", "parts"),
    "determinism": ("distance",),
    "lazy": ("scale", "training", "layers"),
    "loss-bound": ("curves", "excess"),
    "performance": ("scores",),
    "regression": ("distance", "spectra"),
}
CASES = [(study, name) for study, names in FIGURES.items() for name in names]
WORDS = {
    "constancy": (
        "standard parametrisation",
        "6 samples of Boston housing",
        "learning rate 0.001",
        "5 initialisations",
    ),
    "convergence": ("NTK parametrisation", "4 samples of a noisy sine", "5 initialisations"),
    "determinism": ("fully connected network", "6 samples of Boston housing", "5 initialisations"),
    "lazy": ("fully connected network", "3 test samples", "2 initialisations", "3 steps"),
    "loss-bound": ("tanh θ", "target 2"),
    "performance": ("width 4", "30 samples of Boston housing", "2 folds, 1 repeat"),
    "regression": ("20 samples of MNIST", "3 steps of gradient descent", "2 initialisations"),
}


@cache
def findings(name):
    options = dict(SMALL[name])
    study = get_study(name).of(options.pop("family", None), quick=True, **options)
    return study, study.summarise([row for unit in study.units() for row in study.measure(unit)])


def test_every_study_and_figure_has_a_case():
    assert set(SMALL) == set(FIGURES) == set(study_names())
    assert {name: tuple(findings(name)[1].figures) for name in SMALL} == FIGURES


@pytest.mark.parametrize(("study", "name"), CASES)
def test_axes_and_settings_are_said_in_words(study, name):
    figure = findings(study)[1].figures[name]
    assert figure.title
    assert figure.setting.endswith(".")
    assert all(word in figure.setting.lower() for word in map(str.lower, WORDS[study]))
    if isinstance(figure, LineGrid):
        assert figure.x_label
        assert all(figure.y_label or panel.y_label for panel in figure.panels)
        assert all(line.name for panel in figure.panels for line in panel.lines)
    elif isinstance(figure, Bars):
        assert figure.x_label.startswith("mean ")
        assert [group.name for group in figure.groups] == [""]
    else:
        assert isinstance(figure, HeatMaps)
        assert figure.x_label
        assert figure.colour_label
        assert not any(name.isdigit() or "." in name for name in figure.rows)


@pytest.mark.parametrize("style", [SCREEN, PAPER], ids=lambda style: style.name)
@pytest.mark.parametrize(("study", "name"), CASES)
def test_what_is_drawn_can_be_read(study, name, style):
    specification = findings(study)[1].figures[name]
    figure = plotter.render(specification, style)
    texts = [text for text in figure.findobj(lambda artist: hasattr(artist, "get_fontsize")) if text.get_text().strip()]
    shown = [text for text in texts if text.get_visible()]
    assert min(text.get_fontsize() for text in shown) >= 5.5
    assert not [legend for legend in figure.legends if len(legend.get_texts()) < 2]
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert any(axes.get_xlabel() for axes in panels)
    if isinstance(specification, LineGrid):
        assert panels[0].get_ylabel()
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) > -0.02  # nothing is cut off
    assert drawn.x1 < width + 0.02
    assert drawn.y1 < height + 0.02
    setting = "".join(text.get_text() for text in figure.texts if text.get_gid() == "caption").replace("\n", " ")
    assert specification.setting.split(";")[0] in setting.replace(r"\$", "$")


def test_bars_are_sorted_best_first():
    for study in ("performance", "regression"):  # errors and distances: the least first
        values = next(iter(findings(study)[1].figures.values())).groups[0].values
        np.testing.assert_array_equal(values, np.sort(values))


def test_widths_and_scales_have_colours_in_their_order():
    for study, name in (("constancy", "steps"), ("lazy", "scale"), ("lazy", "training")):
        assert findings(study)[1].figures[name].ordered


def test_the_loss_lies_on_broad_bounds_and_is_drawn_last():
    grid = findings("loss-bound")[1].figures["curves"]
    for panel in grid.panels:
        by = {line.name: line for line in panel.lines}
        assert by["bound of the moving kernel"].wide
        assert not by["loss"].wide
    axes = plotter.render(grid).axes[0]
    order = {line.get_label(): line.get_zorder() for line in axes.get_lines()}
    assert order["loss"] > order["bound of the moving kernel"]


def test_determinism_has_a_band_and_a_law_through_the_middle_of_its_points():
    study, found = findings("determinism")
    mean, law = found.figures["distance"].panels[0].lines
    assert (mean.low < mean.y).all()
    assert (mean.y < mean.high).all()
    np.testing.assert_allclose(np.log(law.y / mean.y).mean(), 0, atol=1e-12)
    np.testing.assert_allclose(law.y[0] / law.y[1], np.sqrt(law.x[1] / law.x[0]))


@pytest.mark.parametrize("study", [name for name in SMALL if name != "loss-bound"])
def test_a_tables_figures_can_be_drawn_anew_from_the_file_beside_the_page(study, tmp_path):
    made, found = findings(study)
    path = tmp_path / "table.csv"
    found.table.to_csv(path, index=False)
    again = made.figures_of(pd.read_csv(path))
    assert again
    for name, figure in again.items():
        assert repr(figure) == repr(found.figures[name])


@pytest.mark.parametrize("family", LAYERS)
def test_every_layer_has_a_name(family):
    network = limit(family, None, 4).network(3, 0, 1)
    layers = [name.rpartition(".")[0] for name, _ in network.named_parameters()]
    names = [layer.removesuffix(".linear").removesuffix(".convolution") for layer in layers]
    assert list(dict.fromkeys(names)) == list(LAYERS[family])
    assert len(set(LAYERS[family].values())) == len(LAYERS[family])


def test_intervals_of_repeats():
    values = np.array([1.0, 2, 4, 8, 16, 32])
    low, high = interval(values, mean_of_repeats)
    generator = np.random.default_rng(0)
    drawn = [np.exp(np.log(generator.choice(values, 6)).mean()) for _ in range(4000)]
    np.testing.assert_allclose([low, high], np.quantile(drawn, [0.025, 0.975]), rtol=0.15)
    assert np.isnan(interval(values[:4], mean_of_repeats)).all()
    same = np.ones((6, 6)) - np.eye(6)
    assert interval(same, mean_of_pairs) == (1.0, 1.0)


def test_a_power_law_through_points_of_which_some_do_not_count():
    x = np.array([1.0, 4, 16, 64])
    np.testing.assert_allclose(power_law(x, 3 / np.sqrt(x), -0.5), 3 / np.sqrt(x))
    np.testing.assert_allclose(power_law(x, np.array([3, np.nan, 0, -1.0]), -0.5), 3 / np.sqrt(x))
    assert np.isnan(power_law(x, np.zeros(4), -0.5)).all()
