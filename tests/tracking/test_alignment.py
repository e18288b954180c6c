"""The alignment of labels with eigenvectors: its definition, what it must be by theory, its place in tracks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ntknas import KernelTracker, empirical_ntk
from ntknas.core.errors import KernelError
from ntknas.core.score import NoValueError, Status
from ntknas.tracking import label_alignment, track
from tests.tracking.test_track_damage import example

OLD = Path(__file__).parent / "version-1.h5"
"""Written by version 1 of the format, of ``test_track_damage.example``."""


def network(outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, outputs)).double()


def inputs(samples=12):
    return torch.randn(samples, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def by_definition(matrix, targets):
    """Shares by numpy: power along each eigenvector over all power."""
    values, vectors = np.linalg.eigh(matrix)
    power = np.array([sum((vectors[:, k] @ y) ** 2 for y in targets) for k in range(len(values))])
    return values[::-1], power[::-1] / sum(y @ y for y in targets)


LABELS = {
    "balanced": torch.arange(12) % 3,
    "unbalanced": torch.tensor([0] * 7 + [1] * 4 + [2]),
    "two of many": torch.tensor([4, 70] * 6),
}


@pytest.mark.parametrize("output", ["sum", "traced"])
@pytest.mark.parametrize("name", LABELS)
def test_the_definition(output, name):
    labels = LABELS[name]
    kernel = empirical_ntk(network(), inputs(), output=output, labels=labels, parameters="all")
    columns = [(labels == c).double().numpy() for c in labels.unique()]
    values, shares = by_definition(kernel.matrix.numpy(), [y - y.mean() for y in columns])
    got = label_alignment(kernel)
    np.testing.assert_allclose(got.eigenvalues.numpy(), values, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(got.shares.numpy(), shares, atol=1e-9)
    assert got.classes == len(columns)
    assert got.leading == pytest.approx(shares[: len(columns)].sum())
    assert float(got.shares.sum()) == pytest.approx(1.0)
    assert float(got.shares.min()) >= 0


@pytest.mark.parametrize("samples", [1, 6])
def test_of_a_full_kernel_with_one_target_for_all_outputs(samples):
    labels = torch.arange(samples) % 3
    kernel = empirical_ntk(network(), inputs(samples), output="full", labels=labels, parameters="all")
    target = np.zeros((samples, 3))
    target[np.arange(samples), labels.numpy()] = 1
    _, shares = by_definition(kernel.matrix.numpy(), [(target - 1 / 3).reshape(-1)])
    np.testing.assert_allclose(label_alignment(kernel).shares.numpy(), shares, atol=1e-9)


def test_scale_and_order_of_samples_change_nothing():
    labels, x = LABELS["unbalanced"], inputs()
    kernel = empirical_ntk(network(), x, labels=labels, parameters="all")
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(2))
    shuffled = empirical_ntk(network(), x[order], labels=labels[order], parameters="all")
    torch.testing.assert_close(label_alignment(kernel).shares, label_alignment(shuffled).shares, atol=1e-9, rtol=0)
    scaled = replace(kernel, matrix=7.0 * kernel.matrix)
    torch.testing.assert_close(label_alignment(kernel).shares, label_alignment(scaled).shares, atol=1e-9, rtol=0)


def test_the_kernel_target_alignment_is_their_sum_weighted_by_eigenvalues():
    """⟨K, yyᵀ⟩ / (‖K‖ ‖y‖²), of Cristianini et al. (2001), with two classes and y centred."""
    labels = torch.tensor([0] * 7 + [1] * 5)
    kernel = empirical_ntk(network(1), inputs(), labels=labels, parameters="all")
    y = labels.double() - labels.double().mean()
    expected = float((kernel.matrix * torch.outer(y, y)).sum() / (kernel.matrix.norm() * (y @ y)))
    got = label_alignment(kernel)
    assert float((got.eigenvalues * got.shares).sum() / kernel.matrix.norm()) == pytest.approx(expected)


def test_labels_that_a_kernel_is_made_of_lie_on_its_leading_eigenvectors():
    """x holds the class: the kernel of a linear network is the labels' own."""
    labels = torch.arange(12) % 4
    x = nn.functional.one_hot(labels).double()
    got = label_alignment(empirical_ntk(nn.Linear(4, 1).double(), x, labels=labels))
    assert float(got.shares[:4].sum()) == pytest.approx(1.0)
    assert got.leading == pytest.approx(1.0)


def test_where_it_is_undefined():
    model, x = network(), inputs()
    with pytest.raises(KernelError, match="needs labels"):
        label_alignment(empirical_ntk(model, x))
    with pytest.raises(KernelError, match="needs a kernel of one batch with itself"):
        label_alignment(empirical_ntk(model, x, x2=x, labels=LABELS["balanced"], labels2=LABELS["balanced"]))
    with pytest.raises(NoValueError, match="all labels are of one class") as caught:
        label_alignment(empirical_ntk(model, x, labels=torch.full((12,), 2)))
    assert caught.value.status is Status.UNDEFINED
    with pytest.raises(NoValueError, match="a label is none of the network's 3 outputs"):
        label_alignment(empirical_ntk(model, x, output="full", labels=torch.arange(12)))


class TestTracker:
    def test_records_it_at_every_step(self):
        model, x, labels = network(), inputs(), LABELS["balanced"]
        tracker = KernelTracker(model, x, labels, output="traced", parameters="all", keep_kernels=True)
        tracker.record(0)
        with torch.no_grad():
            model[0].weight.add_(0.3)
        tracker.record(5)
        frame = tracker.alignments()
        assert frame.columns.tolist() == ["step", "k", "eigenvalue", "alignment", "cumulative"]
        for step, snapshot in ((0, tracker.snapshots[0]), (5, tracker.snapshots[1])):
            rows, expected = frame[frame["step"] == step], label_alignment(snapshot.kernel)
            assert rows["k"].tolist() == list(range(1, 13))
            np.testing.assert_allclose(rows["alignment"], expected.shares.numpy())
            np.testing.assert_allclose(rows["cumulative"], np.cumsum(expected.shares.numpy()))
            np.testing.assert_allclose(rows["eigenvalue"], expected.eigenvalues.numpy())
            assert snapshot.scores["label_alignment"].value == pytest.approx(float(expected.shares[:3].sum()))
        assert frame["alignment"].iloc[0] != frame["alignment"].iloc[12]

    def test_without_labels_there_is_none(self):
        tracker = KernelTracker(network(), inputs())
        assert "label_alignment" not in tracker.record(0).scores
        assert tracker.alignments().empty

    def test_where_it_is_undefined_the_frame_says_why(self):
        model = network()
        tracker = KernelTracker(model, inputs(), torch.zeros(12, dtype=torch.long))
        tracker.record(0)
        (row,) = tracker.frame().query("quantity == 'label_alignment'").to_dict("records")
        assert (row["status"], row["reason"]) == ("undefined", "all labels are of one class")
        assert tracker.alignments().empty
        with torch.no_grad():
            model[2].weight.fill_(float("nan"))
        assert tracker.record(1).scores["label_alignment"].status is Status.NON_FINITE


class TestFile:
    def test_a_track_of_version_1_is_read(self):
        found = track.read(OLD)
        assert found.digest() == example().digest()
        assert found.alignments is None
        assert found.alignment_frame().empty

    def test_shares_come_back(self, tmp_path):
        shares = np.array([[0.5, 0.25, 0.25], [np.nan] * 3])
        kept = replace(example(), alignments=shares)
        found = track.read(track.write(tmp_path, kept))
        np.testing.assert_array_equal(found.alignments, shares)
        assert found.digest() == kept.digest() != example().digest()
        assert found.alignment_frame()["cumulative"].tolist()[:3] == [0.5, 0.75, 1.0]
        assert found.alignment_frame()["eigenvalue"].tolist() == example().spectra.reshape(-1).tolist()
