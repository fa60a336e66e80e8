"""One cause is one incident: what belongs together, what goes on, what is news."""

from __future__ import annotations

from typing import Any

import pytest

from checks.series.predictive import AbsoluteT
from monitor.incident import Group, event_of, group, news_of, rank_columns
from monitor.types import Change, Evidence, Severity, Status


def test_the_failing_automatic_checks_of_a_table_day_are_one(make: Any) -> None:
    verdicts = [
        make.verdict("nulls.c1", ["c1"]),
        make.verdict("drift", ["c1", "c2"]),
        make.verdict("volume"),
        make.verdict("stats.c2", ["c2"]),
        make.verdict("zeros.c2", ["c2"], Status.PASS),
    ]
    groups = group(verdicts, [])
    assert len(groups) == 1
    assert set(groups[0].checks) == {"nulls.c1", "drift", "volume", "stats.c2"}
    assert event_of(groups[0]) == "opened"
    assert groups[0].columns[0] == "c1"


def test_nothing_fails_nothing_opens(make: Any) -> None:
    assert group([make.verdict("volume", status=Status.PASS)], [make.incident("INC-1", ["volume"])]) == []


def test_schema_and_rules_are_causes_of_their_own(make: Any) -> None:
    verdicts = [
        make.verdict("schema", ["c9"]),
        make.verdict("rule.a", ["c8"]),
        make.verdict("rule.b", ["c7"]),
        make.verdict("nulls.c1", ["c1"]),
    ]
    groups = group(verdicts, [])
    assert sorted(g.checks for g in groups) == [("nulls.c1",), ("rule.a",), ("rule.b",), ("schema",)]
    assert [g.checks for g in groups] == [g.checks for g in group(verdicts, [])]


def test_a_rule_on_the_same_column_joins_the_cause(make: Any) -> None:
    groups = group([make.verdict("nulls.c1", ["c1"]), make.verdict("rule.not_null_c1", ["c1"])], [])
    assert [set(g.checks) for g in groups] == [{"nulls.c1", "rule.not_null_c1"}]


def test_the_same_trouble_goes_on_under_its_id(make: Any) -> None:
    state = make.incident("INC-4", ["nulls.c1"], ["c1"])
    groups = group([make.verdict("nulls.c1", ["c1"]), make.verdict("drift", ["c1"])], [state])
    assert [g.continued for g in groups] == [state]
    assert event_of(groups[0]) == "continued"


def test_other_trouble_beside_an_open_incident_opens_its_own(make: Any) -> None:
    state = make.incident("INC-4", ["nulls.c1"], ["c1"])
    groups = group([make.verdict("nulls.c1", ["c1"]), make.verdict("zeros.c7", ["c7"])], [state])
    assert {g.checks: g.continued for g in groups} == {("nulls.c1",): state, ("zeros.c7",): None}


def test_short_days_continue_short_days(make: Any) -> None:
    state = make.incident("INC-4", ["freshness"])
    assert group([make.verdict("volume")], [state])[0].continued == state
    assert group([make.verdict("volume")], [make.incident("INC-5", ["nulls.c1"], ["c1"])])[0].continued is None


def test_the_newest_of_several_open_incidents_goes_on(make: Any) -> None:
    old = make.incident("INC-1", ["nulls.c1"], ["c1"], seen=make.day(1))
    new = make.incident("INC-2", ["nulls.c1"], ["c1"], seen=make.day(5))
    assert group([make.verdict("nulls.c1", ["c1"])], [old, new])[0].continued == new


def test_it_worsens_by_two_bands_or_by_another_column(make: Any) -> None:
    state = make.incident("INC-4", ["nulls.c1"], ["c1"], severity=Severity.WEAK)

    def event(*verdicts: Any) -> str:
        return event_of(Group(tuple(verdicts), state))

    assert event(make.verdict("nulls.c1", ["c1"], effect=0.02)) == "continued"
    assert event(make.verdict("nulls.c1", ["c1"], effect=0.10)) == "continued"
    assert event(make.verdict("nulls.c1", ["c1"], effect=0.30)) == "worsened"
    both = [make.verdict("nulls.c1", ["c1"], effect=0.02), make.verdict("nulls.c2", ["c2"], effect=0.02)]
    assert event(*both) == "worsened"


def drift(make: Any, shares: dict[str, float], *, sure: str = "") -> Any:
    """A failing drift check that ranks columns so; those of `sure` (letters) surprise by themselves."""
    parts = tuple(
        Evidence(f"marginal.{name}", "drift", 60.0 if name in sure else 1.0, AbsoluteT(9.0), (name,)) for name in shares
    )
    return make.verdict("drift", list(shares), shares=tuple(shares.values()), parts=parts)


def test_bystanders_are_not_named(make: Any) -> None:
    assert Group((drift(make, {"a": 0.9, "b": 0.06, "c": 0.04}),)).columns == ("a",)
    assert Group((drift(make, {"a": 0.6, "b": 0.3, "c": 0.1}),)).columns == ("a", "b", "c")
    assert Group((drift(make, {"a": 0.9, "b": 0.06, "c": 0.04}, sure="c"),)).columns == ("a", "c")


@pytest.mark.parametrize("shares", [{"b": 0.5, "a": 0.5}, {"b": 0.9, "a": 0.1}])
def test_another_sure_column_is_news_beside_an_open_incident(shares: dict[str, float], make: Any) -> None:
    state = make.incident("INC-4", ["nulls.a", "drift"], ["a"])
    groups = group([make.verdict("nulls.a", ["a"]), drift(make, shares, sure="ab")], [state])
    assert [(event_of(g), g.lead.evidence.check, g.columns[0]) for g in groups] == [
        ("continued", "nulls.a", "a"), ("opened", "drift", "b"),
    ]  # fmt: skip
    assert groups[1].columns == ("b",)
    other = make.incident("INC-5", groups[1].checks, groups[1].columns, seen=make.day(1))
    both = group([make.verdict("nulls.a", ["a"]), drift(make, shares, sure="ab")], [state, other])
    assert [(g.continued, event_of(g)) for g in both] == [(other, "continued"), (state, "continued")]
    over = group([make.verdict("nulls.a", ["a"]), drift(make, {"a": 1.0}, sure="a")], [state, other])
    assert [g.continued for g in over] == [state]  # the other one is over, whatever else is wrong


def test_a_check_of_one_incident_goes_to_it_though_another_one_ranks_its_column(make: Any) -> None:
    state = make.incident("INC-4", ["nulls.a", "drift"], ["a"])
    one = [make.verdict("nulls.a", ["a"]), drift(make, {"a": 0.6, "b": 0.4}, sure="ab"), make.verdict("stats.b", ["b"])]
    groups = group(one, [state])
    assert [(g.continued, event_of(g), g.columns) for g in groups] == [
        (state, "continued", ("a",)),
        (None, "opened", ("b",)),
    ]
    listed = make.incident("INC-4", ["nulls.a", "drift"], ["a", "b"])
    other = make.incident("INC-5", ["stats.b"], ["b"])
    assert {g.continued.id: g.checks for g in group(one, [listed, other]) if g.continued} == {
        "INC-4": ("nulls.a", "drift"), "INC-5": ("stats.b",),
    }  # fmt: skip


def test_another_sure_column_after_the_known_one_worsens_it(make: Any) -> None:
    state = make.incident("INC-4", ["drift"], ["a"])
    (found,) = group([drift(make, {"a": 0.95, "b": 0.05}, sure="ab")], [state])
    assert (event_of(found), found.columns, news_of(found)) == ("worsened", ("a", "b"), ("b",))
    told = make.incident("INC-4", ["drift"], ["a", "b"])
    assert [event_of(g) for g in group([drift(make, {"b": 0.6, "a": 0.4}, sure="ab")], [told])] == ["continued"]


def test_an_incident_of_many_columns_is_not_worsened_by_one_more(make: Any) -> None:
    shares = {f"{letter}": 0.05 for letter in "abcdefghijklmn"}
    opened = Group((drift(make, shares, sure="abcdefghijklmn"),))
    state = make.incident("INC-4", opened.checks, opened.columns)
    assert [event_of(g) for g in group(opened.verdicts, [state])] == ["continued"]


def test_columns_that_change_places_by_chance_are_no_news(make: Any) -> None:
    state = make.incident("INC-4", ["drift"], ["a"])
    assert [event_of(g) for g in group([drift(make, {"b": 0.5, "a": 0.5}, sure="a")], [state])] == ["continued"]


def test_more_columns_than_an_incident_lists_are_news_once(make: Any) -> None:
    verdicts = tuple(make.verdict(f"nulls.c{i}", [f"c{i}"]) for i in range(14))
    opened = Group(verdicts)
    state = make.incident("INC-4", opened.checks, opened.columns)
    assert len(state.columns) == 10
    assert event_of(Group(verdicts, state)) == "continued"
    assert event_of(Group((*verdicts, make.verdict("nulls.c14", ["c14"])), state)) == "worsened"


def test_the_most_specific_of_the_sure_leads(make: Any) -> None:
    vague = make.verdict("stats.c1", ["c1"], surprise=250.0)
    sure = make.verdict("nulls.c1", ["c1"], surprise=30.0, change=Change.NULLS_UP)
    assert Group((vague, sure)).lead == sure
    assert Group((vague, sure)).change is Change.NULLS_UP
    assert Group((vague, sure)).surprise == 250.0
    doubled = make.verdict("duplicates", surprise=30.0, change=Change.DUPLICATES)
    extra = make.verdict("volume", surprise=30.0, change=Change.ROWS_EXTRA)
    assert Group((extra, doubled)).change is Change.DUPLICATES


def test_zeros_among_shifted_numbers_do_not_lead(make: Any) -> None:
    zeros = make.verdict("zeros.c1", ["c1"], effect=0.01, change=Change.ZEROS_UP)
    shifted = make.verdict("drift", ["c1"], effect=0.1, change=Change.SHIFT_DOWN)
    assert Group((zeros, shifted)).change is Change.SHIFT_DOWN
    many = make.verdict("zeros.c1", ["c1"], effect=0.1, change=Change.ZEROS_UP)
    assert Group((many, shifted)).change is Change.ZEROS_UP
    elsewhere = make.verdict("drift", ["c2"], effect=0.1, change=Change.SHIFT_DOWN)
    assert Group((zeros, elsewhere)).change is Change.ZEROS_UP


def test_what_zeros_have_become_is_told_before_that_they_are_gone(make: Any) -> None:
    fewer = make.verdict("zeros.c1", ["c1"], effect=0.3, surprise=30.0, change=Change.VALUES_GONE)
    news = make.verdict("drift", ["c1"], effect=0.05, change=Change.VALUES_NEW)
    assert Group((fewer, news)).change is Change.VALUES_NEW
    vague = make.verdict("drift", ["c1"], effect=0.05, change=Change.RELATION)
    assert Group((fewer, vague)).change is Change.VALUES_GONE


def test_columns_rank_by_how_sure_and_how_much(make: Any) -> None:
    sure = make.verdict("nulls.c1", ["c1"], surprise=30.0)
    unsure = make.verdict("stats.c2", ["c2"], surprise=5.0)
    spread = make.verdict("drift", ["c3", "c2", "c1"], surprise=6.0)
    assert rank_columns([unsure, spread, sure])[0] == "c1"
    assert set(rank_columns([unsure, spread, sure])) == {"c1", "c2", "c3"}
    assert rank_columns([sure, unsure]) == rank_columns([unsure, sure])
    assert len(rank_columns([make.verdict(f"nulls.c{i}", [f"c{i}"]) for i in range(40)])) == 10


def test_the_column_that_only_dates_rows_comes_after_those_that_changed(make: Any) -> None:
    rows = make.verdict("volume", ["day"], surprise=90.0, shares=(), change=Change.ROWS_MISSING)
    assert rank_columns([rows]) == ("day",)
    assert rank_columns([rows, make.verdict("drift", ["c1", "c2"], surprise=6.0)]) == ("c1", "c2", "day")
    hours = make.verdict("drift", ["day", "c1"], surprise=6.0)
    assert rank_columns([rows, hours]) == ("day", "c1")


def test_repeated_rows_lead_what_single_columns_show_of_them(make: Any) -> None:
    doubled = make.verdict("duplicates", ["c1"], surprise=30.0, change=Change.DUPLICATES)
    constant = make.verdict("stats.c1", ["c1"], surprise=30.0, change=Change.CONSTANT)
    extra = make.verdict("volume", surprise=30.0, change=Change.ROWS_EXTRA)
    assert Group((extra, doubled, constant)).change is Change.DUPLICATES
    assert Group((doubled, constant)).change is Change.CONSTANT  # no row more: a key with one value over others
    thinned = make.verdict("zeros.c1", ["c1"], surprise=30.0, change=Change.VALUES_GONE)
    assert Group((doubled, thinned)).change is Change.DUPLICATES
