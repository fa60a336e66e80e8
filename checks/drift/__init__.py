"""Can a classifier tell today from earlier days? If it can, something changed, and its attributions say what."""

from checks.drift.check import Drift

__all__ = ["Drift"]
