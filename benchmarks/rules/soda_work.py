"""The rules by Soda Core, in an environment of its own: `.venv-peers/rules/bin/python soda_work.py FILE yes|no`."""

import json
import os
import resource
import sys
import time

os.environ["SODA_TELEMETRY"] = "false"  # nothing is sent while it is timed

import duckdb
from soda.scan import Scan

UNIQUE = """
  - duplicate_count(id) = 0
  - duplicate_count(code) = 0
"""
CHECKS = """checks for t:
  - missing_count(id) = 0
  - missing_count(code) = 0
  - missing_count(day) = 0
  - missing_count(origin) = 0
  - missing_count(sku) = 0
  - missing_percent(note) < 2
  - invalid_count(origin) = 0:
      valid values: [EWR, JFK, LGA]
  - invalid_count(amount) = 0:
      valid min: 0
      valid max: 10000
  - invalid_count(age) = 0:
      valid min: 0
      valid max: 120
  - invalid_count(quantity) = 0:
      valid min: 0
      valid max: 499
  - invalid_count(sku) = 0:
      valid regex: ^SKU-[0-9]{5}$
  - invalid_count(code) = 0:
      valid regex: ^u[0-9]{8}$
  - invalid_count(code) = 0:
      valid length: 9
  - days_out = 0:
      days_out expression: count(CASE WHEN day < DATE '2013-01-01' OR day > DATE '2013-12-31' THEN 1 END)
  - flags_out = 0:
      flags_out expression: count(CASE WHEN flag NOT IN (TRUE, FALSE) THEN 1 END)
  - amount_or_flag = 0:
      amount_or_flag expression: count(CASE WHEN NOT (amount * 2 >= 0 OR flag) THEN 1 END)
  - age_below = 0:
      age_below expression: count(CASE WHEN NOT (age < quantity + 1000) THEN 1 END)
  - note_begins = 0:
      note_begins expression: count(CASE WHEN NOT (note LIKE 'note %') THEN 1 END)
"""


def main() -> None:
    file, unique = sys.argv[1:]
    connection = duckdb.connect(file, read_only=True)
    connection.execute("SELECT 1")
    before, began = cpu_s(), time.perf_counter()
    scan = Scan()
    scan.set_scan_definition_name("rules")
    scan.add_duckdb_connection(connection)
    scan.set_data_source_name("duckdb")
    scan.disable_telemetry()
    scan.add_sodacl_yaml_str(CHECKS + (UNIQUE if unique == "yes" else ""))
    code = scan.execute()
    found = {"cpu_s": cpu_s() - before, "wall_s": time.perf_counter() - began, "code": float(code)}
    found["checks"] = float(len(scan.get_scan_results()["checks"]))
    print(json.dumps(found))


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
