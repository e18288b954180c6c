"""The line that a command shows while it works, on a made-up clock."""

from types import SimpleNamespace

from ntknas.cli import meter
from ntknas.core.durations import Amount, TimeLeft
from tests.core.test_durations import Clock


def test_the_line_says_what_costs_say_and_units_done_before_are_no_measure(capsys, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(meter, "time", SimpleNamespace(monotonic=clock))
    monkeypatch.setattr(meter.TimeLeft, "of", lambda costs: TimeLeft({"": Amount(3, sum(costs))}, clock))

    def work():
        for seconds in (0.0, 20.0, 40.0, 200.0):
            clock.now += seconds
            yield seconds

    list(meter.metered(work(), 4, "Measuring", "units", [0.0, 1.0, 2.0, 10.0]))
    lines = capsys.readouterr().err.splitlines()
    assert [line.rpartition(", ")[2] for line in lines] == ["240 s left", "200 s left", "0 s left"]


def test_without_costs_steps_are_alike(capsys, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(meter, "time", SimpleNamespace(monotonic=clock))
    with meter.Meter(4, "Scoring", "kernels") as display:
        clock.now += 20
        display.done(3.0)
        display.advance(1)
    assert "1/4, 0.05 kernels/s, 60 s left" in capsys.readouterr().err
