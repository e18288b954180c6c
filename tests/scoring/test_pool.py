"""Worker processes: the same scores, and no cell of another lost, whatever happens to one."""

import logging
import multiprocessing
import multiprocessing.spawn
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from types import SimpleNamespace

import pytest
import torch

from ntknas import load_store, make_probe
from ntknas.core.children import safe_context
from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError, KernelError, NtknasError
from ntknas.data import Request
from ntknas.scoring import Recipe, make_engine, resources, shards
from ntknas.scoring.engines import Processes, pool, worker_handle
from ntknas.scoring.engines.protocol import MAX_ATTEMPTS
from ntknas.scoring.engines.worker import Word
from ntknas.scoring.engines.worker_handle import WorkerHandle
from ntknas.scoring.events import KernelDone
from ntknas.scoring.inputs import inputs_of
from ntknas.store.layout import worker_journals
from tests.core.test_children import plant
from tests.scoring.fatal import BROKEN, ENDLESS, KILLED, KILLED_ONCE, FatalSpace
from tests.scoring.sessions import SPACE, recipe, same, score, statuses

CELLS = [0, 5, 77, 4000, 5555, 9999]


def test_workers_give_what_one_process_gives(tmp_path, monkeypatch):
    """Beside a reader, which sees whole scores at any moment; and nothing is imported from the working folder."""
    marker, path, seen, stop = plant(tmp_path), tmp_path / "s.h5", [], threading.Event()
    monkeypatch.chdir(tmp_path)

    def read():
        while not stop.is_set():
            if path.exists() or worker_journals(path):
                seen.append(len(load_store(path)))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        together = score(path, CELLS, recipe("trace", "cond", "naswot"), engine=Processes(2, timeout=1e6))
    finally:
        stop.set()
        reader.join()
    same(score(tmp_path / "alone.h5", CELLS, recipe("trace", "cond", "naswot")), together)
    assert seen == sorted(seen)
    assert len(load_store(path)) == 3 * len(CELLS)
    assert not worker_journals(path)
    assert not marker.exists()


def test_what_fails_costs_its_own_scores_and_the_others_are_scored(tmp_path, caplog):
    """A cell that kills its workers, one that kills one, and one that raises."""
    space, cells = FatalSpace(tmp_path), [*CELLS, KILLED, KILLED_ONCE, BROKEN]
    with caplog.at_level(logging.WARNING, "ntknas.scoring"):
        result = score(tmp_path / "s.h5", cells, recipe("trace"), space=space, workers=2)
    found = {cell: status for (cell, _), status in statuses(result).items()}
    assert found == {**dict.fromkeys(cells, "ok"), KILLED: "crashed", BROKEN: "error"}
    reasons = result.frame.set_index("cell")["reason"].astype(str)
    assert "signal 9" in reasons[KILLED]
    assert reasons[BROKEN].startswith("the space 'fatal' of tests: AssertionError: nobody expects this (fatal.py, line")
    assert "raise AssertionError" in caplog.text  # the traceback of another process
    assert (space.kills_of(KILLED), space.kills_of(KILLED_ONCE)) == (MAX_ATTEMPTS, 1)
    good = [cell for cell in cells if found[cell] == "ok"]
    same(
        score(tmp_path / "s.h5", good, recipe("trace"), space=space),
        score(tmp_path / "alone.h5", good, recipe("trace")),
    )


def test_workers_that_are_killed_from_outside_lose_no_score(tmp_path):
    """No fatal cell beside: whose task a kill from outside meets depends on the machine, and counts as its attempt."""
    killed = []

    def kill(event):
        if isinstance(event, KernelDone) and event.item.cell == 5:
            killed.extend(child.pid for child in multiprocessing.active_children())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    result = score(tmp_path / "s.h5", CELLS, recipe("trace"), workers=2, on_event=kill)
    assert killed
    same(result, score(tmp_path / "alone.h5", CELLS, recipe("trace")))


def test_a_cell_that_takes_for_ever_is_given_up(tmp_path):
    engine = Processes(1, timeout=0.1)
    result = score(tmp_path / "s.h5", [ENDLESS], recipe("trace"), space=FatalSpace(tmp_path), engine=engine)
    assert statuses(result) == {(ENDLESS, "trace"): "timeout"}
    assert "longer than 0.1 s" in str(result.frame["reason"].iloc[0])


def test_the_clock_of_a_time_out_starts_when_computing_does():
    """However long a worker takes to start, or a task waits behind another."""
    said = []
    pipe = SimpleNamespace(send=said.append, poll=lambda: False)
    worker = WorkerHandle("name", "cpu", None, pipe, None)
    first, second = SimpleNamespace(cell=0), SimpleNamespace(cell=1)
    worker.give((first,))
    worker.give((second,))
    assert worker.seconds_computing() == 0
    assert not worker.is_computing
    worker.start_clock()
    assert worker.is_computing
    assert worker.seconds_computing() > 0
    worker.strike_off(first)
    assert not worker.is_computing
    assert worker.tasks == deque([(second,)])
    assert said == [(first,), (second,)]


def test_a_pool_without_a_busy_worker_waits_without_end():
    waiting = pool.Pool(None, ["cpu"], timeout=1.0)
    assert waiting._patience() is None
    worker = SimpleNamespace(is_computing=True, seconds_computing=lambda: 0.75)
    waiting._workers = [SimpleNamespace(is_computing=False, seconds_computing=lambda: 0.0), worker]
    assert waiting._patience() == 0.25
    assert pool.Pool(None, ["cpu"])._patience() is None
    assert {word.name for word in Word} == {"HERE", "READY", "COMPUTING"}


@pytest.mark.parametrize("timeout", [0, -1.0, float("nan")])
def test_a_time_out_that_is_none(timeout):
    with pytest.raises(ChoiceError, match="`timeout` must be above 0"):
        Processes(1, timeout=timeout)


def test_an_impossible_recipe_stops_the_run_with_its_message(tmp_path):
    tiny = make_probe("digits", 10, Request(image_size=4))
    with pytest.raises(KernelError, match="two values per channel"):
        score(tmp_path / "s.h5", [8216], recipe(batch_norm="per-sample"), probe=tiny, workers=1)
    assert not multiprocessing.active_children()


def test_workers_that_cannot_begin_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(worker_handle, "work", os._exit)  # another argument list: the process ends at once
    with pytest.raises(NtknasError, match="before they began"):
        score(tmp_path / "s.h5", CELLS, workers=1)


COMMAND = [sys.executable, "-m", "ntknas", "score", "--probe", "digits", "--probe-size", "8", "--channels", "4"]
COMMAND += ["--cells-per-stage", "2", "--cells", "400", "--measures", "trace", "--workers", "1"]


def test_runs_that_are_stopped_or_killed_keep_what_they_reported_and_go_on(tmp_path):
    store = tmp_path / "s.h5"
    process = _started(store)
    _wait_for(lambda: sum(part.read_bytes().count(b'"scores"') for part in worker_journals(store)) >= 4, process)
    process.send_signal(signal.SIGTERM)
    _, message = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert "the same command goes on from there" in message
    kept = len(load_store(store))
    assert kept >= 2
    assert not worker_journals(store)
    process = _started(store)
    _wait_for(lambda: len(worker_journals(store)) == 1, process)
    process.kill()
    _, message = process.communicate()
    assert f"{kept} of 400 kernels stored" in message
    _wait_for(lambda: all(_is_free(part) for part in worker_journals(store)))  # workers end with their coordinator
    assert len(load_store(store)) >= kept


def _started(store):
    command = [*COMMAND, "--store", str(store)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _is_free(part):
    from ntknas.core.errors import StoreError
    from ntknas.store.journal import JournalWriter

    try:
        JournalWriter(part).close()
    except StoreError:
        return False
    return True


def _wait_for(condition, process=None):
    """Wait as long as a process runs that may fulfil it, however busy the machine is."""
    while not condition():
        assert process is None or process.poll() is None, "it ended before"
        time.sleep(0.05)


def test_threads_and_devices(monkeypatch):
    monkeypatch.setattr(resources, "cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert resources.devices_of(None, torch.device("cpu")) == ["cpu"] * 8
    assert resources.devices_of(3, torch.device("cpu")) == ["cpu"] * 3
    assert [resources.threads_of(count) for count in (1, 2, 3, 8, 20)] == [8, 4, 2, 1, 1]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resources.devices_of(None, torch.device("cuda")) == ["cuda:0", "cuda:1"]
    assert resources.devices_of(3, torch.device("cuda")) == ["cuda:0", "cuda:1", "cuda:0"]
    assert resources.devices_of(2, torch.device("cuda:1")) == ["cuda:1"] * 2


def test_threads_are_asked_for_only_while_a_worker_starts(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with worker_handle.threads_for_children(3):
        assert (os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == ("7", "3")
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


@pytest.mark.parametrize(
    ("said", "threads"), [("3", 3), (" 5,2", 5), ("", 4), ("0", 4), ("-1", 4), ("many", 4), ("9" * 30, 4)]
)
def test_threads_that_the_user_asks_for_hold(monkeypatch, said, threads):
    monkeypatch.setattr(resources, "cores", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert resources.threads_of(2) == threads
    assert make_engine(workers=2, device="cpu").threads == threads


@pytest.mark.parametrize("parameters", ["weights", "all"])
def test_shards_are_disjoint_complete_and_share_no_network(parameters):
    what = Recipe(choices=Choices(parameters=parameters))
    cells = list(range(0, 15625, 7))
    parts = [shards.Shard(number, 4).cells(SPACE, what, cells) for number in (1, 2, 3, 4)]
    assert sorted(cell for part in parts for cell in part) == cells
    networks = [{SPACE.representative(SPACE[cell], parameters, "none") for cell in part} for part in parts]
    assert sum(map(len, networks)) == len(set.union(*networks))
    assert max(map(len, networks)) - min(map(len, networks)) <= 1


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/0", "1", "a/b", "1/2/3", "-1/2", ""])
def test_what_is_no_shard(text):
    with pytest.raises(ChoiceError, match="i/n with i from 1 to n"):
        shards.Shard.parse(text)


def test_workers_that_die_before_they_read_anything_are_given_up(tmp_path, monkeypatch):
    """With an assignment larger than a pipe's buffer: nobody waits for the dead to read it."""
    probe = make_probe("noise", 64)
    assert len(pickle.dumps(inputs_of(SPACE, [], recipe=recipe(), probe=probe).job)) > 1 << 17
    safe_context()  # its own child starts while there still is a Python
    monkeypatch.setattr(multiprocessing.spawn, "_python_exe", b"/bin/false")
    with pytest.raises(NtknasError, match=re.escape("workers in turn ended (exit code 1) before they began")):
        score(tmp_path / "s.h5", [0, 5, 77], probe=probe, workers=2)
