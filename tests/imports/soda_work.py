"""Verdicts of Soda Core, in its own environment: `python soda_work.py FILE CHECKS` prints check -> outcome as JSON."""

import json
import os
import sys

os.environ["SODA_TELEMETRY"] = "false"

import duckdb
from soda.scan import Scan


def main() -> None:
    file, checks = sys.argv[1:]
    connection = duckdb.connect(file, read_only=True)
    connection.execute("SET timezone = 'UTC'")
    scan = Scan()
    scan.set_scan_definition_name("shop")
    scan.add_duckdb_connection(connection)
    scan.set_data_source_name("duckdb")
    scan.disable_telemetry()
    scan.add_sodacl_yaml_file(checks)
    scan.execute()
    found = {}
    for check in scan._checks:
        line = check.check_cfg.location.line
        outcome = check.outcome.value if check.outcome is not None else "none"
        found[f"{line}: {check.check_cfg.source_line}"] = outcome
    print(json.dumps(found))  # noqa: T201 - its result


if __name__ == "__main__":
    main()
