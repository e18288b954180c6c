"""Scoring a space: recipes, the plan of what to compute once, and the runner."""

from ntknas.scoring.job import Job, Strategy
from ntknas.scoring.plan import Plan, WorkItem, make_plan
from ntknas.scoring.recipe import NetworkOptions, Recipe
from ntknas.scoring.runner import Progress, run

__all__ = ["Job", "NetworkOptions", "Plan", "Progress", "Recipe", "Strategy", "WorkItem", "make_plan", "run"]
