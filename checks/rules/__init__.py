"""Rules that engineers write: exact, outside the false-alert budget, as many as possible in the partition's one scan.

Conditions are SQL of the warehouse. A row is bad where the rule is known to be broken: a NULL neither meets nor
breaks a comparison; ask for it with `not_null`.
"""

from __future__ import annotations

from checks.rules import keys, numbers, order, rows, tables, texts, whole  # noqa: F401 - each files its kinds
from checks.rules.base import KINDS, Rule
from checks.rules.check import Rules, allowed, bad_condition, bad_statement, made
from checks.rules.relations import Relations, written_of

__all__ = ["KINDS", "Relations", "Rule", "Rules", "allowed", "bad_condition", "bad_statement", "made", "written_of"]
