"""What scores were measured with: settings, probes, runs and their environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from ntknas.correlation import Correlation
from ntknas.page.probe_pictures import ProbePicture, picture_of
from ntknas.store.requests import FIELD
from ntknas.store.setting import Setting

_MAX_RUNS = 20
"""Runs that a page lists: a sweep has hundreds of shards."""


def measured_facts(scores: pd.DataFrame, result: Correlation, images: Path) -> dict[str, object]:
    """Return what scores were measured with.

    Args:
        scores: The scores, with what a store says of them.
        result: What was correlated of them.
        images: Folder of image sets, for pictures of probes.

    Returns:
        ``common``: what all settings share; ``brief``: the first of it; ``settings``: what differs, by name;
        ``probes``, ``runs``, and ``published``, where the scores are.
    """
    kernels = {row.setting: row.kernel for row in result.rows if not row.is_baseline}
    digests = [str(digest) for digest in scores["setting"].unique()]
    settings = {digest: result.settings[digest] for digest in digests if digest in result.settings}
    common, differing = compared([setting.fields for setting in settings.values()])
    named = zip(settings, differing, strict=True)
    return {
        "common": common,
        "brief": _brief(common),
        "settings": [{"kernel": kernels.get(digest, ""), "digest": digest, "fields": own} for digest, own in named],
        "probes": _probes(settings.values(), images),
        "runs": _runs(scores),
        "published": scores.attrs.get("published"),
    }


def _brief(common: Mapping[str, object]) -> str:
    """Return the choices that everybody asks for, in a sentence; as many as all settings share."""
    texts = {
        "output": "output {}",
        "batch_norm": "batch norm {}",
        "parameters": "parameters {}",
        "channels": "{} channels",
        "cells_per_stage": "{} cells in a stage",
        "init": "initialisation {}",
        "precision": "{}",
    }
    parts = [text.format(common[name]) for name, text in texts.items() if common.get(name) is not None]
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def compared(entries: Sequence[Mapping[str, object]]) -> tuple[dict[str, object], list[dict[str, object]]]:
    """Return what mappings agree on, and what each says of the rest."""
    names = sorted({name for entry in entries for name in entry})
    shared = [name for name in names if all(entry.get(name) == entries[0].get(name) for entry in entries)]
    common = {name: entries[0][name] for name in shared if name in entries[0]}
    return common, [{name: entry.get(name) for name in names if name not in shared} for entry in entries]


def _probes(settings: object, images: Path) -> list[ProbePicture]:
    first: dict[tuple[object, str], Setting] = {}
    for setting in settings:  # type: ignore[attr-defined]
        if setting.probe.source is not None or setting.probe.hash is not None:
            first.setdefault((setting.probe, setting.dataset), setting)
    return [picture_of(setting, images) for setting in first.values()]


def _runs(scores: pd.DataFrame) -> dict[str, object]:
    """Return what runs share and what differs between them, the first ones; what they were asked for aside."""
    used = {str(run) for run in scores["run"].unique()} if "run" in scores else set()
    infos = [info for name, info in scores.attrs.get("runs", {}).items() if name in used]
    plain = [{name: value for name, value in info.items() if name != FIELD} for info in infos]
    common, differing = compared(plain[:_MAX_RUNS])
    return {"common": common, "differing": differing, "number": len(plain), "shown": len(plain[:_MAX_RUNS])}
