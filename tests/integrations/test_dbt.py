"""Every changed model of dbt gated against production's."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from monitor.integrations.dbt import Pair, changed_models, fitted, main, pairs_of
from tests.gate.conftest import Desk


def node(name: str, schema: str, text: str = "1", materialized: str = "table", **more: Any) -> dict[str, Any]:
    config = {"materialized": materialized, "schema": None, "enabled": True, "tags": []}
    return {
        "name": name, "schema": schema, "alias": name, "resource_type": "model", "config": config | more,
        "checksum": {"name": "sha256", "checksum": text},
    }  # fmt: skip


def manifest(*nodes: dict[str, Any], children: dict[str, list[str]] | None = None) -> dict[str, Any]:
    return {"nodes": {f"model.shop.{n['name']}": n for n in nodes}, "child_map": children or {}}


def test_changed_are_models_of_another_text_and_all_made_from_them() -> None:
    theirs = manifest(*(node(name, "prod") for name in ("raw", "clean", "report", "other", "config")))
    children = {"model.shop.raw": ["model.shop.clean"], "model.shop.clean": ["model.shop.report", "test.shop.t"]}
    ours = manifest(
        node("raw", "ci", text="2"), node("clean", "ci"), node("report", "ci"), node("other", "ci"),
        node("config", "ci", materialized="incremental"), node("new", "ci"), children=children,
    )  # fmt: skip
    ours["nodes"]["model.shop.other"]["config"]["schema"] = "ci"  # where it is built is no change
    found = [name.rpartition(".")[2] for name in changed_models(ours, theirs)]
    assert found == ["clean", "config", "raw", "report"]
    same = manifest(*(node(name, "ci") for name in ("raw", "clean")))
    assert changed_models(same, manifest(node("raw", "prod"), node("clean", "prod"))) == []


def macro(text: str, *calls: str) -> dict[str, Any]:
    return {"macro_sql": text, "depends_on": {"macros": [f"macro.shop.{name}" for name in calls]}}


def test_a_change_of_a_macro_alone_touches_the_models_that_use_it() -> None:
    names = ("direct", "through", "child", "untouched", "plain")
    uses = {"direct": ["macro.shop.cents"], "through": ["macro.shop.price"], "untouched": ["macro.shop.other"]}
    theirs = manifest(*(node(name, "prod") for name in names))
    theirs["macros"] = {
        "macro.shop.cents": macro("{{ x }} / 100"),
        "macro.shop.price": macro("{{ rounded(x) }}", "rounded"),
        "macro.shop.rounded": macro("round({{ cents(x) }})", "cents", "price"),  # and back: they may call each other
        "macro.shop.other": macro("1"),
    }
    ours = copy.deepcopy(theirs)
    ours["child_map"] = {"model.shop.direct": ["model.shop.child"]}
    for name, macros in uses.items():
        ours["nodes"][f"model.shop.{name}"]["depends_on"] = {"macros": macros}
    assert changed_models(ours, theirs) == []
    ours["macros"]["macro.shop.cents"] = macro("{{ x }} / 100.0")
    assert [name.rpartition(".")[2] for name in changed_models(ours, theirs)] == ["child", "direct", "through"]
    del theirs["macros"]["macro.shop.other"]  # one that production does not have yet
    assert "model.shop.untouched" in changed_models(ours, theirs)


def test_what_has_no_table_is_not_gated() -> None:
    theirs = manifest(node("a", "prod", materialized="ephemeral"), node("b", "prod"))
    ours = manifest(node("a", "ci", text="2"), node("b", "ci", text="2", materialized="ephemeral"))
    assert changed_models(ours, theirs) == []


def test_tables_are_named_by_their_aliases() -> None:
    theirs, ours = manifest(node("a", "prod")), manifest(node("a", "ci", text="2"))
    ours["nodes"]["model.shop.a"]["alias"] = "a.b"
    assert pairs_of(ours, theirs, "main") == [Pair("model.shop.a", 'main.ci."a.b"', "main.prod.a")]
    assert pairs_of(theirs, theirs, "main") == []


def test_changed_models_are_gated_and_commented(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.folder)
    theirs = manifest(*(node(name, "main") for name in ("good", "bad")))
    ours = copy.deepcopy(theirs)
    for name, table in (("good", "same"), ("bad", "both")):
        theirs["nodes"][f"model.shop.{name}"]["alias"] = "orders"
        ours["nodes"][f"model.shop.{name}"] |= {"schema": "staging", "alias": table, "checksum": {"checksum": "2"}}
    files = [tmp_path / "ours.json", tmp_path / "theirs.json"]
    for file, data in zip(files, (ours, theirs), strict=True):
        file.write_text(json.dumps(data))
    comment = tmp_path / "comment.md"
    given = ["--manifest", str(files[0]), "--state", str(files[1]), "-c", "daywatch.yaml", "--markdown", str(comment)]
    assert main(given) == 1
    out = capsys.readouterr().out
    assert "Safe: main.staging.same in place of main" in out
    assert "Not safe: main.staging.both in place of main" in out
    assert "2 changed models were gated." in out
    assert comment.read_text().count("## ") >= 2
    assert main([*given[:2], "--state", str(tmp_path / "none.json")]) == 2


def test_a_model_that_is_missing_ends_with_2_and_stops_no_other(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = manifest(node("gone", "main"), node("orders", "main"))
    ours = manifest(node("gone", "staging", text="2"), node("orders", "staging", text="2"))
    ours["nodes"]["model.shop.orders"]["alias"] = "same"
    files = [tmp_path / "ours.json", tmp_path / "theirs.json"]
    for file, data in zip(files, (ours, theirs), strict=True):
        file.write_text(json.dumps(data))
    config = str(desk.folder / "daywatch.yaml")
    assert main(["--manifest", str(files[0]), "--state", str(files[1]), "-c", config]) == 2
    out = capsys.readouterr().out
    assert "no table" in out
    assert "Safe: main.staging.same" in out


def test_many_comments_fit_into_one() -> None:
    told = [f"## model {i}\n\nNot safe\n" + "x" * 5_000 for i in range(500)]
    text = fitted(told)
    assert len(text) <= 60_000
    assert text.startswith(told[0])
    assert "## model 400\n" in text
    assert len(fitted([f"## {'y' * 300} {i}\n\nz" for i in range(1_000)])) <= 60_000
