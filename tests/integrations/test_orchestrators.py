"""Airflow's operators and Dagster's asset check, with the real packages where they are installed.

python -m venv orchestrators
orchestrators/bin/pip install -e '.[postgres]' pytest apache-airflow-core dagster
orchestrators/bin/python -m pytest tests/integrations
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.gate.conftest import DAY, Desk


@pytest.fixture
def config(desk: Desk) -> str:
    return str(desk.folder / "daywatch.yaml")


@pytest.fixture
def airflow(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
    os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
    pytest.importorskip("airflow")
    from monitor.integrations import airflow

    return airflow


def test_an_operator_hands_over_what_the_gate_found(airflow: Any, config: str) -> None:
    task = airflow.GateOperator(
        task_id="gate", staging="main.staging.same", against="main.orders", config=config, date=DAY
    )
    found = task.execute({})
    assert (found["safe"], found["partition"]) == (True, DAY)
    assert set(airflow.GateOperator.template_fields) >= {"staging", "date"}


def test_an_operator_fails_without_retry_where_something_would_alert(airflow: Any, config: str) -> None:
    task = airflow.GateOperator(
        task_id="gate", staging="main.staging.both", against="main.orders", config=config, date=DAY
    )
    with pytest.raises(airflow.AirflowFailException, match="would alert"):
        task.execute({})


def test_trouble_of_a_warehouse_is_raised_for_a_retry(airflow: Any, config: str) -> None:
    from monitor.errors import SourceError

    url = "postgresql://nobody@127.0.0.1:1/none#orders"
    with pytest.raises(SourceError, match="connect"):
        airflow.GateOperator(task_id="gate", staging=url, against="main.orders", config=config).execute({})


def test_a_table_is_judged_by_a_task(airflow: Any, desk: Desk, tmp_path: Path) -> None:
    import shutil

    for name in ("daywatch.db", "daywatch.yaml", "shop.duckdb"):
        shutil.copy(desk.folder / name, tmp_path)
    config = str(tmp_path / "daywatch.yaml")
    settings = {"tables": ["main.orders"], "config": config, "date": DAY, "alerts": False}
    assert airflow.RunOperator(task_id="run", **settings).execute({}) == 0


@pytest.mark.parametrize(("staging", "passes"), [("same", True), ("both", False)])
def test_an_asset_check_passes_what_is_safe(config: str, staging: str, passes: bool) -> None:
    dagster = pytest.importorskip("dagster")
    from monitor.integrations.dagster import gate_check

    @dagster.asset
    def staged() -> None: ...

    check = gate_check(staged, staging=f"main.staging.{staging}", against="main.orders", config=config, date=DAY)
    definitions = dagster.Definitions(assets=[staged], asset_checks=[check])
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(raise_on_error=False)
    (evaluation,) = result.get_asset_check_evaluations()
    assert evaluation.passed is passes
    assert evaluation.metadata["partition"].value == DAY
    assert "daywatch gate" in str(evaluation.metadata["report"].value)
