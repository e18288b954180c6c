"""HW-NAS-Bench: latencies and energies of NAS-Bench-201's networks."""

from ntknas.benchmarks.formats import hardware_table
from ntknas.benchmarks.source import BenchmarkSource, OfficialFormat

BENCHMARK = BenchmarkSource(
    name="hw-nas-bench",
    space="nb201",
    text="HW-NAS-Bench, latency and energy on six devices (the cells of nb201)",
    official=OfficialFormat(
        "hw_cifar10.csv, hw_cifar100.csv and hw_ImageNet16-120.csv",
        hardware_table.recognises,
        hardware_table.read,
        is_part=True,
    ),
)
