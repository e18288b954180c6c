"""NATS-Bench, its size space."""

from ntknas.benchmarks.formats.nats_folder import NATSFolder, hint
from ntknas.benchmarks.source import BenchmarkSource, OfficialFormat

_FORMAT = NATSFolder("nats-sss")

BENCHMARK = BenchmarkSource(
    name="nats-sss",
    space="nats-sss",
    text="NATS-Bench, size",
    official=OfficialFormat("folder NATS-sss-v1_0-50262-simple", _FORMAT.recognises, _FORMAT.read, hint),
)
