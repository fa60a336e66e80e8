"""Which translator is responsible for a test, and what becomes of tests that none knows."""

from __future__ import annotations

from dataclasses import replace

from monitor.imports import dbt_elementary
from monitor.imports.dbt_core import CORE, UTILS
from monitor.imports.dbt_expectations import EXPECTATIONS
from monitor.imports.dbt_told import DbtTest, Told, graded
from monitor.imports.found import MALFORMED, Draft, Imported, UnfaithfulError, reason

_PACKAGES = {"": CORE, "dbt": CORE, "dbt_utils": UTILS, "dbt_expectations": EXPECTATIONS}


def carry(test: DbtTest, found: Imported) -> None:
    """Carry one test over, or say why not."""
    if test.config.get("enabled") is False:
        found.leave(test.origin, "it is disabled there (enabled: false)", test.place, test.table)
    elif test.package == "elementary":
        dbt_elementary.carry(test, found)
    else:
        try:
            told, plain = _told(test)
            found.add(test.table, graded(told, plain), test.origin, test.place)
        except MALFORMED as error:
            found.leave(test.origin, reason(error), test.place, test.table)


def _told(test: DbtTest) -> tuple[Told, DbtTest]:
    """What a test says, by its name or else by the SQL that dbt made of it, and the test without what is in it."""
    translator = _PACKAGES.get(test.package, {}).get(test.name)
    try:
        return _unknown(test) if translator is None else translator(test), test
    except UnfaithfulError as error:
        if test.compiled is None:
            hint = "; a manifest made by `dbt compile` holds its SQL" if translator is None else ""
            raise UnfaithfulError(f"{error}{hint}") from None
        told = Told([Draft({"query": {"sql": test.compiled.strip().rstrip(";")}})], same_rows=True)
        return told, replace(test, config={**test.config, "where": None})  # its SQL holds the condition already


def _unknown(_: DbtTest) -> Told:
    raise UnfaithfulError("daywatch does not know this test")
