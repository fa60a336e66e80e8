"""Configuration as code: what is declared, what changed since it was applied, and whom and what that touches."""

from __future__ import annotations

from monitor.plan.changes import Change, Edit, compare
from monitor.plan.declared import Declared, declare
from monitor.plan.stored import apply, changes_since, known

__all__ = ["Change", "Declared", "Edit", "apply", "changes_since", "compare", "declare", "known"]
