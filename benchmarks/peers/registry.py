"""The peers: which driver each has, in which environment, and the settings that are tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".venv-peers"
DEFAULT = "default"


@dataclass(frozen=True)
class Entry:
    """A peer.

    `driver` is a module of `benchmarks.peers.drivers`, `environment` a folder of `.venv-peers` and a file of
    `requirements/`. `fixed` says which part of the tool is meant; `settings` are the others tried beside the default.
    """

    name: str
    driver: str
    environment: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return ENVIRONMENTS / self.environment / "bin" / "python"

    def setting(self, name: str) -> dict[str, Any]:
        """The options of a setting; those of "default" are the tool's own."""
        return {**self.fixed, **(self.settings[name] if name != DEFAULT else {})}


CHOSEN = {"leave_out": True}
"""Every setting beside the default leaves out the columns that tell the day by their nature, as a user would."""

PEERS = (
    Entry(
        "evidently", "evidently", "evidently",
        settings={
            "any_column": {"alarm": "any", "texts": "categories", **CHOSEN},
            "psi": {"method": "psi", "alarm": "any", "texts": "categories", **CHOSEN},
        },
    ),
    Entry(
        "nannyml", "nannyml", "nannyml",
        settings={"chosen_columns": CHOSEN, "28_days": {"days": 28, **CHOSEN}},
    ),
    Entry(
        "nannyml_classifier", "nannyml", "nannyml",
        fixed={"calculator": "classifier"}, settings={"chosen_columns": CHOSEN},
    ),
    Entry(
        "alibi_tabular", "alibi", "alibi",
        fixed={"detector": "tabular"}, settings={"chosen_columns": CHOSEN, "fdr": {"correction": "fdr", **CHOSEN}},
    ),
    Entry(
        "alibi_classifier", "alibi", "alibi",
        fixed={"detector": "classifier"},
        settings={"chosen_columns": CHOSEN, "balanced_folds": {"n_folds": 5, "balanced": True, **CHOSEN}},
    ),
    Entry(
        "deepchecks", "deepchecks", "deepchecks",
        fixed={"check": "multivariate"}, settings={"chosen_columns": CHOSEN},
    ),
    Entry(
        "deepchecks_features", "deepchecks", "deepchecks",
        fixed={"check": "features"}, settings={"chosen_columns": CHOSEN, "emd": {"method": "EMD", **CHOSEN}},
    ),
    Entry(
        "elementary", "elementary", "plain",
        settings={"28_days": {"days": 28, **CHOSEN}, "apart": {"days": 28, "apart": True, "sensitivity": 4, **CHOSEN}},
    ),
    Entry(
        "isolation_forest", "forest", "plain",
        settings={"chosen_columns": CHOSEN, "99": {"percentile": 99, **CHOSEN}},
    ),
    Entry(
        "column_tests", "columns", "plain",
        settings={"chosen_columns": CHOSEN, "fdr": {"correction": "fdr", **CHOSEN}, "psi": {"test": "psi", **CHOSEN}},
    ),
    Entry("novelty", "novelty", "plain", settings={"chosen_columns": CHOSEN, "max": {"over": "max", **CHOSEN}}),
)  # fmt: skip
