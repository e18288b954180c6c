"""The Ray engine on a real cluster of two nodes on this machine, one of which dies."""

import logging
import os
import signal
import subprocess
import sys
import time

import pytest

from ntknas import load_store, make_probe
from ntknas.cli.main import run
from ntknas.core.errors import KernelError, NtknasError
from ntknas.data import Request
from ntknas.scoring.engines import Ray
from ntknas.scoring.events import KernelDone
from tests.scoring.fatal import BROKEN, ENDLESS, KILLED, KILLED_ONCE, FatalSpace
from tests.scoring.sessions import recipe, same, score, statuses
from tests.scoring.test_pool import CELLS

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.filterwarnings("ignore")
from ntknas.scoring.engines.ray_cluster import connected  # noqa: E402  (it needs ray)


@pytest.fixture(scope="module", autouse=True)
def as_urgent_as_tests():
    """Ray's processes step back for all others: beside tests that keep every core busy they would take minutes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")
        yield


@pytest.fixture(scope="module")
def cluster(as_urgent_as_tests):
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 100 * 2**20})
    made.add_node(num_cpus=1, object_store_memory=100 * 2**20)
    ray.init(address=made.address, log_to_driver=False)
    yield made
    ray.shutdown()
    made.shutdown()


def test_what_fails_costs_its_own_scores_and_the_others_are_what_one_process_gives(cluster, tmp_path, caplog):
    """The rule of worker processes: tests/scoring/test_pool.py."""
    assert ray.cluster_resources()["CPU"] == 2
    space, cells = FatalSpace(tmp_path), [*CELLS, KILLED, KILLED_ONCE, BROKEN]
    with caplog.at_level(logging.WARNING, "ntknas.scoring"):
        result = score(tmp_path / "s.h5", cells, recipe("trace"), space=space, engine=Ray())
    found = {cell: status for (cell, _), status in statuses(result).items()}
    assert found == {**dict.fromkeys(cells, "ok"), KILLED: "crashed", BROKEN: "error"}
    reasons = result.frame.set_index("cell")["reason"].astype(str)
    assert reasons[BROKEN].startswith("the space 'fatal' of tests: AssertionError: nobody expects this (fatal.py, line")
    assert "raise AssertionError" in caplog.text
    good = [cell for cell in cells if found[cell] == "ok"]
    same(
        score(tmp_path / "s.h5", good, recipe("trace"), space=space),
        score(tmp_path / "alone.h5", good, recipe("trace")),
    )


def test_a_cell_that_takes_for_ever_is_given_up(cluster, tmp_path):
    space, engine = FatalSpace(tmp_path), Ray(timeout=0.1)
    result = score(tmp_path / "s.h5", [ENDLESS], recipe("trace"), space=space, engine=engine)
    assert statuses(result) == {(ENDLESS, "trace"): "timeout"}


def test_an_impossible_recipe_stops_the_run_with_its_message(cluster, tmp_path):
    tiny = make_probe("digits", 10, Request(image_size=4))
    with pytest.raises(KernelError, match="two values per channel"):
        score(tmp_path / "s.h5", [8216], recipe(batch_norm="per-sample"), probe=tiny, engine=Ray())


def test_no_gpu_in_the_cluster(cluster, tmp_path):
    with pytest.raises(NtknasError, match="no GPU"):
        score(tmp_path / "s.h5", CELLS, engine=Ray(device_name="cuda"))


def test_a_node_that_dies_in_mid_run_costs_nothing(cluster, tmp_path):
    """Last in this file: one node is gone after it."""
    cells, seen = list(range(0, 15625, 1200)), []
    second = next(node for node in cluster.worker_nodes)

    def kill(event):
        seen.extend([event] * isinstance(event, KernelDone))
        if len(seen) == 5:
            cluster.remove_node(second, allow_graceful=False)
            seen.append("removed")

    result = score(tmp_path / "s.h5", cells, recipe("trace"), engine=Ray(), on_event=kill)
    while ray.cluster_resources()["CPU"] > 1:  # the head notices after a while
        time.sleep(0.2)
    same(result, score(tmp_path / "alone.h5", cells, recipe("trace")))


def test_signals_stay_the_commands_and_the_path_is_safe(monkeypatch):
    seen = []

    def init(**_):
        seen.append(os.environ.get("PYTHONSAFEPATH"))
        signal.signal(signal.SIGTERM, lambda *_: None)  # as Ray does

    for name, value in {"is_initialized": lambda: False, "init": init, "shutdown": lambda: None}.items():
        monkeypatch.setattr(ray, name, value)
    before = signal.getsignal(signal.SIGTERM)
    with connected(None):
        assert signal.getsignal(signal.SIGTERM) is before
    assert seen == ["1"]


COMMAND = [
    "score",
    "--probe",
    "digits",
    "--probe-size",
    "8",
    "--channels",
    "2",
    "--cells-per-stage",
    "1",
    "--cells",
    "2",
]
COMMAND += ["--measures", "trace", "--engine", "ray"]


def test_the_command_starts_a_cluster_here(tmp_path):
    command = [sys.executable, "-m", "ntknas", *COMMAND, "--store", str(tmp_path / "s.h5")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(load_store(tmp_path / "s.h5")) == 2


def test_the_command_says_that_there_is_no_cluster(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    assert run([*COMMAND, "--store", str(tmp_path / "s.h5"), "--ray-address", "127.0.0.1:1"]) == 1
    error = capsys.readouterr().err
    assert "Cannot use a Ray cluster at 127.0.0.1:1" in error
    assert "leave --ray-address out" in error
