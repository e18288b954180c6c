"""Scoring a space: recipes, the plan of what to compute once, and the runner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.lazy import importer_of

if TYPE_CHECKING:
    from ntknas.scoring.job import Job, Strategy
    from ntknas.scoring.plan import Plan, WorkItem, make_plan
    from ntknas.scoring.progress import Progress
    from ntknas.scoring.recipe import NetworkOptions, Recipe
    from ntknas.scoring.runner import run
    from ntknas.scoring.training import Training

__all__ = [
    "Job",
    "NetworkOptions",
    "Plan",
    "Progress",
    "Recipe",
    "Strategy",
    "Training",
    "WorkItem",
    "make_plan",
    "run",
]
__getattr__ = importer_of(
    {
        "Job": "ntknas.scoring.job",
        "NetworkOptions": "ntknas.scoring.recipe",
        "Plan": "ntknas.scoring.plan",
        "Progress": "ntknas.scoring.progress",
        "Recipe": "ntknas.scoring.recipe",
        "Strategy": "ntknas.scoring.job",
        "Training": "ntknas.scoring.training",
        "WorkItem": "ntknas.scoring.plan",
        "make_plan": "ntknas.scoring.plan",
        "run": "ntknas.scoring.runner",
    }
)
