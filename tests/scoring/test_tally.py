"""What was reported as done is compared with what is kept."""

import json

import pytest

from ntknas.cli.main import run as command
from ntknas.cli.scoring_display import ScoringDisplay
from ntknas.scoring import KernelDone
from ntknas.store import load_store
from ntknas.store.layout import worker_journals

SIZE = ["--probe", "digits", "--probe-size", "8", "--channels", "2", "--cells-per-stage", "1", "--measures", "trace"]


@pytest.fixture
def options(tmp_path):
    (tmp_path / "cells").write_text("0\n5\n77\n300\n8216\n")
    return [*SIZE, "--cells-file", str(tmp_path / "cells"), "--store", str(tmp_path / "s.h5")]


def interfere(monkeypatch, act, after=1):
    """Act when so many kernels are reported."""
    show, seen = ScoringDisplay.__call__, []

    def show_then(display, event):
        show(display, event)
        seen.extend([event] * isinstance(event, KernelDone))
        if len(seen) == after and isinstance(event, KernelDone):
            act()

    monkeypatch.setattr(ScoringDisplay, "__call__", show_then)


def test_a_workers_journal_that_is_removed_in_mid_run_is_said(tmp_path, monkeypatch, capsys, options):
    def remove():
        for part in worker_journals(tmp_path / "s.h5"):
            part.unlink()

    interfere(monkeypatch, remove, after=5)
    assert command(["score", *options, "--workers", "1"]) == 1
    printed = capsys.readouterr()
    assert "5 of the 5 scores that were computed are not in" in printed.err
    assert "The same command computes what is missing again" in printed.err
    assert "5 ok" not in printed.out
    monkeypatch.undo()
    assert command(["score", *options]) == 0
    assert "5 ok" in capsys.readouterr().out
    assert len(load_store(tmp_path / "s.h5")) == 5


def test_an_interrupted_run_says_what_is_not_yet_measured(tmp_path, monkeypatch, capsys, options):
    def stop():
        raise KeyboardInterrupt

    interfere(monkeypatch, stop, after=2)
    assert command(["score", *options]) == 130
    monkeypatch.undo()
    store = str(tmp_path / "s.h5")
    kept = len(load_store(tmp_path / "s.h5"))
    capsys.readouterr()
    assert command(["store", "info", store, "--json"]) == 0
    printed = capsys.readouterr()
    [missing] = json.loads(printed.out)["unmeasured"]
    assert (missing["missing"], missing["asked"]) == (5 - kept, 5)
    assert f"{5 - kept} of 5 cells not yet measured" in printed.err
    assert command(["correlate", store, "--json", "--resamples", "200"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["unmeasured"] == [missing]
    assert f"{5 - kept} of 5 cells not yet measured" in printed.err
    assert command(["score", *options]) == 0
    capsys.readouterr()
    assert command(["store", "info", store, "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["unmeasured"] == []
    assert "not yet measured" not in printed.err
