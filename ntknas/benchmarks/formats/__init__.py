"""Readers of the benchmarks' official files: one module a format, each streaming into a ``Collection``."""
