"""TransNAS-Bench-101, its cell-level space: seven tasks for the cells of NAS-Bench-201 without pooling."""

from ntknas.benchmarks.formats import transnas_list
from ntknas.benchmarks.source import BenchmarkSource, OfficialFormat

BENCHMARK = BenchmarkSource(
    name="transnas-micro",
    space="nb201",
    text="TransNAS-Bench-101, micro: seven tasks, in another skeleton (4,096 cells of nb201)",
    official=OfficialFormat("RBFleX-NAS's micro_TASK.json", transnas_list.recognises, transnas_list.read, is_part=True),
)
