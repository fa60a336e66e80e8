"""The configuration for others: as a data contract, as dbt tests, and its JSON Schema for editors.

What has no equal there is listed with the reason.
"""

from monitor.exports.kinds import KINDS, Unexported, export_config
from monitor.exports.schema import export_schema

__all__ = ["KINDS", "Unexported", "export_config", "export_schema"]
