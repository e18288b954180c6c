"""NAS-Bench-360's tasks, and latency and energy of NAS-Bench-201's networks for them on phones and small computers."""

from ntknas.benchmarks.formats import device_tasks
from ntknas.benchmarks.source import BenchmarkSource, OfficialFormat

BENCHMARK = BenchmarkSource(
    name="nb360",
    space="nb201",
    text="NAS-Bench-360: CIFAR-100, NinaPro and Darcy Flow, with latency and energy (the cells of nb201)",
    official=OfficialFormat("dataset.parquet of HW-NAS-Bench-360", device_tasks.recognises, device_tasks.read),
)
