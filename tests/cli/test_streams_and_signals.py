"""Closed streams, readers that have gone, full devices, and signals: nothing that was computed is lost."""

import signal
import subprocess
import sys

import pytest

from ntknas import load_store
from ntknas.cli import main, stopping
from ntknas.cli.output import note
from ntknas.cli.stopping import StoppedError, kept, storing
from tests.cli.typed import SMALL, ntknas, without_variables

COMMAND = [sys.executable, "-m", "ntknas"]
SCORE = ["score", *SMALL, "--cells", "3", "--measures", "trace"]


def shell(folder, line, *arguments):
    """Run a line of bash with the command as ``"$@"``."""
    command = ["bash", "-o", "pipefail", "-c", line, "bash", *COMMAND, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_closed_streams_score_all_the_same(tmp_path):
    done = shell(tmp_path, '"$@" >&- 2>&- <&-', *SCORE)
    assert done.returncode == 0
    assert len(load_store(tmp_path / "scores.h5")) == 3
    assert (tmp_path / "scores.h5").read_bytes()[:1] != b"3"  # no message was written into a file of ours


def test_messages_that_nobody_reads_do_not_end_a_run(tmp_path):
    done = shell(tmp_path, '"$@" 2> >(exec 0<&-; true) >out', *SCORE)
    assert done.returncode == 0
    assert len(load_store(tmp_path / "scores.h5")) == 3


QUIET = {
    "a reader that has gone": ('"$@" | head -c 0', (0, 141), ""),
    "a reader of one line": ('"$@" | head -1 >/dev/null', (0, 141), ""),
    "a closed output": ('"$@" >&-', (0,), ""),
    "a full device": ('"$@" >/dev/full', (1,), "No space left on device"),
    "messages on a full device": ('"$@" 2>/dev/full >/dev/null', (0,), ""),
}


@pytest.mark.parametrize("name", list(QUIET))
def test_output_that_nobody_takes(tmp_path, name):
    line, codes, message = QUIET[name]
    done = shell(tmp_path, line, "recipe", "list")
    assert done.returncode in codes
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.stderr.count("\n") == (1 if message else 0)


def test_a_broken_pipe_in_a_command_is_quiet(capsys, monkeypatch):
    def broken():
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(main, "_load", lambda name: broken())
    monkeypatch.setattr(main.streams, "drop", lambda stream: None)
    assert ntknas(capsys, "demo") == (141, "", "")


class _Gone:
    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")

    def flush(self):
        raise BrokenPipeError(32, "Broken pipe")

    def isatty(self):
        return False


def test_a_remark_that_cannot_be_written_is_dropped(monkeypatch):
    monkeypatch.setattr(sys, "stderr", _Gone())
    monkeypatch.setattr(main.streams, "drop", lambda stream: None)
    note("lost")


STORING = """
import os, signal, sys, time
from ntknas.cli import main, stopping
import click

@click.command()
def command():
    def stop():
        {body}
    stop()

main._load = lambda name: command
sys.argv = ["ntknas", "demo"]
main.main()
"""
KEPT = "What was reported as done is stored; the same command goes on from there."


def stopped(body, ignored=()):
    """Run a command that does this; return its exit code and messages."""
    lines = [line.strip("\n") for line in body.splitlines() if line.strip()]
    code = STORING.format(body="\n        ".join(lines))
    prefix = "".join(f"import signal; signal.signal({number}, signal.SIG_IGN)\n" for number in map(int, ignored))
    done = subprocess.run([sys.executable, "-c", prefix + code], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr, done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_stops_in_order(number):
    word = "Interrupted." if number == signal.SIGINT else "Stopped."
    code, err, _ = stopped(f"os.kill(os.getpid(), {int(number)}); time.sleep(60)")
    assert code == 128 + number
    assert err == f"{word}\n"  # nothing was stored, and nothing is said of it
    code, err, out = stopped(
        f"""
with stopping.storing():
    try:
        os.kill(os.getpid(), {int(number)})
        time.sleep(60)
    finally:
        os.kill(os.getpid(), {int(number)})  # a second one while it stops
        print("compacted", flush=True)
"""
    )
    assert code == 128 + number
    assert out == "compacted\n"
    assert err.splitlines() == ["Stopping; what is done is being stored. Once more ends at once.", f"{word} {KEPT}"]


def test_a_third_signal_ends_at_once():
    code, err, out = stopped(
        """
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
finally:
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
    print("not reached", flush=True)
"""
    )
    assert code == 143
    assert out == ""


def test_signals_that_are_to_be_ignored_stay_so():
    code, err, out = stopped("os.kill(os.getpid(), signal.SIGHUP); print('on')", ignored=[signal.SIGHUP])
    assert (code, err, out) == (0, "", "on\n")


def test_what_is_said_of_an_error_while_scores_are_stored():
    with pytest.raises(ZeroDivisionError) as raised, storing(), storing():
        raise ZeroDivisionError
    assert kept(raised.value) == KEPT
    assert kept(StoppedError(15)) == ""
    assert kept(None) == ""
    outer = RuntimeError()
    outer.__cause__ = raised.value
    assert kept(outer) == KEPT


def test_a_dry_run_that_is_interrupted_does_not_speak_of_scores(capsys, tmp_path, monkeypatch):
    from ntknas.scoring import session

    def interrupt(*_, **__):
        raise StoppedError(signal.SIGINT)

    monkeypatch.chdir(tmp_path)
    without_variables(monkeypatch)
    monkeypatch.setattr(session, "forecast", interrupt)
    code, out, err = ntknas(capsys, *SCORE, "--dry-run")
    assert (code, out) == (130, "")
    assert err.splitlines()[-1] == "Interrupted."


def test_windows_is_told_in_one_line():
    code = "import sys; sys.platform = 'win32'; import ntknas.cli.main"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "ntknas runs on Linux and macOS. On Windows it runs in the Windows Subsystem for Linux (WSL)."
    ]


def test_the_exit_codes_are_documented(capsys):
    _, out, _ = ntknas(capsys, "--help")
    assert {"129", "130", "143", "141"} <= set(out.replace(";", " ").replace(",", " ").split())
    assert {stopping.SIGNALS[place] + 128 for place in range(3)} == {129, 130, 143}
