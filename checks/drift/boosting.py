"""LightGBM without its wrappers for scikit-learn, which costs every process that judges a second and 60 MB to load.

What asks for `LGBMClassifier` and its like must import `lightgbm` before a day is judged, as a plugin's module does.
"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING

__all__ = ["lightgbm"]

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads cost 30x on two cores


def _load() -> ModuleType:
    """LightGBM as it is where scikit-learn is not installed, unless somebody has loaded that already."""
    if "sklearn" in sys.modules:
        return importlib.import_module("lightgbm")
    sys.modules["sklearn"] = None  # type: ignore[assignment]  # Python's own way to say that there is none
    try:
        return importlib.import_module("lightgbm")
    finally:
        del sys.modules["sklearn"]


if TYPE_CHECKING:
    import lightgbm
else:
    lightgbm = _load()
