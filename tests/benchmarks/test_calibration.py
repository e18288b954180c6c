"""CalibrationBenchmark's tables, by the described layouts, on small files made in them."""

import numpy as np
import pytest

from ntknas import load_benchmark
from ntknas.benchmarks import Target
from ntknas.benchmarks.formats.calibration_table import quantity_of
from ntknas.benchmarks.formats.fraction_table import CORRUPTIONS, attack_columns
from ntknas.benchmarks.importing import import_files
from ntknas.core.errors import DataError
from tests.benchmarks import made_targets as made

SPACE = made.FewCells()
SHARED = [SPACE.isomorphism_representative(cell) for cell in SPACE]
DISCONNECTED = [cell.index for cell in SPACE if SPACE.is_disconnected(cell)]
ATTACKED = ("clean_acc", *attack_columns())
CALIBRATION = ("acc", "pre_ECE_15", "post_cwCE_em_25", "pre_NLL", "post_Brier", "auc_cifar10c", "brightness")


def fractions(names, chance, seed=0):
    """Rows in the order of cells, header first; isomorphic cells have one value, disconnected ones chance."""
    values = np.random.default_rng(seed).integers(200, 900, (made.FEW, len(names))) / 1000
    values = values[SHARED]
    values[DISCONNECTED] = chance
    return [list(names), *(list(map(repr, row)) for row in values.tolist())]


def calibrated(missing=1):
    """Rows of ``*_tss.csv``, in another order than that of cells, and one of them short."""
    values = np.random.default_rng(3).random((made.FEW, len(CALIBRATION)))
    values[:, CALIBRATION.index("brightness")] = values[SHARED, CALIBRATION.index("brightness")]
    rows = [[str(cell.index), str(cell), *map(repr, row)] for cell, row in zip(SPACE, values.tolist(), strict=True)]
    return [["config", "arch", *CALIBRATION], *rows[missing:][::-1]]


@pytest.fixture
def take(tmp_path):
    def take(*tables, **options):
        paths = [made.save_csv(tmp_path / name, rows) for name, rows in tables]
        return import_files(paths, tmp_path / "bench", open_space=made.open_few, **options)

    return take


FILES = {
    "attack_acc.csv": (ATTACKED, "cifar10", 0.1),
    "attack_acc_cifar100.csv": (ATTACKED, "cifar100", 0.01),
    "attack_acc_imagenet.csv": (ATTACKED, "ImageNet16-120", 0.008),
    "corruption_acc.csv": (CORRUPTIONS, "cifar10", 0.1),
    "corruption_acc_cifar100.csv": (CORRUPTIONS, "cifar100", 0.01),
}


@pytest.mark.parametrize("name", list(FILES))
def test_tables_in_the_order_of_cells(tmp_path, take, name):
    columns, dataset, chance = FILES[name]
    rows = fractions(columns, chance)
    imported = take((name, rows))
    assert (imported.benchmark, imported.cells, len(imported.targets)) == ("calibration", made.FEW, len(columns))
    benchmark = load_benchmark("calibration", folder=tmp_path / "bench")
    for place, column in enumerate(columns):
        table = benchmark.table(Target(dataset, column, None))
        assert table.mean.tolist() == [float(row[place]) for row in rows[1:]]
        assert table.distinct == len(set(SHARED)) < made.FEW
        assert (table.quantity.unit, table.quantity.higher_is_better) == ("", True)


def test_files_of_several_data_sets_go_together(tmp_path, take):
    take(*((name, fractions(columns, chance)) for name, (columns, _, chance) in FILES.items()))
    benchmark = load_benchmark("calibration", folder=tmp_path / "bench")
    assert len(benchmark.tables) == 3 * 33 + 2 * 15
    under = benchmark.quantity(Target("cifar10", "fgsm_Linf_acc0_5", None)).measured_on
    assert under == "images under FGSM, max-norm at most 0.5/255"
    assert benchmark.quantity(Target("cifar10", "zoom_blur", None)).measured_on == "images under zoom blur"


def test_a_table_that_is_joined_on_its_index(tmp_path, take):
    rows = calibrated()
    imported = take(("cifar100_tss.csv", rows))
    assert imported.cells == made.FEW - 1
    benchmark = load_benchmark("calibration", folder=tmp_path / "bench")
    for row in rows[1:]:
        for name, value in zip(CALIBRATION, row[2:], strict=True):
            assert benchmark.table(Target("cifar100", name, None)).mean[int(row[0])] == float(value)
    assert benchmark.table(Target("cifar100", "brightness", None)).measurements is not None
    assert benchmark.table(Target("cifar100", "acc", None)).measurements is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pre_ECE_15", "calibration error on outputs before temperature scaling, lower is better"),
        ("post_MCE_10", "calibration error on outputs after temperature scaling, lower is better"),
        ("post_NLL", "negative log-likelihood on outputs after temperature scaling, lower is better"),
        ("pre_Brier", "Brier score on outputs before temperature scaling, lower is better"),
        ("auc_svhn", "area under the curve on svhn, higher is better"),
        ("acc", "accuracy, higher is better"),
        ("gaussian_noise", "accuracy on images under gaussian noise, higher is better"),
    ],
)
def test_directions(name, text):
    assert str(quantity_of(name)) == text


def changed(rows, row, column, text):
    rows[row][column] = text
    return rows


CLASS = SHARED.index(next(first for cell, first in enumerate(SHARED) if first != cell))
WRONG = {
    "a row missing": ("attack_acc.csv", lambda: fractions(ATTACKED, 0.1)[:-1], "it has 25 rows, and nothing in it"),
    "a row too many": ("attack_acc.csv", lambda: [*fractions(ATTACKED, 0.1), fractions(ATTACKED, 0.1)[1]],
                       "it has more rows than there are cells"),
    "rows in another order": ("corruption_acc.csv", lambda: [CORRUPTIONS, *fractions(CORRUPTIONS, 0.1)[:0:-1]],
                              "its disconnected cells have .*rows are not in official order"),
    "one network, two values": ("corruption_acc.csv", lambda: changed(fractions(CORRUPTIONS, 0.1), 26, 3, "0.5555"),
                                "and 25 are one network that was measured once"),
    "another data set": ("attack_acc_cifar100.csv", lambda: fractions(ATTACKED, 0.1), "its name says cifar100, and"),
    "percentages": ("corruption_acc.csv", lambda: changed(changed(fractions(CORRUPTIONS, 0.1), CLASS + 1, 0, "55"),
                                                          26, 0, "55"), "column 'brightness' is no fraction"),
    "no number": ("corruption_acc.csv", lambda: changed(fractions(CORRUPTIONS, 0.1), 2, 2, "x"), "line 3: expected a"),
    "a column missing": ("corruption_acc.csv", lambda: [[*row[:2], *row[3:]] for row in fractions(CORRUPTIONS, 0.1)],
                         "it has no column 'defocus_blur'"),
    "two rows short": ("cifar10_tss.csv", lambda: calibrated(2), "it has rows of 24 cells, expected 25 or all"),
    "a row twice": ("cifar10_tss.csv", lambda: [*calibrated(), calibrated()[1]], "it holds cell 25 more than once"),
    "index and string at odds": ("cifar10_tss.csv", lambda: changed(calibrated(), 1, 0, "0"), "name different cells"),
    "an unknown cell": ("cifar10_tss.csv", lambda: changed(calibrated(), 1, 0, "26"), "Cell index out of range"),
    "an unknown column": ("cifar10_tss.csv", lambda: changed(calibrated(), 0, 8, "speed"),
                          "nothing says whether higher is better in column 'speed'; import it as a table of your own"),
    "another space": ("cifar10_sss.csv", calibrated, "it is of NATS-Bench's size space"),
    "no data set": ("mine.csv", calibrated, "its name says not of which data set it is: expected cifar10_tss"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(WRONG))
def test_files_that_are_wrong(tmp_path, take, what):
    name, rows, message = WRONG[what]
    with pytest.raises(DataError, match=message):
        take((name, rows()))
    assert not (tmp_path / "bench").exists()
