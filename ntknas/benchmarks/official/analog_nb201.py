"""AnalogNAS-Bench: accuracies of NAS-Bench-201's networks on analog hardware."""

from ntknas.benchmarks.formats import analog_records
from ntknas.benchmarks.source import BenchmarkSource, OfficialFormat

BENCHMARK = BenchmarkSource(
    name="analog-nb201",
    space="nb201",
    text="AnalogNAS-Bench, accuracy on analog hardware and after drifts (the cells of nb201)",
    official=OfficialFormat("data.anb of the package analog-nasbench", analog_records.recognises, analog_records.read),
)
