"""Laws of plan and apply, on configurations that are made up."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.plan import Declared, apply, changes_since, compare
from monitor.plan.changes import ADDED, EDITED, REMOVED
from monitor.store import Store
from tests.plan.conftest import Read

NOW = dt.datetime(2026, 11, 21, 5, tzinfo=dt.UTC)
MAIN = "warehouses: {main: 'duckdb:///w.duckdb'}\n"
SETTLED = settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

RULES = st.fixed_dictionaries(
    {},
    optional={
        "not_null_x": st.fixed_dictionaries({"not_null": st.just("x"), "tolerance": st.sampled_from([0.1, 0.2])}),
        "in_set_y": st.fixed_dictionaries(
            {"in_set": st.fixed_dictionaries({"column": st.just("y"), "values": st.sampled_from([[0, 1, 2], [0, 5]])})}
        ),
        "positive": st.fixed_dictionaries(
            {"name": st.just("positive"), "sql": st.just("x >= 0 OR x IS NULL"), "id": st.sampled_from(["k", "l"])}
        ),
    },
)
METRICS = st.fixed_dictionaries(
    {},
    optional={
        "sum_x": st.just({"sql": "sum(x)"}),
        "level": st.fixed_dictionaries(
            {"name": st.just("level"), "sql": st.sampled_from(["avg(x)", "avg(y)"]), "direction": st.just("up")}
        ),
    },
)
TABLE = st.fixed_dictionaries(
    {"rules": RULES, "metrics": METRICS},
    optional={"owner": st.sampled_from(["@ana", "@bob"]), "labels": st.sampled_from([["a", "b"], ["c"]])},
)
CONFIGS = st.dictionaries(st.sampled_from(["main.a", "main.b", "main.c"]), TABLE)


def files(config: Mapping[str, Any], seed: int = 0) -> dict[str, str]:
    """The configuration as files; another seed puts the same things elsewhere, in another order and notation."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    entries = [
        {
            "name": name,
            "time_column": "d",
            "key": ["x"],
            **{k: chance.sample(v, len(v)) if k == "labels" and seed else v for k, v in body.items()},
            "rules": [spell(rule, chance, seed) for rule in mixed(body["rules"].values(), chance, seed)],
            "metrics": [spell(metric, chance, seed) for metric in mixed(body["metrics"].values(), chance, seed)],
        }
        for name, body in config.items()
    ]
    entries = mixed(entries, chance, seed)
    cut = chance.randint(0, len(entries)) if seed else len(entries)
    flow = bool(seed % 2)
    listed_first = yaml.safe_dump(entries[:cut], default_flow_style=flow, width=10_000)
    first = f"# {seed}\n{MAIN}include: [t/*.yaml]\ntables:\n" + "".join(
        f"  {line}\n" for line in listed_first.splitlines()
    )
    rest = yaml.safe_dump({"tables": entries[cut:]}, sort_keys=flow)
    return {"daywatch.yaml": first, "t/rest.yaml": rest}


def mixed(items: Any, chance: random.Random, seed: int) -> list[Any]:
    return chance.sample(list(items), len(items)) if seed else list(items)


def spell(item: Mapping[str, Any], chance: random.Random, seed: int) -> dict[str, Any]:
    """The same check with keys, values and spaces in another order."""
    keys = mixed(item, chance, seed)
    told = {key: item[key] for key in keys}
    if seed and "sql" in told:
        told["sql"] = told["sql"].replace("(", "( ").replace(" OR ", "\n  or ")
    if seed and "in_set" in told:
        told["in_set"] = {**told["in_set"], "values": mixed(told["in_set"]["values"], chance, seed)}
    return told


@SETTLED
@given(config=CONFIGS, seed=st.integers(1, 1000))
def test_moving_and_respelling_changes_nothing(read: Read, config: dict[str, Any], seed: int) -> None:
    before, after = read(files(config)), read(files(config, seed))
    assert {item.id for item in before} == {item.id for item in after}
    assert compare(before, after).changes == ()


@SETTLED
@given(one=CONFIGS, other=CONFIGS)
def test_changes_are_those_that_a_person_would_list(read: Read, one: dict[str, Any], other: dict[str, Any]) -> None:
    found = compare(read(files(one)), read(files(other)))
    then, now = listed(one), listed(other)
    told = {what: {f"{c.item.table} {c.item.check}".strip() for c in found.changes if c.what == what} for what in WHAT}
    assert told[ADDED] == now.keys() - then.keys()
    assert told[REMOVED] == then.keys() - now.keys()
    assert told[EDITED] == {key for key in then.keys() & now.keys() if then[key] != now[key]}


WHAT = (ADDED, EDITED, REMOVED)


def listed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Everything in a configuration, by table and name of the check."""
    found: dict[str, Any] = {}
    for table, body in config.items():
        found[table] = {key: value for key, value in body.items() if key in ("owner", "labels")}
        found |= {f"{table} rule.{name}": rule for name, rule in body["rules"].items()}
        found |= {f"{table} metric.{name}": metric for name, metric in body["metrics"].items()}
    return found


@SETTLED
@given(one=CONFIGS, other=CONFIGS)
def test_after_apply_nothing_would_change(read: Read, one: dict[str, Any], other: dict[str, Any]) -> None:
    with Store.open("sqlite://") as store:
        number = 0
        for who, config in (("ana", one), ("bob", other), ("cleo", other)):
            declared = read(files(config))
            found, base = changes_since(store, declared)
            assert (base.number if base else 0) == number
            if not found:
                continue
            number = apply(store, declared, found, number, who, NOW).number
            assert not changes_since(store, declared)[0]
        assert {row.id: (row.table, row.check) for row in store.declared()} == {
            item.id: (item.table, item.check) for item in read(files(other))
        }
        assert {row.created_by for row in store.declared()} <= {"ana", "bob"}
        assert all(row.edited_by in (None, "bob") for row in store.declared())
        history = [len(a.changes) for a in store.applications()]
        assert all(history)


def test_changes_of_tables_say_old_and_new(read: Read) -> None:
    def of(body: str) -> list[Declared]:
        return read({"daywatch.yaml": MAIN + f"tables: [{{name: main.a, time_column: d, key: x, {body}}}]\n"})

    found = compare(of("due: '06:00', sample_rows: 500"), of("due: '07:00', owner: '@a', cadence: day"))
    edits = {edit.key: (edit.old, edit.new) for edit in found.changes[0].edits}
    assert edits == {
        "due": ("06:00:00", "07:00:00"),
        "sample_rows": (500, 10_000),
        "owner": (None, "@a"),
    }


def test_values_of_environment_variables_are_kept_by_name(read: Read) -> None:
    rules = "rules: [{sql: 'x < ${LIMIT}', name: r, owner: 'o ${LIMIT}'}]"
    said = "owner: 'a ${LIMIT}', channels: ['folder:${LIMIT}']"
    table, rule = read({"daywatch.yaml": MAIN + f"tables: [{{name: main.a, time_column: d, {said}, {rules}}}]\n"})
    assert (rule.settings["sql"], rule.owner, table.owner) == ("x < ${LIMIT}", "o ${LIMIT}", "a ${LIMIT}")
    assert "271828" not in str((table, rule))
