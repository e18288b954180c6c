"""Studies over widths: their numbers against plain computations, their pages, and runs that go on."""

import hashlib
import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from ntknas import empirical_ntk
from ntknas.cli.main import run as command
from ntknas.core.errors import ChoiceError, DataError, KernelError
from ntknas.kernels import memory
from ntknas.kernels.analytic import Activation, Dense, Flatten, infinite_kernel
from ntknas.studies import ledger as ledgers
from ntknas.studies import parametrised
from ntknas.studies.claims.constancy import Constancy
from ntknas.studies.claims.determinism import Determinism
from ntknas.studies.data import DATA, load
from ntknas.studies.families import FAMILIES, PARAMETRISATIONS
from ntknas.studies.forecast import estimate
from ntknas.studies.ledger import Ledger
from ntknas.studies.networks import Widths
from ntknas.studies.parametrised import NETWORKS
from ntknas.studies.slopes import fitted, mean_of_pairs, mean_of_repeats, slope
from ntknas.studies.subject import Subject
from ntknas.studies.verdict import Outcome


def networks(family="mlp-1", widths=(4, 8), repeats=3, parametrisation="standard", samples=12):
    subject = Subject(family, FAMILIES[family].data[0], samples, parametrisation)
    return Widths(subject, widths, repeats)


class TestSlope:
    widths = np.array([10.0, 100.0, 1000.0])

    def test_of_a_power_law(self):
        assert fitted(self.widths, 3 * self.widths**-0.5) == pytest.approx(-0.5)
        repeats = [np.full(6, 3 * width**-0.5) for width in self.widths]
        found = slope(self.widths, repeats, mean_of_repeats)
        assert found.value == pytest.approx(found.low) == pytest.approx(found.high) == pytest.approx(-0.5)
        assert found.local == pytest.approx((-0.5, -0.5))
        assert found.contains(-0.5) or math.isclose(found.value, -0.5)

    def test_the_interval_covers(self):
        generator = np.random.default_rng(0)
        covered = 0
        for _ in range(40):
            repeats = [width**-0.5 * np.exp(0.3 * generator.standard_normal(20)) for width in self.widths]
            covered += slope(self.widths, repeats, mean_of_repeats).contains(-0.5)
        assert 34 <= covered <= 40

    def test_few_repeats_have_no_interval(self):
        found = slope(self.widths, [np.array([width, 2 * width]) for width in self.widths], mean_of_repeats)
        assert (found.low, found.high) == (None, None)
        assert not found.contains(found.value)
        assert str(found) == "1.00"

    def test_nothing_to_fit(self):
        assert slope(self.widths[:1], [np.ones(5)], mean_of_repeats) is None
        assert slope(self.widths, [np.zeros((5, 5))] * 3, mean_of_pairs) is None
        with pytest.raises(ValueError, match="two points"):
            fitted(self.widths[:1], np.ones(1))

    def test_pairs_of_one_repeat_with_itself_do_not_count(self):
        distances = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 4.0], [2.0, 4.0, 0.0]])
        assert mean_of_pairs(distances, np.arange(3)) == pytest.approx(7 / 3)
        assert mean_of_pairs(distances, np.array([0, 0, 1])) == pytest.approx(1.0)
        assert math.isnan(mean_of_pairs(distances, np.array([1, 1, 1])))


class TestData:
    @pytest.mark.parametrize("name", sorted(DATA))
    def test_sizes(self, name):
        found = load(name, 25)
        assert len(found.x) == len(found.y) == 25
        assert found.x.dtype == torch.float64
        assert found.is_classification == (name in ("mnist", "digits"))
        assert torch.equal(load(name, 10).x, found.x[:10])

    def test_classes_alternate(self):
        assert load("mnist", 23).y.tolist() == [*range(10), *range(10), 0, 1, 2]
        assert load("mnist", 5).x.shape == (5, 1, 28, 28)

    def test_a_window_is_followed_by_its_target(self):
        found = load("sine", 30)
        assert found.x.shape == (30, 10, 1)
        assert torch.equal(found.x[1:, -1, 0], found.y[:-1, 0])

    def test_features_are_standardised(self):
        found = load("boston", 506)
        torch.testing.assert_close(found.x.mean(0), torch.zeros(13, dtype=torch.float64), atol=1e-9, rtol=0)
        torch.testing.assert_close(found.x.std(0, correction=0), torch.ones(13, dtype=torch.float64))

    def test_too_many(self):
        with pytest.raises(DataError, match="boston has 506 samples, and 600 were asked for"):
            load("boston", 600)
        with pytest.raises(ChoiceError, match="data of a study"):
            load("iris", 5)


class TestFamilies:
    @pytest.mark.parametrize("parametrisation", sorted(PARAMETRISATIONS))
    @pytest.mark.parametrize("family", sorted(NETWORKS))
    def test_networks_and_their_kernels(self, family, parametrisation):
        chosen = networks(family, parametrisation=parametrisation, samples=5)
        network = chosen.network(8, 0)
        with torch.no_grad():
            assert network(chosen.loaded.x).shape == (5, chosen.loaded.outputs)
        assert chosen.parameters(8) == sum(parameter.numel() for parameter in network.parameters())
        fast, slow = (
            empirical_ntk(network, chosen.loaded.x, "traced", parameters="all", strategy=strategy)
            for strategy in ("auto", "row-loop")
        )
        torch.testing.assert_close(fast.matrix, slow.matrix, rtol=1e-8, atol=1e-10)

    def test_the_same_seed_is_the_same_network_and_repeats_differ(self):
        chosen = networks()
        first, again, other = (next(chosen.network(4, repeat).parameters()) for repeat in (0, 0, 1))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)

    def test_ntk_parametrisation_has_the_infinite_kernel_as_its_limit(self):
        chosen = networks(parametrisation="ntk", samples=4)
        x = chosen.loaded.x
        limit = infinite_kernel([Flatten(), Dense(math.sqrt(2), 0.1), Activation("relu"), Dense(1.0, 0.1)], x).ntk
        kernel = empirical_ntk(chosen.network(20_000, 0), x, parameters="all").matrix
        assert float((kernel - limit).norm() / limit.norm()) < 0.03

    @pytest.mark.parametrize(
        ("family", "x"), [("cnn-average", torch.zeros(2, 5)), ("transformer-128", torch.zeros(2, 5))]
    )
    def test_inputs_that_do_not_fit(self, family, x):
        with pytest.raises(KernelError, match="choose other `data`"):
            parametrised.build(family, "standard", x, 4, 1, 0)

    def test_unknown_names(self):
        with pytest.raises(ChoiceError, match="family"):
            parametrised.build("rnn", "standard", torch.zeros(2, 5), 4, 1, 0)
        with pytest.raises(ChoiceError, match="parametrisation"):
            parametrised.build("mlp-1", "mup", torch.zeros(2, 5), 4, 1, 0)


def test_determinism_is_the_mean_distance_of_all_pairs():
    chosen = networks(repeats=4)
    study = Determinism(chosen)
    rows = [row for unit in study.units() for row in study.measure(unit)]
    table = study.summarise(rows).table.set_index("width")
    for width in chosen.widths:
        kernels = [
            empirical_ntk(chosen.network(width, repeat), chosen.loaded.x, "traced", parameters="all").matrix
            for repeat in range(4)
        ]
        distances = [float((a - b).norm()) for i, a in enumerate(kernels) for b in kernels[:i]]
        norm = np.mean([float(kernel.norm()) for kernel in kernels])
        assert table.loc[width, "distance"] == pytest.approx(np.mean(distances))
        assert table.loc[width, "relative_distance"] == pytest.approx(np.mean(distances) / norm)


def _gradients(network, x):
    """Gradients of each sample's outputs, one tensor a parameter, N×…, by a backward pass a sample."""
    rows = [torch.autograd.grad(network(one[None]).sum(), list(network.parameters())) for one in x]
    return [torch.stack(each) for each in zip(*rows, strict=True)]


def _triangle_distance(kernels):
    n = len(kernels[0])
    flat = [torch.stack([k[i, j] for i in range(n) for j in range(i, n)]) for k in kernels]
    return np.mean([float((a - b).norm()) for i, a in enumerate(flat) for b in flat[:i]])


def test_the_published_distance_is_of_gradients_that_are_summed_first():
    chosen = Widths(Subject("mlp-1", "boston-file-order", 5, "normal-fan-in"), (4, 8), 3)
    study = Determinism(chosen, contraction="summed-gradients")
    table = study.summarise([row for unit in study.units() for row in study.measure(unit)]).table.set_index("width")
    for width in chosen.widths:
        gradients = [_gradients(chosen.network(width, repeat), chosen.loaded.x) for repeat in range(3)]
        sums = [torch.stack([each.flatten(1).sum(1) for each in parts], 1) for parts in gradients]
        rows = [torch.cat([each.flatten(1) for each in parts], 1) for parts in gradients]
        summed, kernels = ([each @ each.T for each in matrices] for matrices in (sums, rows))
        assert table.loc[width, "published_distance"] == pytest.approx(_triangle_distance(summed))
        assert table.loc[width, "same_of_kernel_distance"] == pytest.approx(_triangle_distance(kernels))
        whole = [float((a - b).norm()) for i, a in enumerate(summed) for b in summed[:i]]
        assert table.loc[width, "distance"] == pytest.approx(np.mean(whole))


@pytest.mark.parametrize(("width", "published"), [(50, 8.2e3), (500, 2.4e5), (5000, 7.9e6)])
def test_the_published_figures_are_reproduced(width, published):
    """Means over 50 initialisations, as published; here of 20, whose mean scatters by a tenth or two."""
    chosen = Widths(Subject("mlp-1", "boston-file-order", 100, "normal-fan-in"), (width, width + 1), 20)
    (row,) = Determinism(chosen, contraction="summed-gradients").measure((width,))
    distances = np.array(row["published"])
    assert distances[np.triu_indices(20, 1)].mean() == pytest.approx(published, rel=0.35)


def test_networks_without_biases_have_normal_weights():
    network = Widths(Subject("cnn-average", "mnist", 2, "normal-fan-in"), (8, 64), 2).network(64, 0)
    weights = dict(network.named_parameters())
    assert all(name.endswith("weight") for name in weights)
    second = weights["3.weight"]  # 64×64×3×3
    assert float(second.std()) == pytest.approx((64 * 9) ** -0.5, rel=0.02)


def test_the_file_order_is_that_of_the_districts():
    first, drawn = load("boston-file-order", 506), load("boston", 506)
    order = np.random.default_rng(0).permutation(506)
    torch.testing.assert_close(first.x[order], drawn.x)
    torch.testing.assert_close(first.y[order], drawn.y)
    assert float(first.y[0] * 9.188 + 22.533) == pytest.approx(24.0, abs=0.01)  # of the first line, 24,000 dollars


def test_settings_of_version_0_1_0_have_their_digests():
    about = ledgers.digest(Determinism(networks(repeats=50, widths=(4, 8))))
    text = {"name": "determinism", "family": "mlp", "data": "boston", "samples": 12, "parametrisation": "standard"}
    text |= {"seed": 0, "source": "Boston housing (Harrison & Rubinfeld 1978), as embedded in mlxtend"}
    text |= {"output": "traced", "repeats": 50}
    assert about == hashlib.sha256(json.dumps(text, sort_keys=True).encode()).hexdigest()[:16]


def test_wide_networks_are_told_apart_from_narrow_ones_in_the_verdict():
    rows = [
        {"width": width, "norms": [1.0] * 6, "distances": (width**-0.5 * (1 - np.eye(6))).tolist()}
        for width in (50, 500, 5000)
    ]
    verdict = " ".join(Determinism(networks(widths=(50, 500, 5000), repeats=6)).summarise(rows).verdict.sentences)
    assert "From width 500 on: -0.50 [-0.50, -0.50]" in verdict
    assert "falls with width, too" in verdict


def test_constancy_is_the_change_after_plain_gradient_descent():
    chosen = networks(repeats=2)
    study = Constancy(chosen, steps=6, learning_rate=0.05)
    rows = study.measure((8, 1))
    assert [row["step"] for row in rows] == [1, 2, 4, 5, 6]
    network, x, y = chosen.network(8, 1), chosen.loaded.x, chosen.loaded.y
    first = empirical_ntk(network, x, "traced", parameters="all").matrix
    for _ in range(6):
        loss = (network(x) - y).square().mean()
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(network.parameters(), gradients, strict=True):
                parameter -= 0.05 * gradient
    now = empirical_ntk(network, x, "traced", parameters="all").matrix
    assert rows[-1]["relative_difference"] == pytest.approx(float((now - first).norm() / first.norm()), rel=1e-8)
    assert rows[-1]["loss"] == pytest.approx(loss.item())


def test_a_linear_networks_kernel_is_constant(monkeypatch):
    chosen = networks(repeats=2)
    linear = nn.Sequential(nn.Flatten(), nn.Linear(13, 1)).double()
    monkeypatch.setattr(Widths, "network", lambda *_: linear)
    rows = Constancy(chosen, steps=5, learning_rate=0.05).measure((4, 0))
    assert max(row["relative_difference"] for row in rows) < 1e-12


def test_trainings_that_diverge_are_counted_and_left_out():
    chosen = networks(repeats=2)
    study = Constancy(chosen, steps=30, learning_rate=1e6)
    rows = [row for unit in study.units() for row in study.measure(unit)]
    assert {row["status"] for row in rows} >= {"diverged"}
    findings = study.summarise(rows)
    assert findings.table["diverged"].sum() == 4
    assert "no slope" in " ".join(findings.verdict.sentences)


def test_a_kernel_that_grows_beyond_all_numbers_is_a_status(tmp_path):
    study = Constancy(networks(repeats=2), steps=2, learning_rate=1e30)
    with Ledger(tmp_path / "j") as ledger:
        rows = [row for found in ledgers.run(study, ledger) for row in found]
    assert {row["status"] for row in rows} <= {"non-finite", "diverged", "ok"}
    assert "ok" not in {row["status"] for row in rows if row["step"] == 2}


def _constancy_rows(exponent, repeats=6, spread=0.0):
    generator = np.random.default_rng(0)
    return [
        {
            "width": width,
            "repeat": repeat,
            "step": 4,
            "relative_difference": width**exponent * math.exp(spread * generator.standard_normal()),
            "loss": 1.0,
            "status": "ok",
        }
        for width in (10, 100, 1000)
        for repeat in range(repeats)
    ]


@pytest.mark.parametrize(
    ("exponent", "repeats", "outcome", "sentence"),
    [
        (-1.0, 6, Outcome.HOLDS, "at least as fast as width^-1/2"),
        (-0.2, 6, Outcome.FAILS, "more slowly than width^-1/2"),
        (0.3, 6, Outcome.FAILS, "does not fall"),
        (-1.0, 3, Outcome.UNDECIDED, "Too few repeats"),
    ],
)
def test_verdicts(exponent, repeats, outcome, sentence):
    study = Constancy(networks(widths=(10, 100, 1000), repeats=6), steps=4, learning_rate=0.1)
    verdict = study.summarise(_constancy_rows(exponent, repeats)).verdict
    assert verdict.outcome is outcome
    assert sentence in " ".join(verdict.sentences)
    assert verdict.figures["slope"] == pytest.approx(exponent)


@pytest.mark.parametrize(
    "wrong", [{"widths": (8, 4)}, {"widths": (8,)}, {"widths": (0, 4)}, {"repeats": 1}, {"family": "rnn"}]
)
def test_widths_out_of_range(wrong):
    with pytest.raises((ChoiceError, KeyError)):
        networks(**wrong)


def test_a_ledger_keeps_units_and_a_second_run_measures_the_rest(tmp_path, monkeypatch):
    study = Determinism(networks())
    with Ledger(tmp_path / "j") as ledger:
        next(ledgers.run(study, ledger))
    measured, real = [], Determinism.measure
    monkeypatch.setattr(Determinism, "measure", lambda self, unit: measured.append(unit) or real(self, unit))
    with Ledger(tmp_path / "j") as ledger:
        rows = list(ledgers.run(study, ledger))
        assert list(ledgers.run(study, ledger)) == rows
    assert measured == [(8,)]
    with Ledger(tmp_path / "j") as ledger:
        assert ledger.rows(Determinism(networks(repeats=4)), (4,)) is None
        assert not ledger.damaged
    lines = (tmp_path / "j").read_bytes().split(b"\n")
    (tmp_path / "j").write_bytes(b"\n".join([lines[0], b"00000000 x", *lines[2:]]))
    with Ledger(tmp_path / "j") as ledger:
        assert ledger.damaged == 1
        assert list(ledgers.run(study, ledger)) == rows


def test_an_estimate_extrapolates():
    study = Determinism(networks(widths=(4, 8, 16)))
    assert estimate(study).seconds > 0
    assert study.bytes_needed() > 8 * 12**2


def test_every_family_has_presets():
    assert set(Widths.QUICK) == set(Widths.PUBLISHED)
    assert {family for family, _ in Widths.QUICK} == set(NETWORKS)
    assert all(preset["repeats"] == 50 for preset in Widths.PUBLISHED.values())


DEFAULTS = {"mlp": "boston", "cnn": "mnist", "transformer": "sine", "transformer-wide": "sine"}
SMALL = ["--quick", "--widths", "4,8", "--repeats", "2", "--samples", "6", "--device", "cpu"]


@pytest.mark.parametrize("family", ["mlp", "cnn", "transformer", "transformer-wide"])
@pytest.mark.parametrize("name", ["constancy", "determinism"])
def test_the_command_writes_page_table_and_pictures(tmp_path, capsys, name, family):
    out = ["--out", str(tmp_path / "out")]
    steps = ["--steps", "5"] if name == "constancy" else []
    assert command(["study", name, "--family", family, *SMALL, *steps, *out]) == 0
    printed = capsys.readouterr().out
    page = (tmp_path / "out" / f"{name}-{family}-{DEFAULTS[family]}-standard-quick.md").read_text()
    assert "**Claim.**" in page
    assert "## Verdict" in page
    for picture in (tmp_path / "out").glob("*.png"):
        assert f"({picture.name})" in page
        assert picture.stat().st_size > 5000
    assert "Slope" in printed
    assert command(["study", name, "--family", family, *SMALL, *steps, *out, "--json"]) == 0
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert [row["width"] for row in answer["rows"]] == [4, 8]
    total = 2 if name == "determinism" else 4
    assert f"{total} measurements, {total} are there" in captured.err


def test_a_forecast_writes_nothing(tmp_path, capsys):
    assert command(["study", "constancy", *SMALL, "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    captured = capsys.readouterr()
    assert "4 measurements" in captured.out
    assert "Trying some" in captured.err
    assert not (tmp_path / "out").exists()


def test_csv(tmp_path, capsys):
    assert command(["study", "determinism", *SMALL, "--out", str(tmp_path), "--csv"]) == 0
    assert capsys.readouterr().out.startswith("width,relative_distance")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--widths", "a,b"], "--widths expects whole numbers"),
        (["--widths", "8,4"], "numbers that ascend"),
        (["--data", "sine"], "no preset for mlp on sine"),
        (["--samples", "1000"], "boston has 506 samples"),
        (["--data", "boston-file-order", "--family", "cnn"], "no preset for cnn on boston-file-order"),
        (["--family", "gnn"], "family of this study"),
    ],
)
def test_bad_input(tmp_path, capsys, options, message):
    assert command(["study", "determinism", "--quick", *options, "--out", str(tmp_path / "out")]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", ["constancy", "loss-bound", "regression", "convergence", "performance", "lazy"])
def test_contractions_are_of_determinism(capsys, name):
    assert command(["study", name, "--quick", "--contraction", "kernel", "--dry-run"]) == 2
    assert f"--contraction is no option of {name}" in capsys.readouterr().err


def test_widths_that_do_not_fit_into_memory(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1000)
    assert command(["study", "determinism", *SMALL, "--out", str(tmp_path / "out")]) == 1
    assert "smaller --widths" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
