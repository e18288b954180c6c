"""Scoring a space: recipes, the plan of what to compute once, engines, and the session that ties them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.lazy import importer_of

if TYPE_CHECKING:
    from ntknas.scoring.engines import make_engine
    from ntknas.scoring.engines.processes import Processes
    from ntknas.scoring.engines.protocol import Engine
    from ntknas.scoring.engines.ray import Ray
    from ntknas.scoring.job import Job, Strategy
    from ntknas.scoring.plan import Plan, WorkItem, make_plan
    from ntknas.scoring.progress import EpochsDone, KernelDone
    from ntknas.scoring.recipe import NetworkOptions, Recipe
    from ntknas.scoring.session import ScoringResult, score
    from ntknas.scoring.summary import Summary
    from ntknas.scoring.training import Training

__all__ = [
    "Engine",
    "EpochsDone",
    "Job",
    "KernelDone",
    "NetworkOptions",
    "Plan",
    "Processes",
    "Ray",
    "Recipe",
    "ScoringResult",
    "Strategy",
    "Summary",
    "Training",
    "WorkItem",
    "make_engine",
    "make_plan",
    "score",
]
__getattr__ = importer_of(
    {
        "Engine": "ntknas.scoring.engines.protocol",
        "EpochsDone": "ntknas.scoring.progress",
        "Job": "ntknas.scoring.job",
        "KernelDone": "ntknas.scoring.progress",
        "NetworkOptions": "ntknas.scoring.recipe",
        "Plan": "ntknas.scoring.plan",
        "Processes": "ntknas.scoring.engines.processes",
        "Ray": "ntknas.scoring.engines.ray",
        "Recipe": "ntknas.scoring.recipe",
        "ScoringResult": "ntknas.scoring.session",
        "Strategy": "ntknas.scoring.job",
        "Summary": "ntknas.scoring.summary",
        "Training": "ntknas.scoring.training",
        "WorkItem": "ntknas.scoring.plan",
        "make_engine": "ntknas.scoring.engines",
        "make_plan": "ntknas.scoring.plan",
        "score": "ntknas.scoring.session",
    }
)
