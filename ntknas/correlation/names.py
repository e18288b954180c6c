"""Names of ways of measuring: in full for tables, and by what tells them apart for tests and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ntknas.core.perturbation import CLEAN
from ntknas.correlation.row import SETTING
from ntknas.store.identity import TrainingIdentity
from ntknas.store.setting import Setting

_NAMING = ("output", "batch_norm", "parameters")
_NOT_NAMING = ("probe_hash", "held_out_hash", "epoch", "training_data_hash")
_OF_ATTACKS = ("kernel_of", "perturb")
_MISSING = "nan"
"""What a name says of a field that this setting lacks and another has."""
_MAX_LETTERS = 24
_HASH_LETTERS = 8


class Named(Protocol):
    """A row that has a name: of a measure under a setting."""

    @property
    def measure(self) -> str:
        """Name of the measure."""

    @property
    def setting(self) -> str:
        """Digest of the setting."""


class Rows(Protocol):
    """Rows, and what the digests in them stand for."""

    @property
    def rows(self) -> Sequence[Named]:
        """The rows."""

    @property
    def settings(self) -> Mapping[str, Setting]:
        """Settings by digest."""


def kernel_names(settings: Mapping[str, Setting]) -> dict[str, str]:
    """Return names of settings but for the epoch: the kernel's first choices, and whatever else differs between them.

    Args:
        settings: The settings by digest.
    """
    fields = sorted({name for setting in settings.values() for name in setting.fields})
    trained = {digest: setting for digest, setting in settings.items() if setting.epoch}
    differing = [
        name
        for name in fields
        if name not in (*_NAMING, *_NOT_NAMING)
        # a field that some settings lack differs only where the others disagree: versions of single measures would
        # stand in every name
        and len({_text(setting, name) for setting in _compared(name, settings, trained).values()} - {_MISSING}) > 1
    ]
    names = {
        digest: "/".join(_text(setting, name) for name in (*_naming(setting), *differing) if name in fields)
        + "/held-out" * (setting.held_out_hash is not None)
        for digest, setting in settings.items()
    }
    for hashes in (
        ("probe_hash",),
        ("held_out_hash",),
        ("probe_hash", "held_out_hash"),
    ):  # what differs in content alone
        if not _collide(names, settings):
            break
        longer = {digest: name + _short_hashes(settings[digest], hashes) for digest, name in names.items()}
        names = names if _collide(longer, settings) and len(hashes) < 2 else longer
    return names


def _compared(name: str, settings: Mapping[str, Setting], trained: Mapping[str, Setting]) -> Mapping[str, Setting]:
    """Return the settings to compare a field among: one of the training among trained ones, since others have none.

    An attack is one of kernels.
    """
    if name in _OF_ATTACKS:
        return {digest: setting for digest, setting in settings.items() if setting.kernel is not None}
    return trained if TrainingIdentity.has_field(name) else settings


def _text(setting: Setting, name: str) -> str:
    if name == "cell_seeds":  # which settings of shared seeds do not say
        return setting.network.cell_seeds or "shared"
    if name in _OF_ATTACKS and setting.kernel is not None:  # nor do clean kernels say that they are
        rows = setting.kernel.rows.text if setting.kernel.attack else CLEAN
        return rows if name == "kernel_of" else setting.perturb or "unperturbed"
    value = setting.fields.get(name)
    return _MISSING if value is None else str(value)


def _naming(setting: Setting) -> tuple[str, ...]:
    """Return the choices that name a kernel; where there is none, what was measured says enough."""
    return _NAMING[:1] if setting.output == "training" else _NAMING


def _collide(names: Mapping[str, str], settings: Mapping[str, Setting]) -> bool:
    return len({(name, settings[digest].epoch) for digest, name in names.items()}) < len(names)


def _short_hashes(setting: Setting, fields: tuple[str, ...]) -> str:
    """Return the beginnings of hashes, each after a slash; a setting without a probe has its digest in place of one."""
    hashes = [setting.fields.get(field) or ("" if field == "held_out_hash" else setting.digest) for field in fields]
    return "".join(f"/{str(value)[:_HASH_LETTERS]}" for value in hashes if value)


def variant(result: Rows, row: Named) -> str:
    """Return what differs in a row's setting from the other settings of its measure; empty if it has one setting."""
    digests = {rival.setting for rival in result.rows if rival.measure == row.measure}
    if row.setting == SETTING:
        return "yours" if len(digests) > 1 else ""
    digests.discard(SETTING)
    settings = {digest: result.settings[digest] for digest in digests if digest in result.settings}
    if len(settings) < 2:
        return ""
    setting = result.settings[row.setting]
    trained = {digest: rival for digest, rival in settings.items() if rival.epoch}
    differing = [
        name
        for name in setting.fields
        if len({str(rival.fields.get(name)) for rival in _compared(name, settings, trained).values()}) > 1
    ]
    texts = [_shortened(setting, name) for name in differing if name not in ("probe_hash", "epoch")]
    if len({rival.epoch for rival in settings.values()}) > 1:
        texts.append(f"epoch {setting.epoch}")
    return ", ".join(texts or [_shortened(setting, name) for name in differing])


def _shortened(setting: Setting, name: str) -> str:
    return str(setting.fields[name])[:_MAX_LETTERS]


def row_name(result: Rows, row: Named) -> str:
    """Return the measure of a row, with its variant where it has one."""
    different = variant(result, row)
    return f"{row.measure} · {different}" if different else row.measure
