"""The commands about official files, as a user types them."""

import json

import numpy as np
import pytest

from ntknas import load_store
from ntknas.benchmarks import benchmark_names
from ntknas.data import source_names
from ntknas.spaces.structure import COUNTS
from tests.benchmarks import official
from tests.cli.test_commands import fails, ntknas
from tests.data import official_images

SIZES = "--channels 8 --cells-per-stage 1 --probe digits --probe-size 10 --measures trace,cond".split()


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_help_names_every_image_source(capsys):
    assert ntknas(capsys, "score", "--help")[1].count("mnist.") == 2
    shown = " ".join(ntknas(capsys, "kernel", "--help")[1].split())
    assert set(shown.split("Images of the probe: ")[1].split(".")[0].replace(" or ", ", ").split(", ")) == {
        *source_names()
    }


def test_import_info_query_verify(capsys, tmp_path):
    source = official.save_pth(tmp_path / "nb.pth", official.nb201_content((0, 8216)))
    code, out, err = ntknas(capsys, "bench", "import", source)
    assert code == 0
    assert "bench_data/nb201.h5: 24 training runs of 2 cells" in out
    assert "holds 2 of the 15,625 cells" in err
    source.unlink()
    code, out, _ = ntknas(
        capsys, "bench", "query", "nb201", 8216, *"--dataset cifar10 --split test --epochs 200".split()
    )
    assert code == 0
    assert "cifar10/test/200: 56.0000 % (mean over runs" in out
    answer = json.loads(ntknas(capsys, "bench", "query", "nb201", 0, "--dataset", "cifar10", "--json")[1])
    assert answer["target"] == "cifar10/test/200"
    assert answer["accuracy_percent"] == 40.0
    assert [run["seed"] for run in answer["runs"]] == [777, 999]
    assert answer["runs"][0]["training_seconds"] == 400.0
    assert (answer["parameters"], answer["flops"]) == (129_306, 15_647_370)
    code, out, _ = ntknas(capsys, "bench", "info", "nb201")
    assert code == 0
    assert "777 999" in out
    assert "imported from nb.pth" in out
    assert ntknas(capsys, "bench", "verify")[0] == 0
    table = tmp_path / "bench_data" / "nb201.h5"
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(bytes(content))
    assert "has changed since it was written" in fails(capsys, "bench", "verify", "nb201")
    assert "Unknown benchmark" in fails(capsys, "bench", "verify", "nb3")


def test_import_of_a_wrong_file(capsys, tmp_path):
    (tmp_path / "x.pth").write_bytes(b"hello")
    assert "x.pth was not imported: it is none of the official files" in fails(capsys, "bench", "import", "x.pth")
    assert not (tmp_path / "bench_data").exists()
    assert "Unknown benchmark 'nb9'" in fails(capsys, "bench", "import", "x.pth", "--bench", "nb9")


def test_bench_list_says_what_to_import(capsys):
    out = ntknas(capsys, "bench", "list")[1]
    assert "nats-sss: NATS-Bench, size; not imported" in out
    assert "nasbench_only108.tfrecord" in out
    overview = json.loads(ntknas(capsys, "bench", "list", "--json")[1])["benchmarks"]
    assert {row["benchmark"]: row["source"] for row in overview} == {
        **dict.fromkeys(benchmark_names()),
        "nb201": "embedded",
    }


def test_score_and_correlate_nats_sizes(capsys, tmp_path):
    cells = list(range(0, 30_000, 2000))
    folder = official.save_nats(tmp_path / "sss", cells=cells, budgets=((1, "01"), (90, "90")))
    assert ntknas(capsys, "bench", "import", folder)[0] == 0
    (tmp_path / "cells.txt").write_text("\n".join(map(str, cells)))
    code, _, err = ntknas(capsys, "score", "--bench", "nats-sss", "--cells-file", "cells.txt", *SIZES)
    assert code == 0, err
    rows = json.loads(ntknas(capsys, "correlate", "--json", "--resamples", 10)[1])["rows"]
    assert {row["target"] for row in rows} == {"cifar10/test/90", "cifar10-valid/test/90", "cifar10-valid/valid/90"}
    assert {row["n"] for row in rows} == {15}
    rows = json.loads(ntknas(capsys, "correlate", "--target", "cifar10/train/1", "--json", "--resamples", 0)[1])["rows"]
    assert {row["target"] for row in rows} == {"cifar10/train/1"}
    assert "holds accuracies of nb201's cells, and the scores are of nats-sss's" in fails(
        capsys, "correlate", "--bench", "nb201"
    )


def test_topology_of_nats_scores_the_cells_of_nb201(capsys, tmp_path):
    folder = official.save_nats(tmp_path / "tss", "nb201", cells=range(12), budgets=((12, "12"), (200, "200")))
    assert ntknas(capsys, "bench", "import", folder)[0] == 0
    (tmp_path / "cells.txt").write_text("\n".join(map(str, range(12))))
    assert ntknas(capsys, "score", "--bench", "nats-tss", "--cells-file", "cells.txt", *SIZES)[0] == 0
    rows = json.loads(ntknas(capsys, "correlate", "--bench", "nats-tss", "--json", "--resamples", 0)[1])["rows"]
    assert "cifar10/test/200" in {row["target"] for row in rows}
    embedded = json.loads(ntknas(capsys, "correlate", "--json", "--resamples", 0)[1])["rows"]
    assert {row["target"] for row in embedded} == {"cifar10-valid/valid/200"}


def test_nb101_on_the_cpu_against_published_accuracies(capsys, test_data):
    """The published table as accuracies of a user."""
    size = "--channels 8 --cells-per-stage 1 --probe digits --probe-size 10 --measures trace,cond,lga".split()
    code, _, err = ntknas(capsys, "score", "--bench", "nb101", "--dataset", "cifar10", "--cells", "50", *size)
    assert code == 0, err
    published = test_data / "nb101_cifar10.npz"
    code, out, _ = ntknas(
        capsys, "correlate", "--accuracies", published, "--column", "test_acc_108_mean", "--json", "--resamples", 50
    )
    assert code == 0
    rows = json.loads(out)["rows"]
    assert {row["measure"] for row in rows} == {"trace", "cond", "lga", *COUNTS}
    assert {row["n"] for row in rows} == {50}
    assert all(row["target"] == "test_acc_108_mean" for row in rows)


def test_data_list_and_verify(capsys, tmp_path):
    out = ntknas(capsys, "data", "list")[1]
    for text in ("embedded", "0 of 7 files", "0 of 11 files", "no: its licence", "image_data/MNIST/raw"):
        assert text in out
    official_images.mnist(tmp_path / "image_data")
    rows = json.loads(ntknas(capsys, "data", "list", "--json")[1])["rows"]
    assert {row["source"]: row["there"] for row in rows}["mnist"] == "4 of 4 files"
    assert ntknas(capsys, "data", "verify")[0] == 0
    official_images.cifar10(tmp_path / "image_data")
    code, out, err = ntknas(capsys, "data", "verify", "cifar10")
    assert code == 1
    assert "changed" in out
    assert "2 file(s) are not as published and 5 are missing" in err


def test_probes_by_other_recipes(capsys, tmp_path):
    official_images.cifar10(tmp_path / "image_data")
    recipe = "--probe cifar10 --pixels zero-cost-nas --augment crop-flip --probe-size 10 --draw random".split()
    size = "--channels 2 --cells-per-stage 1 --cells 3 --measures trace".split()
    assert ntknas(capsys, "score", *size, *recipe)[0] == 0
    fields = json.loads(ntknas(capsys, "store", "info", "--json")[1])["settings"][0]["fields"]
    assert (fields["probe_augmentation"], fields["probe_pixels"]) == ("crop-flip", "zero-cost-nas")


def test_a_user_gives_hashes(capsys, tmp_path):
    from ntknas import load_space
    from ntknas.benchmarks import read_accuracies

    space = load_space("nb101")
    hashes = [str(space[index]) for index in (5, 7)]
    (tmp_path / "a.csv").write_text("hash,accuracy\n" + "\n".join(f"{text},{n}.5" for n, text in enumerate(hashes)))
    assert read_accuracies(tmp_path / "a.csv", space).to_dict() == {5: 0.5, 7: 1.5}
    raw = np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(2, 16)
    np.savez(tmp_path / "a.npz", hash=raw, accuracy=[1.0, 2.0])
    assert read_accuracies(tmp_path / "a.npz", space).to_dict() == {5: 1.0, 7: 2.0}
    (tmp_path / "b.npz").write_bytes(b"no archive")
    ntknas(capsys, "score", "--cells", "2", "--probe", "noise", "--channels", "2", "--measures", "trace")
    assert "b.npz is not a numpy archive" in fails(capsys, "correlate", "--accuracies", "b.npz")


def test_a_recipe_decides_and_the_command_line_wins(capsys, tmp_path):
    small = "--probe digits --channels 2 --cells-per-stage 1 --cells 2".split()
    code, _, err = ntknas(capsys, "score", "--recipe", "vilhess", *small, "--probe-size", "20")
    assert code == 0, err
    answer = json.loads(ntknas(capsys, "store", "info", "--json")[1])
    fields = answer["settings"][0]["fields"]
    assert (fields["batch_norm"], fields["parameters"], fields["probe_draw"]) == ("per-sample", "all", "first")
    assert answer["runs"][0]["recipe"] == "vilhess+probe-size=20"
    (tmp_path / "mine.toml").write_text('[score]\nmeasures = "cond"\nprobe-size = 7\nseeds = 2\n')
    code, _, err = ntknas(capsys, "score", "--recipe", "mine.toml", *small, "--store", "b.h5")
    assert code == 0, err
    frame = load_store("b.h5")
    assert set(frame["seed"]) == {0, 1}
    assert set(frame["recipe"]) == {"mine"}
    assert set(frame["probe_shape"]) == {"7x3x32x32"}


def test_a_recipe_with_an_impossible_value(capsys, tmp_path):
    (tmp_path / "mine.toml").write_text('[score]\nmeasures = "cond"\nprobe-size = "many"\n')
    message = fails(capsys, "score", "--recipe", "mine.toml", "--cells", "2")
    assert "The recipe mine.toml, [score]: probe-size must be a whole number from 1" in message
    assert "Unknown recipe 'moks'" in fails(capsys, "score", "--recipe", "moks")


def test_recipes_are_listed_and_shown(capsys):
    out = ntknas(capsys, "recipe", "list")[1]
    assert "mok-eval" in out
    out = ntknas(capsys, "recipe", "show", "tenas")[1]
    for text in ("ICLR 2021", "--fresh-probes", "kaiming-fan-out", "72"):
        assert text in out
    shown = json.loads(ntknas(capsys, "recipe", "show", "mok", "--json")[1])
    assert shown["score"]["nb101"]["probe-size"] == 64
    assert "Unknown recipe" in fails(capsys, "recipe", "show", "x")


def test_all_kinds_of_measures_in_one_run(capsys):
    size = "--probe digits --probe-size 40 --channels 4 --cells-per-stage 1 --cells 3".split()
    code, _, err = ntknas(capsys, "score", *size, "--measures", "trace,regression,snip,naswot,synflow")
    assert code == 0, err
    frame = load_store("scores.h5")
    assert set(frame["measure"]) == {"trace", "krr_acc", "krr_mse", "snip", "naswot", "synflow"}
    assert len(frame) == 18
    assert (
        "nothing was missing" in ntknas(capsys, "score", *size, "--measures", "trace,regression,snip,naswot,synflow")[1]
    )
    rows = json.loads(ntknas(capsys, "correlate", "--json", "--resamples", 0)[1])["rows"]
    assert {row["kernel"] for row in rows if row["measure"] == "snip"} == {"network/training/all"}


def test_two_stores_are_compared(capsys):
    size = "--probe digits --probe-size 10 --channels 2 --cells-per-stage 1 --cells 12 --measures trace,cond".split()
    for name, policy in (("a.h5", "frozen"), ("b.h5", "coupled")):
        assert ntknas(capsys, "score", *size, "--batch-norm", policy, "--store", name)[0] == 0
    code, out, _ = ntknas(capsys, "diff", "a.h5", "b.h5")
    assert code == 0
    assert "batch_norm frozen → coupled" in out
    assert "moved farthest" in out
    rows = json.loads(ntknas(capsys, "diff", "a.h5", "a.h5", "--json")[1])["rows"]
    assert [(row["n"] - row["equal"], row["kendall"], row["worst"]) for row in rows] == [(0, 1.0, [])] * 2
    assert "No score store" in fails(capsys, "diff", "a.h5", "none.h5")


def test_the_rank_sum_of_tenas_stands_beside_its_parts(capsys):
    size = "--probe digits --probe-size 10 --channels 2 --cells-per-stage 1 --cells 20 --seeds 1".split()
    assert ntknas(capsys, "score", *size, "--recipe", "tenas")[0] == 0
    rows = json.loads(ntknas(capsys, "correlate", "--json", "--resamples", 50, "--compare")[1])
    assert {"cond", "linear_regions", "tenas_rank"} <= {row["measure"] for row in rows["rows"]}
    pairs = rows["comparisons"]["cifar10-valid/valid/200"]
    assert len(pairs) == 36
    alone = json.loads(ntknas(capsys, "correlate", "--json", "--resamples", 50, "--measures", "tenas_rank")[1])
    assert {row["measure"] for row in alone["rows"]} == {"tenas_rank", *COUNTS}
    out = ntknas(capsys, "correlate", "--resamples", 50, "--compare")[1]
    assert "difference [95 %]" in out
