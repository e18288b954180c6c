"""Accuracies of NAS-Bench-201's networks under attack ("Neural Architecture Design and Robustness: A Dataset")."""

from ntknas.benchmarks.formats import attack_table
from ntknas.benchmarks.source import BenchmarkSource, OfficialFormat

BENCHMARK = BenchmarkSource(
    name="robustness-nb201",
    space="nb201",
    text="accuracy under 32 attacks on CIFAR-10 (the cells of nb201)",
    official=OfficialFormat("robustness_targets.csv", attack_table.recognises, attack_table.read),
)
