"""CalibrationBenchmark: calibration and robustness of NAS-Bench-201's networks, by the described layouts."""

from pathlib import Path

from ntknas.benchmarks.formats import calibration_table, fraction_table
from ntknas.benchmarks.formats.collection import Collection
from ntknas.benchmarks.source import BenchmarkSource, OfficialFormat, Start
from ntknas.spaces import Space


def _recognises(path: Path) -> bool:
    return calibration_table.recognises(path) or fraction_table.recognises(path)


def _read(path: Path, space: Space, start: Start) -> Collection:
    if calibration_table.recognises(path):
        return calibration_table.read(path, space, start)
    return fraction_table.read(path, space, start)


BENCHMARK = BenchmarkSource(
    name="calibration",
    space="nb201",
    text="CalibrationBenchmark: calibration, attacks and corruptions (the cells of nb201)",
    official=OfficialFormat(
        "cifar10_tss.csv, cifar100_tss.csv, ImageNet_tss.csv, attack_acc*.csv and corruption_acc*.csv of "
        "CalibrationBenchmark",
        _recognises,
        _read,
        is_part=True,
    ),
)
