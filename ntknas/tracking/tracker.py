"""Records a network's kernel while it trains, in any training loop."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import Tensor, nn

from ntknas.core.errors import KernelError
from ntknas.core.kernel import Kernel
from ntknas.core.score import Score
from ntknas.core.shown import Shown, in_digits, listed
from ntknas.data.probe import Probe
from ntknas.kernels import empirical_ntk, parameter_sets
from ntknas.kernels.gradients import real
from ntknas.measures import get_measure, measure
from ntknas.tracking.alignment import LabelAlignment, alignment_frame, scored
from ntknas.tracking.drift import DRIFTS, drift


@dataclass(frozen=True, repr=False)
class Snapshot(Shown):
    """What was recorded at one step.

    Attributes:
        step: Number of the step.
        scores: Drifts ``NAME`` against the first snapshot and ``NAME/previous`` against the one before; measures; with
            labels ``label_alignment``.
        parameter_norm: ‖θ_t‖ of the parameter set.
        parameter_change: ‖θ_t − θ_0‖ / ‖θ_0‖.
        extra: What the caller recorded beside: loss, accuracy.
        kernel: K_t, if kernels are kept.
        alignment: How the labels lie along the eigenvectors of K_t; ``None`` without labels, or where it is undefined.
    """

    step: int
    scores: dict[str, Score]
    parameter_norm: float
    parameter_change: float
    extra: dict[str, float]
    kernel: Kernel | None = None
    alignment: LabelAlignment | None = None

    def _line(self) -> str:
        shown = [f"{name} {in_digits(score.value)}" for name, score in self.scores.items()]
        return f"step {self.step}: {listed(shown)}"


class KernelTracker(Shown):
    """Takes the kernel of a network on one fixed probe, whenever it is told to.

    The network is left as it was: modes, running statistics, gradients. The first record is K_0.

    Args:
        model: The network, on the device and in the precision to compute in.
        probe: A probe, or a batch of inputs.
        labels: Classes of a batch; a probe has its own.
        output: Output reduction, as in ``empirical_ntk``.
        batch_norm: Batch-norm policy; ``frozen`` by default, since running statistics have not converged early on.
        parameters: Parameter set, or names of parameters.
        normalisation: Normalisation of the kernel.
        measures: Measures of the kernel to take at every record.
        keep_kernels: Whether snapshots keep their kernels, n×n float64 each.
        verify: Whether the first kernel is proved, as in ``empirical_ntk``.

    Attributes:
        snapshots: What was recorded, in order.

    Raises:
        ChoiceError: If a measure is unknown.
        KernelError: If a measure is not one of a kernel.

    Example:
        >>> import torch
        >>> model, x = nn.Linear(3, 1), torch.eye(3)
        >>> tracker = KernelTracker(model, x)
        >>> tracker.record(0).scores["relative_difference"].value
        0.0
        >>> with torch.no_grad():
        ...     _ = model.weight.mul_(2.0)
        >>> tracker.record(1).scores["relative_difference"].value  # a linear model's kernel never changes
        0.0
    """

    def __init__(
        self,
        model: nn.Module,
        probe: Probe | Tensor,
        labels: Tensor | None = None,
        *,
        output: str = "sum",
        batch_norm: str = "frozen",
        parameters: str | Sequence[str] = "weights",
        normalisation: str = "none",
        measures: Iterable[str] = (),
        keep_kernels: bool = False,
        verify: bool = True,
    ):
        self._model = model
        self._x, self._labels = _batch(model, probe, labels)
        self._output, self._batch_norm, self._normalisation = output, batch_norm, normalisation
        self._parameters = parameters
        self._measures = tuple(measures)
        for name in self._measures:
            if get_measure(name).subject is not Kernel:
                raise KernelError(f"A tracker takes measures of a kernel, and {name!r} needs more than one.")
        self._keep = keep_kernels
        self._verify = verify
        self._first: Kernel | None = None
        self._previous: Kernel | None = None
        self._start: list[Tensor] = []
        self.snapshots: list[Snapshot] = []

    @property
    def kernel(self) -> Kernel:
        """The kernel of the last record.

        Raises:
            KernelError: If there is none yet.
        """
        if self._previous is None:
            raise KernelError("Nothing was recorded yet.")
        return self._previous

    @property
    def row_labels(self) -> Tensor | None:
        """Class of each row of the kernel: of its sample for ``full``; ``None`` without labels."""
        if self._labels is None or self._previous is None:
            return None
        return self._labels.cpu().repeat_interleave(self._previous.size // len(self._labels))

    def record(self, step: int, **extra: float) -> Snapshot:
        """Take the kernel now.

        Args:
            step: Number of the step or epoch, larger than the last one.
            **extra: Numbers to record beside, such as ``loss=…``.

        Returns:
            What was recorded.

        Raises:
            KernelError: If the step is not after the last one, or the kernel is not defined for the network.
        """
        if self.snapshots and step <= self.snapshots[-1].step:
            raise KernelError(f"Steps are recorded in order: step {step} comes after step {self.snapshots[-1].step}.")
        verify = self._verify and self._first is None  # what suits the network once suits it with other weights
        kernel = empirical_ntk(
            self._model,
            self._x,
            labels=self._labels,
            output=self._output,
            batch_norm=self._batch_norm,
            parameters=self._parameters,
            normalisation=self._normalisation,
            verify=verify,
        )
        first, previous = self._first or kernel, self._previous or kernel
        scores = {name: drift(name, first, kernel) for name in DRIFTS}
        scores |= {f"{name}/previous": drift(name, previous, kernel) for name in DRIFTS}
        scores |= {name: measure(name, kernel) for name in self._measures}
        alignment, leading = scored(kernel)
        scores |= {} if leading is None else {leading.measure: leading}
        kept = kernel if self._keep else None
        snapshot = Snapshot(step, scores, *self._parameter_norms(), dict(extra), kept, alignment)
        self._first, self._previous = first, kernel
        self.snapshots.append(snapshot)
        return snapshot

    def frame(self) -> pd.DataFrame:
        """Return one row for each (step, quantity): ``step``, ``quantity``, ``value``, ``status``, ``reason``."""
        rows: list[dict[str, object]] = []
        for snapshot in self.snapshots:
            numbers = {"parameter_norm": snapshot.parameter_norm, "parameter_change": snapshot.parameter_change}
            for name, score in snapshot.scores.items():
                value = math.nan if score.value is None else score.value
                rows.append(_row(snapshot.step, name, value, score.status.value, score.reason))
            for name, number in (numbers | snapshot.extra).items():
                finite = math.isfinite(number)
                reason = "" if finite else "not a finite number"
                rows.append(_row(snapshot.step, name, float(number), "ok" if finite else "non-finite", reason))
        return pd.DataFrame(rows, columns=["step", "quantity", "value", "status", "reason"])

    def alignments(self) -> pd.DataFrame:
        """Return how the labels lie along the eigenvectors at each step; see ``alignment.label_alignment``.

        Returns:
            One row for each (step, k): ``step``, ``k`` from 1 on, ``eigenvalue``, ``alignment`` and ``cumulative``;
            none for steps at which it is undefined.
        """
        recorded = [(each.step, each.alignment) for each in self.snapshots if each.alignment is not None]
        size = self._previous.size if self._previous is not None else 0
        spectra = [each.eigenvalues.numpy() for _, each in recorded]
        shares = [each.shares.numpy() for _, each in recorded]
        arrays = (np.array(rows).reshape(len(recorded), size) for rows in (spectra, shares))
        return alignment_frame(np.array([step for step, _ in recorded], dtype=np.int64), *arrays)

    def _parameter_norms(self) -> tuple[float, float]:
        """Return ‖θ_t‖ and ‖θ_t − θ_0‖ / ‖θ_0‖, in float64."""
        selected = parameter_sets.select(self._model, self._parameters)
        # clone(), since float64 on the CPU is not copied before it, and training goes on in these tensors.
        values = [real(parameter.detach()).double().cpu().clone() for parameter in selected.values()]
        self._start = self._start or values
        change = _norm(a - b for a, b in zip(values, self._start, strict=True))
        start = _norm(self._start)
        return _norm(values), change / start if start else math.nan if change else 0.0

    def _line(self) -> str:
        steps = [snapshot.step for snapshot in self.snapshots]
        chosen = f"output {self._output}, batch_norm {self._batch_norm}"
        return f"{type(self._model).__name__} on {len(self._x)} samples, {chosen}; steps {listed(steps) or 'none yet'}"


def _row(step: int, quantity: str, value: float, status: str, reason: str) -> dict[str, object]:
    return {"step": step, "quantity": quantity, "value": value, "status": status, "reason": reason}


def _batch(model: nn.Module, probe: Probe | Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor | None]:
    if not isinstance(probe, Probe):
        return probe.detach().clone(), labels  # the probe is fixed, whatever the caller does to the batch
    if labels is not None:
        raise KernelError("A probe has labels of its own: leave labels out.")
    reference = next(model.parameters())
    return probe.images.to(reference.device, reference.dtype), probe.labels


def _norm(tensors: Iterable[Tensor]) -> float:
    return math.sqrt(sum(float(tensor.square().sum()) for tensor in tensors))
