"""Convergence of finite kernels, and the samples and families that it is measured on."""

import json
import os

import numpy as np
import pytest
import torch

from ntknas import empirical_ntk
from ntknas.cli.main import run as command
from ntknas.core.errors import ChoiceError, DataError
from ntknas.studies import tu_format
from ntknas.studies.claims.convergence import Convergence, _deviation, _parts
from ntknas.studies.families import FAMILIES
from ntknas.studies.limits import LIMITS, limit, with_positions

ALL = [(family, data) for family in LIMITS for data in FAMILIES[family].data]


class TestLimits:
    @pytest.mark.parametrize(("family", "data"), ALL)
    def test_samples_networks_and_kernel(self, family, data):
        found = limit(family, data, 5)
        network = found.network(8, seed=0)
        with torch.no_grad():
            assert network(found.x).shape == (5, found.outputs)
        assert found.parameters(8) == sum(each.numel() for each in found.network(8, 0, outputs=1).parameters())
        kernel = found.kernel()
        assert kernel.shape == (5, 5)
        assert float(torch.linalg.eigvalsh(kernel)[0]) > 0
        assert found.y.shape == ((5,) if found.is_classification else (5, 1))
        other, again = (next(found.network(8, seed=seed).parameters()) for seed in (1, 0))
        assert torch.equal(next(network.parameters()), again)
        assert not torch.equal(other, again)

    def test_positions_tell_steps_apart(self):
        codes = with_positions(torch.zeros(1, 10, 1).double())[0]
        assert len({tuple(row) for row in codes.round(decimals=6).tolist()}) == 10

    @pytest.mark.parametrize(
        ("choice", "error", "message"),
        [
            (("lstm", None, 5), ChoiceError, "family of networks"),
            (("rnn", "mutag", 5), ChoiceError, "Unknown data of rnn 'mutag': expected one of sine"),
            (("gnn", "nowhere", 5), ChoiceError, "or a folder of graphs in the TU format"),
            (("gnn", None, 189), DataError, "has 188 graphs, and 189 were asked for"),
            (("rnn", "digits", 2000), DataError, "has 1797 samples"),
            (("mlp-2", None, 1), ChoiceError, "At least two samples"),
        ],
    )
    def test_bad_input(self, choice, error, message):
        with pytest.raises(error, match=message):
            limit(*choice)


class TestTUFormat:
    def test_mutag_is_as_published(self):
        found = tu_format.read(tu_format.mutag_folder())
        assert (found.name, len(found.graphs)) == ("MUTAG", 188)
        assert np.bincount(found.classes).tolist() == [63, 125]
        assert found.graphs.width == 7
        assert (sum(found.graphs.sizes), found.graphs.tokens) == (3371, 28)
        assert sum(int(each.sum()) for each in found.graphs.adjacency) == 7442
        assert all((each.sum(1) == 1).all() for each in found.graphs.features)

    def test_a_small_set_with_attributes(self, tmp_path):
        folder = write(tmp_path, A="1, 2\n2, 2\n4, 5\n", graph_indicator="1\n1\n1\n2\n2\n", graph_labels="7\n-1\n")
        (folder / "X_node_labels.txt").write_text("3\n3\n9\n3\n9\n")
        (folder / "X_node_attributes.txt").write_text("0.5\n1\n2\n3\n4\n")
        found = tu_format.read(folder)
        assert found.classes.tolist() == [1, 0]
        assert found.graphs.features[0].tolist() == [[1, 0, 0.5], [1, 0, 1], [0, 1, 2]]
        assert found.graphs.adjacency[0].tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]  # no loops, both directions
        assert found.graphs.adjacency[1].tolist() == [[0, 1], [1, 0]]

    def test_graphs_without_edges_and_features(self, tmp_path):
        found = tu_format.read(write(tmp_path, A="", graph_indicator="1\n2\n2\n", graph_labels="0\n1\n"))
        assert found.graphs.sizes == [1, 2]
        assert found.graphs.features[1].tolist() == [[1.0], [1.0]]
        assert not found.graphs.adjacency[1].any()

    @pytest.mark.parametrize(
        ("files", "message"),
        [
            ({"A": "1, 9\n"}, "must name two of the 3 nodes"),
            ({"A": "0, 1\n"}, "must name two of the 3 nodes"),
            ({"A": "1, 3\n"}, "an edge between two graphs"),
            ({"A": "1\n"}, "must name two"),
            ({"A": "1, x\n"}, "line 1: expected whole numbers"),
            ({"A": "1, 2\n1\n"}, "as many numbers in every line"),
            ({"A": f"1, {10**20}\n"}, "below 2\\^62"),
            ({"graph_labels": "0, 1\n1, 1\n"}, "one whole number per line, got 2"),
            ({"graph_indicator": "1\n1\n999999999999\n"}, "counted from 1 to 2"),
            ({"graph_indicator": "0\n0\n1\n"}, "counted from 1 to 2"),
            ({"graph_indicator": "1\n1\n3\n"}, "counted from 1 to 2"),
            ({"graph_indicator": "1\n1\n1\n"}, "graph 2 has no nodes"),
            ({"graph_indicator": "2\n1\n2\n"}, "graph by graph"),
            ({"node_attributes": "1\n2\n"}, "has 2 lines, and there are 3 nodes"),
            ({"node_attributes": "1\nnan\n2\n"}, "no number"),
        ],
    )
    def test_bad_files(self, tmp_path, files, message):
        whole = {"A": "1, 2\n2, 1\n", "graph_indicator": "1\n1\n2\n", "graph_labels": "0\n1\n", **files}
        with pytest.raises(DataError, match=message):
            tu_format.read(write(tmp_path, **whole))

    def test_line_ends_blank_lines_and_marks_of_other_systems(self, tmp_path):
        mark = chr(0xFEFF)
        folder = write(tmp_path, A=f"{mark}1, 2\r\n\r\n", graph_indicator="1\r\n1\r\n2\r\n\n", graph_labels="0\r\n1\n")
        assert tu_format.read(folder).graphs.sizes == [2, 1]

    def test_attributes_alone_are_named_when_they_are_too_few(self, tmp_path):
        folder = write(tmp_path, A="", graph_indicator="1\n2\n", graph_labels="0\n1\n", node_attributes="1\n")
        with pytest.raises(DataError, match="X_node_attributes.txt has 1 lines"):
            tu_format.read(folder)

    def test_the_content_is_part_of_what_identifies_a_users_set(self, tmp_path):
        files = {"A": "1, 2\n", "graph_indicator": "1\n1\n2\n", "graph_labels": "0\n1\n"}
        first = limit("gnn", str(write(tmp_path, **files)), 2)
        other = limit("gnn", str(write(tmp_path, **{**files, "A": ""})), 2)
        assert first.source != other.source
        assert first.data != other.data
        assert first.data.startswith("x-")

    def test_a_graph_of_sixty_thousand_nodes_is_refused_by_its_size(self, tmp_path):
        folder = write(tmp_path, A="1, 2\n", graph_indicator="1\n" * 60_000, graph_labels="0\n")
        with pytest.raises(DataError, match="take 26.8 GiB, the largest graph having 60,000 nodes: expected at most 4"):
            tu_format.read(folder)

    def test_many_labels_are_refused_by_their_size(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tu_format, "MAX_MEMORY", 1000)
        files = {"A": "", "graph_indicator": "".join(f"{node}\n" for node in range(1, 51)), "graph_labels": "0\n" * 50}
        with pytest.raises(DataError, match="one-hot labels of 50 nodes take"):
            tu_format.read(write(tmp_path, **files, node_labels="".join(f"{node}\n" for node in range(50))))

    def test_edges_find_their_graphs_in_any_order(self, tmp_path):
        files = {"graph_indicator": "1\n1\n2\n2\n3\n3\n3\n", "graph_labels": "0\n1\n0\n"}
        found = tu_format.read(write(tmp_path, A="6, 7\n1, 2\n5, 6\n3, 4\n", **files))
        assert [matrix.tolist() for matrix in found.graphs.adjacency] == [
            [[0, 1], [1, 0]],
            [[0, 1], [1, 0]],
            [[0, 1, 0], [1, 0, 1], [0, 1, 0]],
        ]

    def test_pipes_are_not_waited_for(self, tmp_path):
        folder = write(tmp_path, A="", graph_labels="0\n1\n")
        os.mkfifo(folder / "X_graph_indicator.txt")
        with pytest.raises(DataError, match="it is a named pipe"):
            tu_format.read(folder)

    def test_missing_files(self, tmp_path):
        with pytest.raises(DataError, match="no set of graphs in the TU format"):
            tu_format.read(tmp_path)
        (tmp_path / "X_A.txt").write_text("1, 2\n")
        with pytest.raises(DataError, match="Cannot read"):
            tu_format.read(tmp_path)


def write(folder, **files):
    for name, text in files.items():
        (folder / f"X_{name}.txt").write_text(text)
    return folder


def test_errors_bias_and_deviation_are_those_of_the_kernels():
    study = Convergence.of("gnn", samples=4, widths=(4, 8), repeats=3)
    rows = [row for unit in study.units() for row in study.measure(unit)]
    found = study.summarise(rows)
    limits = study.limits["gnn"].infinite()
    kernels = []
    for repeat in range(3):
        network = study.limits["gnn"].network(8, 8 * 10_007 + repeat, outputs=1)
        kernels.append(empirical_ntk(network, study.limits["gnn"].x, parameters="all").matrix)
    stack = torch.stack(kernels)
    norm = limits.norm()
    line = found.table.iloc[1]
    error = (stack - limits).flatten(1).norm(dim=1) / norm
    assert line["error"] == pytest.approx(float(error.square().mean().sqrt()))
    deviation = float((stack.var(0).sum() / norm**2).sqrt())
    assert line["deviation"] == pytest.approx(deviation)
    raw = float(((stack.mean(0) - limits).norm() / norm) ** 2) - deviation**2 / 3
    assert np.isnan(line["bias"]) if raw <= 0 else line["bias"] == pytest.approx(raw**0.5)


def test_bias_and_deviation_are_told_apart():
    generator = np.random.default_rng(0)
    parts = _parts(np.array([0.3, 0.4]) + 0.1 * generator.standard_normal((20_000, 2)))
    assert parts["bias"] == pytest.approx(0.5, rel=0.01)
    assert parts["deviation"] == pytest.approx(0.1 * 2**0.5, rel=0.02)
    assert parts["error"] ** 2 == pytest.approx(parts["bias"] ** 2 + parts["deviation"] ** 2, rel=1e-3)
    assert _deviation(np.ones((5, 3)), np.arange(5)) == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"widths": (8, 4)}, "ascend"),
        ({"repeats": 1}, "two repeats"),
        ({"data": "sine"}, "`data` goes with one `family`"),
    ],
)
def test_bad_choices(wrong, message):
    with pytest.raises(ChoiceError, match=message):
        Convergence.of(**wrong)


def test_the_command(tmp_path, capsys):
    small = ["--quick", "--widths", "16,64", "--repeats", "5", "--samples", "4", "--device", "cpu"]
    assert command(["study", "convergence", *small, "--out", str(tmp_path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    families = ["mlp", "cnn", "gnn", "rnn", "transformer"]
    assert [row["family"] for row in answer["rows"][::2]] == families
    for family in families:
        errors = [row["error"] for row in answer["rows"] if row["family"] == family]
        assert errors[-1] < 0.8 * errors[0]
    page = (tmp_path / "convergence-all-own-ntk-quick.md").read_text()
    assert page.count(": slope -0.") == 5
    assert answer["outcome"] in ("holds", "undecided")
    assert set(families) <= set(answer["figures"])
    assert command(["study", "convergence", "--quick", "--steps", "3"]) == 2
    assert "--steps is no option of convergence" in capsys.readouterr().err
