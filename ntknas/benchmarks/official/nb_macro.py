"""NAS-Bench-Macro."""

from ntknas.benchmarks.formats import macro_records
from ntknas.benchmarks.source import BenchmarkSource, OfficialFormat

BENCHMARK = BenchmarkSource(
    name="nb-macro",
    space="nb-macro",
    text="NAS-Bench-Macro, three trainings on CIFAR-10",
    official=OfficialFormat("nas-bench-macro_cifar10.json", macro_records.recognises, macro_records.read),
)
