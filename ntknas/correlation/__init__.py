"""Joining scores with accuracies, and the statistics of the agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.lazy import importer_of

if TYPE_CHECKING:
    from ntknas.correlation.epochs import Curve, curves
    from ntknas.correlation.estimate import Estimate
    from ntknas.correlation.export import as_json
    from ntknas.correlation.join import correlate
    from ntknas.correlation.many_targets import over_targets
    from ntknas.correlation.names import row_name
    from ntknas.correlation.overview import Overview
    from ntknas.correlation.paired import comparisons, difference_to
    from ntknas.correlation.pareto import trade_offs
    from ntknas.correlation.result import Correlation
    from ntknas.correlation.row import Row, RowKey
    from ntknas.correlation.sources import AccuracySource
    from ntknas.correlation.targets import TargetSummary
    from ntknas.correlation.trade_off import TradeOff, TradeOffs

_HOME = {
    "AccuracySource": "sources",
    "Correlation": "result",
    "Curve": "epochs",
    "Estimate": "estimate",
    "Overview": "overview",
    "Row": "row",
    "RowKey": "row",
    "TargetSummary": "targets",
    "TradeOff": "trade_off",
    "TradeOffs": "trade_off",
    "as_json": "export",
    "comparisons": "paired",
    "correlate": "join",
    "curves": "epochs",
    "difference_to": "paired",
    "over_targets": "many_targets",
    "row_name": "names",
    "trade_offs": "pareto",
}
__all__ = [
    "AccuracySource",
    "Correlation",
    "Curve",
    "Estimate",
    "Overview",
    "Row",
    "RowKey",
    "TargetSummary",
    "TradeOff",
    "TradeOffs",
    "as_json",
    "comparisons",
    "correlate",
    "curves",
    "difference_to",
    "over_targets",
    "row_name",
    "trade_offs",
]
__getattr__ = importer_of({name: f"ntknas.correlation.{module}" for name, module in _HOME.items()})
