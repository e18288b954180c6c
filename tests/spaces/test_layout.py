"""A network's score does not depend on how its caller lays images out in memory: bit for bit."""

import pytest
import torch

from ntknas import empirical_ntk, load_space, load_store, measure
from ntknas.cli.main import run as command
from ntknas.core.cases import NetworkCase
from ntknas.data import Request, make_probe
from ntknas.kernels import kernel_operator
from ntknas.training import Trainer, TrainingImages, TrainingOptions

IMAGES = make_probe("digits", 8, Request(image_size=12)).images
LAST = IMAGES.contiguous(memory_format=torch.channels_last)
SIZES = {"channels": 8, "cells_per_stage": 1}
CELLS = {"nb201": (8216, 284, 15000), "nb101": (1000,), "nats-sss": (777,), "nb-macro": (777,)}
BUILT = [(bench, cell) for bench, cells in CELLS.items() for cell in cells]
WAYS = {
    "layer-wise": {"strategy": "layer-wise"},
    "row loop": {"strategy": "row-loop"},
    "several rows at once": {"strategy": "row-loop", "rows_at_once": 4},
    "chunks": {"chunk": 3},
    "all outputs": {"output": "full"},
    "labels, another batch": {"output": "traced", "x2": IMAGES[:3]},
}


def build(bench, cell):
    return load_space(bench).build(cell, num_classes=10, seed=0, **SIZES)


def same(a, b):
    assert a.matrix.dtype is b.matrix.dtype is torch.float64
    assert torch.equal(a.matrix, b.matrix)


@pytest.mark.parametrize(("bench", "cell"), BUILT)
@pytest.mark.parametrize("policy", ["frozen", "eval", "per-sample", "coupled"])
def test_both_layouts_give_the_same_bits(bench, cell, policy):
    network = build(bench, cell)
    same(*(empirical_ntk(network, x, batch_norm=policy, verify=False) for x in (IMAGES, LAST)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_however_the_kernel_is_computed(way, dtype):
    network, options = build("nb201", 284).to(dtype), dict(WAYS[way])
    other = options.pop("x2", None)
    options |= {} if other is None else {"x2": other.to(dtype)}
    same(*(empirical_ntk(network, x.to(dtype), batch_norm="eval", verify=False, **options) for x in (IMAGES, LAST)))


def test_operator_measures_of_the_network_and_training():
    network, labels = build("nb201", 284), torch.arange(8) % 3
    forms = []
    for x in (IMAGES, LAST):
        with kernel_operator(network, x, "sum", "coupled", "weights", labels, verify=False) as kernel:
            forms.append(kernel.class_forms())
    assert forms[0] == forms[1]
    for name in ("naswot", "grad_norm", "jacob_cov"):
        one, other = (measure(name, NetworkCase(network, x, labels)).value for x in (IMAGES, LAST))
        assert one == other


def test_the_command_gives_what_the_library_gives(tmp_path):
    """As the README has it, with images that come contiguous from the probe; cells are their class's first."""
    cells = [1462, 8216]
    size = ["--channels", "8", "--cells-per-stage", "1", "--probe", "digits", "--probe-size", "8"]
    (tmp_path / "cells").write_text("\n".join(map(str, cells)))
    options = ["--cells-file", str(tmp_path / "cells"), "--measures", "trace,cond", "--store", str(tmp_path / "s.h5")]
    assert command(["score", *size, *options]) == 0
    stored = load_store(tmp_path / "s.h5").set_index(["cell", "measure"])["value"]
    probe = make_probe("digits", 8, Request())
    assert probe.images.is_contiguous()
    for cell in cells:
        assert load_space("nb201").representative(cell, "weights", "none") == cell
        kernel = empirical_ntk(build("nb201", cell), probe.images)
        for name in ("trace", "cond"):
            assert measure(name, kernel).value == stored[cell, name]


def test_training_is_the_same_in_both_layouts():
    images, losses = TrainingImages("digits", Request(image_size=12), 40), []
    for layout in (torch.contiguous_format, torch.channels_last):
        trainer = Trainer(build("nb201", 284), images, TrainingOptions(batch_size=20), 0, 1)
        trainer._brought = lambda taken, layout=layout: taken.contiguous(memory_format=layout)
        trainer.train_epoch()
        losses.append(trainer.history[-1].loss)
    assert losses[0] == losses[1]
