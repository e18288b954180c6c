"""Scoring a space: recipes, the plan of what to compute once, and the runner."""

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
