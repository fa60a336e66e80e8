"""Findings and incidents as JSON, the same in every command, message and integration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitor.types import Finding, Incident, Segment


def finding_json(found: Finding) -> dict[str, Any]:
    """A finding as CONTRACT prints it."""
    return {
        "id": found.id,
        "table": found.table,
        "partition": found.partition,
        "check": found.check,
        "kind": found.kind,
        "status": found.status.value,
        "score": found.score,
        "threshold": found.threshold,
        "surprise": found.surprise,
        "severity": found.severity.value,
        "priority": found.priority.value,
        "columns": list(found.columns),
        "segments": [segment_json(s) for s in found.segments],
        "summary": found.summary,
        "change": found.change.value,
        "sql_bad": found.sql_bad,
        "sql_good": found.sql_good,
        "pictures": list(found.pictures),
        "incident": found.incident,
        "seconds": round(found.seconds, 3),
        "cost": found.cost.to_json(),
    }


def incident_json(event: Incident) -> dict[str, Any]:
    """An incident's event as CONTRACT prints it."""
    return {
        "incident": event.incident,
        "table": event.table,
        "partition": event.partition,
        "event": event.event,
        "title": event.title,
        "checks": list(event.checks),
        "columns": list(event.columns),
        "segments": [segment_json(s) for s in event.segments],
        "change": event.change.value,
        "severity": event.severity.value,
        "surprise": event.surprise,
        "alerted": event.alerted,
        **_signed_json(event),
    }


def _signed_json(event: Incident) -> dict[str, Any]:
    signed = event.signed
    if signed is None:
        return {"created_by": None, "edited_by": None}
    return {"created_by": signed.created_by, "edited_by": signed.edited_by or signed.created_by}


def segment_json(segment: Segment) -> dict[str, Any]:
    """A segment with its precision and recall; `same` are other conditions that the same rows meet, if there are."""
    told = {"where": segment.where, "precision": segment.precision, "recall": segment.recall, "rows": segment.rows}
    return {**told, "same": list(segment.same)} if segment.same else told
