"""NATS-Bench, its topology space."""

from ntknas.benchmarks.formats.nats_folder import NATSFolder, hint
from ntknas.benchmarks.source import BenchmarkSource, OfficialFormat

_FORMAT = NATSFolder("nats-tss")

BENCHMARK = BenchmarkSource(
    name="nats-tss",
    space="nb201",
    text="NATS-Bench, topology (the cells of nb201)",
    official=OfficialFormat("folder NATS-tss-v1_0-3ffb9-simple", _FORMAT.recognises, _FORMAT.read, hint),
)
