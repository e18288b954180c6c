"""The figures of the library: matplotlib's, and pyplot knows none of them."""

import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

import ntknas
from ntknas.data import Request, make_probe
from ntknas.scoring import NetworkOptions, Recipe, Training
from ntknas.training import TrainingImages, TrainingOptions
from tests.correlation.stores import NB201, OWN_TRAINING, TRAINING, fill

CELLS = range(100, 140)
TARGET = "cifar10-valid/valid/200"
REQUEST = Request(image_size=12)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    path = tmp_path_factory.mktemp("figures") / "s.h5"
    fill(path, ("trace", "cond"), CELLS)
    fill(path, ("trace", "cond"), CELLS, fields=NB201 | TRAINING | {"epoch": 1})
    fill(path, ("valid_accuracy",), CELLS, fields=OWN_TRAINING | TRAINING | {"epoch": 1})
    return ntknas.correlate(ntknas.load_store(path), ntknas.load_benchmark("nb201", dataset="cifar10-valid"))


def titles(figure):
    assert isinstance(figure, Figure)
    assert not pyplot.get_fignums()
    return [axes.get_title().split("\n")[0] for axes in figure.axes if axes.get_visible()]


def test_of_correlations(result):
    labels = [label.get_text() for label in ntknas.figures.correlations(result).axes[0].get_yticklabels()]
    epochs = [f"{measure} · epoch {epoch}" for measure in (r"$\mathrm{tr}\,K$", "condition number") for epoch in (0, 1)]
    counts = ["parameters", "FLOPs", "effective parameters", "effective FLOPs", "live layers", "trainable layers"]
    told = [name for label in labels for name in label.split(" = ")]
    assert sorted(told) == sorted([*epochs, "valid accuracy", *counts])
    clouds = ntknas.figures.scatter(result, TARGET)
    shown = [axes.get_xlabel().split("\n")[0] for axes in clouds.axes if axes.get_visible()]
    assert len(shown) == len(labels)
    assert set(shown) == {label.split(" = ")[0] for label in labels}
    assert titles(ntknas.figures.over_epochs(result, TARGET)) == ["trace", "cond", "valid_accuracy"]


def test_of_a_result_without_training_there_are_no_curves(tmp_path):
    fill(tmp_path / "s.h5", ("trace",), CELLS)
    benchmark = ntknas.load_benchmark("nb201", dataset="cifar10-valid")
    result = ntknas.correlate(ntknas.load_store(tmp_path / "s.h5"), benchmark, resamples=0)
    assert ntknas.figures.over_epochs(result, TARGET) is None


def test_of_kernels_that_were_followed():
    training = Training(TrainingImages("digits", REQUEST, 40), TrainingOptions(batch_size=20), (0, 1))
    followed = ntknas.follow(
        "nb201",
        [284],
        recipe=Recipe(network=NetworkOptions(channels=2, cells_per_stage=1)),
        probe=make_probe("digits", 6, REQUEST),
        training=training,
        measures=(),
        keep_kernels=True,
        device="cpu",
    )
    figures = ntknas.figures.tracks(followed, "a cell")
    assert list(figures) == ["drift-by-bin", "drift-by-cell", "spectrum", "label-alignment", "kernel-284-seed-0"]
    (aligned,) = (axes for axes in figures["label-alignment"].axes if axes.get_visible())
    names = {line.get_label(): line.get_ydata() for line in aligned.get_lines() if len(line.get_ydata()) == 6}
    assert set(names) == {"epoch 0", "epoch 1", "evenly, k/n"}
    expected = followed.alignments().query("step == 2")["cumulative"].to_numpy()
    assert list(names["epoch 1"]) == pytest.approx(list(expected))
    assert titles(figures["kernel-284-seed-0"])[:2] == ["epoch 0", "epoch 1"]
