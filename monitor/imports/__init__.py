"""Rules out of other tools' files: `read_import` reads them, `write_yaml` writes them as a configuration.

What means exactly the same is carried over; everything else is listed with its place and the reason.
"""

from monitor.imports.found import Imported, LeftOut, Naming, naming
from monitor.imports.kinds import KINDS, read_import
from monitor.imports.writing import write_yaml

__all__ = ["KINDS", "Imported", "LeftOut", "Naming", "naming", "read_import", "write_yaml"]
