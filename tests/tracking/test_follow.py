"""Following a training: what is recorded when, what ends it early, the file that keeps it."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from ntknas import KernelTracker, empirical_ntk, load_space
from ntknas.core.errors import ChoiceError, StoreError
from ntknas.core.score import Status
from ntknas.data import Request, make_probe
from ntknas.report.tracking_figures import strip
from ntknas.tracking import DRIFTS, Track, drift, label_alignment, track
from ntknas.tracking.bins import BinnedCells, Bins, averages
from ntknas.tracking.follow import Recording, ended, follow
from ntknas.training import Trainer, TrainingImages, TrainingOptions

IMAGES = TrainingImages("digits", Request(image_size=12), 60)
PROBE = make_probe("digits", 6, Request(image_size=12))
OPTIONS = TrainingOptions(batch_size=25)
SPACE = load_space("nb201")
IDENTITY = {"cell": 284, "seed": 0}


def network():
    return SPACE.build(284, seed=0, channels=2, cells_per_stage=1).double()


def followed(recording, options=OPTIONS, output="traced", **arguments):
    model = network()
    tracker = KernelTracker(model, PROBE.images.double(), PROBE.labels, output=output, measures=("trace",))
    trainer = Trainer(model, IMAGES, options, 0, recording.epochs)
    return follow(tracker, trainer, recording, IDENTITY, **arguments)


def test_records_are_those_of_the_network_at_that_time():
    epochs = []
    found = followed(Recording(4, every=2), keep_kernels=True, on_epoch=lambda: epochs.append(1))
    assert found.status is Status.OK
    assert found.steps.tolist() == [0, 6, 12]
    assert len(epochs) == 4
    model = network()
    trainer = Trainer(model, IMAGES, OPTIONS, 0, 4)
    start = torch.cat([p.detach().flatten() for name, p in model.named_parameters() if name.endswith("weight")])
    first = empirical_ntk(model, PROBE.images.double(), output="traced")
    for epoch in range(1, 5):
        done = trainer.train_epoch()
        if epoch != 4:
            continue
        now = empirical_ntk(model, PROBE.images.double(), output="traced")
        for name in DRIFTS:
            assert found.series(name)[12] == pytest.approx(drift(name, first, now).value, rel=1e-7)
        assert found.series("trace")[12] == pytest.approx(float(now.matrix.trace()))
        assert found.series("train_loss")[12] == pytest.approx(done.loss)
        assert found.series("valid_accuracy")[12] == pytest.approx(trainer.validation_accuracy())
        moved = torch.cat([p.detach().flatten() for name, p in model.named_parameters() if name.endswith("weight")])
        change = float((moved - start).norm() / start.norm())
        assert found.series("parameter_change")[12] == pytest.approx(change, rel=1e-6)
        np.testing.assert_allclose(found.kernels[2], now.matrix.numpy(), rtol=1e-7)
        np.testing.assert_allclose(found.spectra[2], now.spectrum.numpy(), rtol=1e-6, atol=1e-6)
        labelled = empirical_ntk(model, PROBE.images.double(), output="traced", labels=PROBE.labels)
        shares = label_alignment(labelled).shares.numpy()
        np.testing.assert_allclose(found.alignments[2], shares, atol=1e-6)
        assert found.series("label_alignment")[12] == pytest.approx(shares[: len(PROBE.labels.unique())].sum())


def test_by_steps():
    found = followed(Recording(2, every=2, unit="step"))
    assert found.steps.tolist() == [0, 2, 4, 6]
    whole = followed(Recording(2))
    assert whole.steps.tolist() == [0, 3, 6]
    for name in ("kernel_correlation", "relative_difference", "trace"):
        assert found.series(name)[6] == pytest.approx(whole.series(name)[6], rel=1e-9)
    assert found.kernels is None


def test_the_end_is_recorded_whatever_the_rhythm():
    assert followed(Recording(2, every=100, unit="step")).steps.tolist() == [0, 6]
    assert followed(Recording(2, every=4, unit="step")).steps.tolist() == [0, 4, 6]
    assert followed(Recording(3, every=2)).steps.tolist() == [0, 6, 9]


def test_a_full_kernel_has_the_class_of_its_sample_in_every_row():
    found = followed(Recording(1), output="full", keep_kernels=True)
    assert found.kernels.shape == (2, 60, 60)
    assert found.labels.tolist() == PROBE.labels.repeat_interleave(10).tolist()
    assert strip(found, 3, "").names == ["epoch 0", "epoch 1"]


def test_divergence_keeps_what_was_recorded(monkeypatch):
    real = Trainer.train_epoch

    def train_epoch(trainer, on_step=None):
        if trainer.epoch == 2:
            next(trainer.network.parameters()).data.fill_(math.inf)
        return real(trainer, on_step)

    monkeypatch.setattr(Trainer, "train_epoch", train_epoch)
    found = followed(Recording(5))
    assert found.status is Status.DIVERGED
    assert "training loss is nan in epoch 3" in found.reason
    assert found.steps.tolist() == [0, 3, 6]


@pytest.mark.parametrize(
    ("fault", "status"),
    [(torch.OutOfMemoryError("CUDA out of memory"), Status.OOM), (RuntimeError("no such layer"), Status.ERROR)],
)
def test_a_fault_of_the_network_is_a_status(monkeypatch, fault, status):
    monkeypatch.setattr(Trainer, "train_epoch", lambda trainer, on_step=None: (_ for _ in ()).throw(fault))
    found = followed(Recording(2))
    assert (found.status, found.reason) == (status, str(fault))
    assert found.steps.tolist() == [0]


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"epochs": 2, "every": 0}, {"epochs": 2, "unit": "second"}])
def test_recordings_out_of_range(wrong):
    with pytest.raises(ChoiceError):
        Recording(**wrong)


class TestFile:
    def test_comes_back_as_it_was(self, tmp_path):
        kept = followed(Recording(2), keep_kernels=True, about={"device": "cpu"})
        path = track.write(tmp_path / "tracks", kept)
        found = track.read(path)
        pd.testing.assert_frame_equal(found.frame, kept.frame, check_dtype=False)
        for name in ("steps", "spectra", "labels", "kernels", "alignments"):
            np.testing.assert_array_equal(getattr(found, name), getattr(kept, name))
        assert dict(found.identity) == IDENTITY
        assert found.about["device"] == "cpu"
        assert found.about["seconds"] > 0
        assert track.find(tmp_path / "tracks", IDENTITY).digest() == kept.digest()
        assert track.find(tmp_path / "tracks", {**IDENTITY, "seed": 1}) is None

    def test_of_a_network_that_was_never_trained(self, tmp_path):
        empty = ended(IDENTITY, Status.DISCONNECTED, "no path")
        found = track.read(track.write(tmp_path, empty))
        assert (found.status, found.reason, len(found.frame)) == (Status.DISCONNECTED, "no path", 0)

    @pytest.mark.parametrize("damage", ["cut", "text", "byte"])
    def test_damage(self, tmp_path, damage):
        path = track.write(tmp_path, followed(Recording(1), keep_kernels=True))
        whole = bytearray(path.read_bytes())
        if damage == "byte":
            place = whole.find(b"relative_difference_entrywise")
            whole[place] ^= 1
        path.write_bytes({"cut": whole[: len(whole) // 2], "text": b"hello", "byte": whole}[damage])
        with pytest.raises(StoreError, match="Move it away"):
            track.read(path)

    def test_of_something_else(self, tmp_path):
        import h5py

        with h5py.File(tmp_path / "x.h5", "w") as file:
            file.attrs["format"] = "other"
        with pytest.raises(StoreError, match="no track"):
            track.read(tmp_path / "x.h5")

    def test_a_folder_that_is_a_file(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(StoreError, match="Cannot write"):
            track.write(tmp_path / "file", ended(IDENTITY, Status.OK, ""))


class TestBins:
    accuracies = pd.Series(np.linspace(10, 90, 81), index=np.arange(100, 181))

    def test_quartiles(self):
        bins = Bins.of(self.accuracies, 4)
        assert bins.names == ["10.0–30.0 %", "30.0–50.0 %", "50.0–70.0 %", "70.0–90.0 %"]
        assert [bins.index(value) for value in (-5, 10, 29.9, 30, 69, 90, 99)] == [0, 0, 0, 1, 2, 3, 3]

    def test_a_sample_has_equally_many_of_each(self):
        binned = BinnedCells.of(SPACE, self.accuracies, 4)
        sample = binned.sample(3, seed=1)
        assert [binned.bins.index(self.accuracies[cell]) for cell in sample] == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
        assert len(set(sample)) == 12
        assert sample == binned.sample(3, seed=1) != binned.sample(3, seed=2)

    def test_too_few(self):
        with pytest.raises(ChoiceError, match="do not make 4 bins"):
            Bins.of(pd.Series([1.0, 1.0, 1.0]), 4)
        with pytest.raises(ChoiceError, match=r"has \d+ cells, and 30 were asked for"):
            BinnedCells.of(SPACE, self.accuracies, 4).sample(30, 0)

    def test_cells_without_a_path_or_an_accuracy_are_no_choice(self):
        accuracies = pd.Series(np.arange(50.0))
        accuracies[7] = np.nan
        connected = BinnedCells.of(SPACE, accuracies, 2).connected
        assert 7 not in connected
        assert all(not SPACE.is_disconnected(SPACE[int(cell)]) for cell in connected.index)
        assert len(connected) < 49

    def test_names(self):
        binned = BinnedCells.of(SPACE, self.accuracies, 2)
        low, high = binned.bins.names
        assert binned.names_of([100, 180, 5]) == {100: low, 180: high, 5: "no accuracy"}

    def test_averages_are_over_cells_with_students_interval(self):
        rows = [
            {"bin": "low", "cell": cell, "seed": seed, "step": 4, "quantity": "q", "value": value}
            for cell, seed, value in [(1, 0, 1.0), (1, 1, 3.0), (2, 0, 4.0), (3, 0, 6.0), (4, 0, math.nan)]
        ]
        rows += [{"bin": "high", "cell": 9, "seed": 0, "step": 4, "quantity": "q", "value": 5.0}]
        found = averages(pd.DataFrame(rows), ["q"]).set_index("bin")
        assert found.loc["low", "mean"] == pytest.approx(4.0)  # of 2, 4 and 6
        assert found.loc["low", "n"] == 3
        assert found.loc["low", "high"] - 4.0 == pytest.approx(4.302652729911275 * 2.0 / math.sqrt(3))
        assert math.isnan(found.loc["high", "low"])


def test_differences_are_averaged_by_their_logarithm():
    rows = [
        {"bin": "all", "cell": cell, "seed": 0, "step": step, "quantity": "relative_difference", "value": value}
        for cell, step, value in [(1, 0, 0.0), (2, 0, 0.0), (3, 0, 0.0), (1, 4, 1.0), (2, 4, 10.0), (3, 4, 100.0)]
    ]
    (found,) = averages(pd.DataFrame(rows), ["relative_difference"]).to_dict("records")
    assert (found["step"], found["n"]) == (4, 3)
    assert found["mean"] == pytest.approx(10.0)  # the geometric mean
    assert math.log(found["high"] / 10) == pytest.approx(4.302652729911275 * math.log(10) / math.sqrt(3))
    assert found["low"] > 0


def test_a_track_without_kernels_has_no_strip():
    with pytest.raises(ValueError, match="no kernels"):
        strip(ended(IDENTITY, Status.OK, ""), 1, "")
    assert isinstance(ended(IDENTITY, Status.OK, ""), Track)
