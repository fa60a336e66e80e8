"""The only writer of state: what was measured, found, alerted, said and claimed.

The names below load on first use, because SQLAlchemy and pandas are too heavy for `daywatch --help`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitor.store.records import (
        Application,
        ChannelStatus,
        Chronicled,
        CostSum,
        Declaration,
        Delivery,
        Feedback,
        FeedbackAction,
        IncidentEvent,
        IncidentState,
        IncidentStatus,
        KeptSample,
        Measured,
        NoiseCaution,
        OutboxItem,
        PastPartition,
        Pruned,
        Receipt,
        Recorded,
        Reply,
        Revised,
        RunRecord,
        Seen,
        Spent,
        TableStatus,
    )
    from monitor.store.store import Store

__all__ = [
    "Application",
    "ChannelStatus",
    "Chronicled",
    "CostSum",
    "Declaration",
    "Delivery",
    "Feedback",
    "FeedbackAction",
    "IncidentEvent",
    "IncidentState",
    "IncidentStatus",
    "KeptSample",
    "Measured",
    "NoiseCaution",
    "OutboxItem",
    "PastPartition",
    "Pruned",
    "Receipt",
    "Recorded",
    "Reply",
    "Revised",
    "RunRecord",
    "Seen",
    "Spent",
    "Store",
    "TableStatus",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module("monitor.store.store" if name == "Store" else "monitor.store.records")
    return getattr(module, name)
