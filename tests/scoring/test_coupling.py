"""Which kernels are taken as class forms: those of networks whose samples BatchNorm couples, under any policy."""

import pytest

from ntknas.kernels import KernelOperator
from ntknas.scoring import NetworkOptions
from tests.scoring.sessions import SMALL, by_key, recipe, score

UNTRACKED = NetworkOptions(channels=2, cells_per_stage=1, variant="zero-cost")  # keeps no running statistics
FORMS = ("mean", "alignment_numerator")


@pytest.fixture
def forms(monkeypatch):
    """Counts the class forms that are computed."""
    counted, class_forms = [], KernelOperator.class_forms
    monkeypatch.setattr(KernelOperator, "class_forms", lambda self: counted.append(self) or class_forms(self))
    return counted


@pytest.mark.parametrize("output", ["sum", "label"])
def test_as_evaluation_mode_of_networks_without_running_statistics(tmp_path, forms, output):
    choices = {"network": UNTRACKED, "output": output, "batch_norm": "as-eval-mode", "precision": "float64"}
    by_forms = score(tmp_path / "forms.h5", [11, 284], recipe(*FORMS, **choices))
    assert len(forms) == 2
    formed = score(tmp_path / "kernel.h5", [11, 284], recipe(*FORMS, "fro", **choices))
    assert len(forms) == 2  # the Frobenius norm needs the kernel
    expected = by_key(formed)["value"].drop("fro", level="measure").to_dict()
    assert by_key(by_forms)["value"].to_dict() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("network", "batch_norm", "expected"),
    [(SMALL, "as-eval-mode", 0), (SMALL, "coupled", 1), (UNTRACKED, "frozen", 0), (UNTRACKED, "coupled", 1)],
)
def test_which_networks_are_coupled_is_asked_of_the_network(tmp_path, forms, network, batch_norm, expected):
    score(tmp_path / "s.h5", [11], recipe(*FORMS, network=network, batch_norm=batch_norm))
    assert len(forms) == expected
