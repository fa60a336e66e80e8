"""Who applies a configuration: as said, as git or the CI has it, or the user of the machine."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from monitor.errors import mask_secrets

NAME_MAX = 100
VARIABLES = ("DAYWATCH_AUTHOR", "GIT_AUTHOR_NAME", "GITHUB_ACTOR", "GITLAB_USER_NAME")
"""Asked in this order, after `--author`."""
_GIT_TIMEOUT_S = 5


def author(said: str | None, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """A name on one line; `folder` is where git is asked."""
    known = os.environ if environment is None else environment
    given = [said, *(known.get(name) for name in VARIABLES)]
    found = next((text.strip() for text in given if text and text.strip()), None)
    name = found or _from_git(folder) or _user()
    return " ".join(mask_secrets(name).split())[:NAME_MAX]


def _from_git(folder: Path) -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    for key in ("user.name", "user.email"):
        try:
            told = subprocess.run(  # noqa: S603 - a fixed command
                [git, "config", key], cwd=folder, capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.SubprocessError):
            return ""
        if told.stdout.strip():
            return told.stdout.strip()
    return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "unknown"
