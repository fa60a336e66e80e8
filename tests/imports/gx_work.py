"""Verdicts of Great Expectations on frames, in its own environment: `python gx_work.py DATA SUITES`."""

import datetime as dt
import json
import pathlib
import sys

import great_expectations as gx
import pandas as pd


def frame(told: dict) -> pd.DataFrame:
    made = {}
    for i, (name, kind) in enumerate(told["columns"]):
        values = [row[i] for row in told["rows"]]
        if "TIMESTAMP" in kind:
            made[name] = pd.to_datetime(pd.Series(values))
        elif "DATE" in kind:
            made[name] = pd.Series([dt.date.fromisoformat(v) if v else None for v in values], dtype="object")
        elif "VARCHAR" in kind:
            made[name] = pd.Series(values, dtype="object")
        else:
            made[name] = pd.Series([float(v) if v is not None else float("nan") for v in values])
    return pd.DataFrame(made)


def main() -> None:
    tables = json.loads(pathlib.Path(sys.argv[1]).read_text("utf-8"))
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    source = context.data_sources.add_pandas("shop")
    found = {}
    for name, told in tables.items():
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
        listed = json.loads((pathlib.Path(sys.argv[2]) / f"{name}.json").read_text("utf-8"))["expectations"]
        for i, item in enumerate(listed):
            kind = item.get("type") or item["expectation_type"]
            kwargs = {k: v for k, v in item["kwargs"].items() if k != "batch_id"}
            try:
                suite = gx.ExpectationSuite(name=f"{name}{i}", expectations=[{"type": kind, "kwargs": kwargs}])
                suite = context.suites.add(suite)
                result = batch.get_batch({"dataframe": frame(told)}).validate(suite).results[0]
                verdict = "pass" if result.success else "fail"
                if "'raised_exception': True" in str(result.exception_info):
                    verdict = "error"
            except Exception as error:  # noqa: BLE001 - told as the verdict
                verdict = f"error: {type(error).__name__}: {error}"[:200]
            found[f"{name}.{i}: {kind}"] = verdict
    print(json.dumps(found))  # noqa: T201 - its result


if __name__ == "__main__":
    main()
