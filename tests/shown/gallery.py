"""One object of every public class, with markup wherever a file or a user decides what stands in it."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

import ntknas
from ntknas import correlation, search
from ntknas.benchmarks import AccuracyTable, Benchmark, Costs, OwnTable, Target
from ntknas.core.kernel import Kernel
from ntknas.core.score import Score, Status
from ntknas.correlation.epochs import Curve, Point
from ntknas.data import ImageSource, Request, make_probe
from ntknas.data.sources import load_images
from ntknas.explanation.result import Spectrum
from ntknas.explanation.standing import standing
from ntknas.kernels import Batch, KernelOperator, Method, kernel_operator
from ntknas.measures import get_measure
from ntknas.measures.registry import all_derived
from ntknas.models import ModelOptions, load_model
from ntknas.published import OpenWay, Release
from ntknas.scoring import NetworkOptions, Processes, Recipe, Strategy, Training
from ntknas.scoring.following import FollowedCells
from ntknas.scoring.forecast import Forecast
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Plan, WorkItem
from ntknas.scoring.progress import EpochsDone, KernelDone
from ntknas.search import KnownScore, Objective, Problem
from ntknas.search.best_score import Found, ScoreSearch
from ntknas.spaces.drawing import drawing_of
from ntknas.spaces.nb101.cells import Cell as NB101Cell
from ntknas.store import ScoreRecord, ScoreStore, Setting
from ntknas.store.identity import TrainingIdentity
from ntknas.studies.base import Findings
from ntknas.studies.verdict import Outcome, Verdict
from ntknas.tracking import DRIFTS, KernelTracker, Track, label_alignment
from ntknas.training import Epoch, TrainingImages, TrainingOptions
from tests.correlation.stores import NB201 as FIELDS
from tests.correlation.stores import fill
from tests.tracking.test_track_damage import example

MARKUP = "<script>alert('1')</script>&\"<b>"
SMALL = Recipe(network=NetworkOptions(channels=2, cells_per_stage=1), measures=("trace",))
CELLS = range(100, 140)


@cache
def kernel() -> Kernel:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.ReLU(), nn.Linear(4, 2))
    return ntknas.empirical_ntk(network, torch.randn(6, 3, 2, 2), labels=torch.arange(6) % 2, parameters="all")


def kernel_with_spectrum() -> Kernel:
    made = kernel().cosine()
    assert len(made.spectrum) == 6
    return made


@cache
def probe():
    return make_probe("digits", 6, Request(image_size=8))


@cache
def correlated() -> correlation.Correlation:
    generator = np.random.default_rng(0)
    scores = pd.DataFrame(generator.random((40, 2)), pd.Index(CELLS, name="cell"), columns=[MARKUP, "cond"])
    accuracies = pd.DataFrame(generator.random((40, 2)), pd.Index(CELLS, name="cell"), columns=[MARKUP, "other"])
    return ntknas.correlate(scores, accuracies, space="nb201", resamples=200)


@cache
def over_targets() -> correlation.Overview:
    scores = pd.DataFrame({MARKUP: np.arange(40.0) % 7}, pd.Index(CELLS, name="cell"))
    accuracies = {f"{MARKUP} {number}": pd.Series(np.arange(40.0) % number, CELLS) for number in (5, 11)}
    return correlation.over_targets(scores, accuracies, space="nb201")


@cache
def traded() -> correlation.TradeOffs:
    scores = pd.Series(np.arange(40.0) % 7, pd.Index(CELLS, name="cell"), name=MARKUP)
    generator = np.random.default_rng(1)
    values = {f"{MARKUP} {number}": pd.Series(generator.random(40), CELLS) for number in range(2)}
    return correlation.trade_offs(scores, values, space="nb201", resamples=0)


@cache
def scored():
    return ntknas.score("nb201", [8216, 6111], recipe=SMALL, probe=probe(), dataset="cifar10")


@cache
def followed() -> FollowedCells:
    training = Training(TrainingImages("digits", Request(image_size=8), 20), TrainingOptions(), epochs=(1,))
    return ntknas.follow("nb201", [8216], recipe=SMALL, probe=probe(), training=training, measures=["trace"])


@cache
def problem() -> Problem:
    generator = np.random.default_rng(2)
    table = AccuracyTable(generator.random((15625, 2)), (0, 1))
    return Problem(ntknas.load_space("nb201"), Objective.of_tables(table, table, (MARKUP, MARKUP)), 20)


@cache
def searched() -> search.SearchResult:
    score = KnownScore(MARKUP, np.random.default_rng(3).random(15625))
    return search.search(problem(), ["random", "best-scored"], [score], seeds=3)


@cache
def explained():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    return ntknas.explain(network, x=torch.randn(5, 3))


def explained_cell():
    places = [standing(MARKUP, np.arange(9.0), 3, higher_is_better=True)]
    drawing = drawing_of(ntknas.load_space("nb201"), 8216)
    return replace(explained(), heading=MARKUP, drawing=drawing, accuracies=places, left_out=[MARKUP])


@cache
def tracker() -> KernelTracker:
    made = KernelTracker(nn.Linear(3, 1), torch.eye(3), measures=["trace"])
    made.record(0)
    return made


def findings() -> Findings:
    table = pd.DataFrame({MARKUP: [1.0, 2.0], "text": [MARKUP, "b"]})
    return Findings(table, {}, Verdict(Outcome.HOLDS, (MARKUP, "Two.") * 20, {"slope": -0.5}))


def track() -> Track:
    return Track({"cell": 5, "seed": 0, "space": MARKUP}, *_of_track(example()))


def _of_track(of: Track):
    return of.frame, of.steps, of.spectra, of.labels, of.kernels, Status.DIVERGED, MARKUP


def stored(folder: Path) -> ScoreStore:
    path = folder / "<b>.h5"
    fill(path, ["trace"], CELLS)
    return ScoreStore.read(path)


def record() -> ScoreRecord:
    return ScoreRecord("0123", "run", 8216, 0, 1.0, {MARKUP: Score(MARKUP, 1.0)})


def item() -> WorkItem:
    return WorkItem("0123", SMALL.choices, 8216, 0, (MARKUP,), (8216,))


def benchmark() -> Benchmark:
    table = AccuracyTable(np.ones((10, 2)), (0, 1))
    return Benchmark(MARKUP, {Target(MARKUP, str(split), 200): table for split in range(300)}, MARKUP, "nb201", MARKUP)


def matrix() -> NB101Cell:
    rows = ((0, 1, 1, 0), (0, 0, 1, 1), (0, 0, 0, 1), (0, 0, 0, 0))
    return NB101Cell(5, "0" * 32, rows, ("conv3x3-bn-relu", "maxpool3x3"))


def operator() -> KernelOperator:
    with kernel_operator(nn.Linear(3, 1), torch.eye(3), parameters="all") as made:
        return made


MADE = {
    "kernel": kernel,
    "kernel with its spectrum": kernel_with_spectrum,
    "kernel between two batches": lambda: ntknas.empirical_ntk(nn.Linear(3, 1), torch.eye(3), x2=torch.ones(2, 3)),
    "score": lambda: Score(MARKUP, -1.23456789),
    "score without a value": lambda: Score("cond", None, Status.ERROR, MARKUP * 50),
    "correlation": correlated,
    "row": lambda: correlated().rows[0],
    "estimate": lambda: correlated().rows[0].kendall,
    "summary of a target": lambda: next(iter(correlated().targets.values())),
    "overview": over_targets,
    "agreement": lambda: over_targets().rows[0],
    "trade-offs": traded,
    "trade-off": lambda: traded().rows[0],
    "space": lambda: ntknas.load_space("nb201"),
    "space that takes long to enumerate": lambda: ntknas.load_space("nb101"),
    "cell": lambda: ntknas.load_space("nb201")[8216],
    "cell of nb101": matrix,
    "cell of nb-macro": lambda: ntknas.load_space("nb-macro")[1234],
    "cell of nats-sss": lambda: ntknas.load_space("nats-sss")[284],
    "probe": probe,
    "probe of noise": lambda: make_probe("noise", 4, Request(image_size=8)),
    "image set": lambda: load_images("digits", Request(size=4)),
    "image source": lambda: ImageSource(MARKUP, MARKUP, lambda request: None),
    "benchmark": benchmark,
    "embedded benchmark": lambda: ntknas.load_benchmark("nb201", folder=None),
    "accuracy table": lambda: AccuracyTable(np.ones((15625, 3)), (777, 888, 999)),
    "costs": lambda: Costs(np.ones(10), np.ones(10)),
    "own table": lambda: OwnTable(MARKUP, "nb201"),
    "scoring result": scored,
    "summary": lambda: scored().summary,
    "forecast": lambda: Forecast(10, 0, 10, [], 1, 2**30),
    "plan": lambda: Plan([(item(),)] * 500, [record()] * 500, 1000, 500),
    "item": item,
    "kernel that is done": lambda: KernelDone(item(), {MARKUP: Score(MARKUP, 1.0)}, 1.0),
    "epochs that are done": lambda: EpochsDone(3),
    "job": lambda: Job(ntknas.load_space("nb201"), "cifar10", SMALL, probe()),
    "recipe": lambda: SMALL,
    "network options": NetworkOptions,
    "strategy": Strategy,
    "processes": lambda: Processes(2),
    "tracks": followed,
    "track": track,
    "tracker": tracker,
    "tracker before its first record": lambda: KernelTracker(nn.Linear(3, 1), torch.eye(3)),
    "snapshot": lambda: tracker().snapshots[0],
    "label alignment": lambda: label_alignment(kernel()),
    "drift": lambda: next(iter(DRIFTS.values())),
    "problem": problem,
    "objective": lambda: problem().objective,
    "known score": lambda: KnownScore(MARKUP, np.ones(10)),
    "search result": searched,
    "trace": lambda: next(iter(searched().traces.values()))[0],
    "search by a score": lambda: ScoreSearch(problem().space, MARKUP, searched().traces, {1: 0.5, 2: -np.inf}),
    "curve": lambda: Curve(MARKUP, MARKUP, MARKUP, TrainingIdentity({}), [Point(1, 20, correlated().rows[0], None)]),
    "found": lambda: Found(1, 8216, "|nor_conv_3x3~0|", 1.0, "code"),
    "explanation": explained,
    "explanation of a cell": explained_cell,
    "spectrum": lambda: Spectrum(MARKUP, 3, np.array([2.0, 1.0]), True),
    "findings": findings,
    "verdict": lambda: findings().verdict,
    "release": lambda: Release.open("nb201"),
    "way": lambda: next(iter(Release.open("nb201").ways.values())),
    "open way": lambda: OpenWay("a", MARKUP, {0: "scores"}),
    "setting": lambda: Setting.from_fields(FIELDS | {"recipe_note": MARKUP}),
    "record": record,
    "batch": lambda: Batch(torch.ones(100, 3, 8, 8), torch.zeros(100)),
    "method": Method,
    "operator": operator,
    "measure": lambda: get_measure("cond"),
    "derived measure": lambda: next(iter(all_derived().values())),
    "training images": lambda: TrainingImages("digits", Request(), 20),
    "model": lambda: load_model("torchvision:squeezenet1_1", ModelOptions(num_classes=3)),
    "model options": lambda: ModelOptions(weights=MARKUP),
    "training options": TrainingOptions,
    "training": lambda: Training(TrainingImages("digits", Request(), 20), TrainingOptions(), (1,)),
    "epoch": lambda: Epoch(1, 20, 0.5, 10.0, 0.1),
}
