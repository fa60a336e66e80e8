"""Addresses of warehouses and stores: relative paths made absolute, secrets taken out."""

from __future__ import annotations

import re
from pathlib import Path

_PASSWORD = re.compile(r"(?P<before>[A-Za-z][\w+.-]*://[^\s/:@]*):(?P<password>[^\s]*)@")
_PARAMETER = re.compile(
    r"(?P<name>(?:^|[?&;\s])[\w-]*(?:password|passwd|pwd|passphrase|token|secret|apikey|api_key|access_key|credential)[\w-]*=)"
    r"[^&;\s'\"]+",
    re.IGNORECASE,
)
_PRIVATE_KEY = re.compile(r"(?P<name>[?&]private_key=)[^&]+", re.IGNORECASE)  # may hold blanks and line breaks
_KEY_FILE = re.compile(r"(?<=[?&]private_key_file=)[^/&][^&]*")
_FILE_SCHEMES = ("duckdb", "sqlite")
_IN_MEMORY = ("", ":memory:")


def redact_url(text: str) -> str:
    """`text` with every password and token in an address replaced by `***`."""
    masked = _PRIVATE_KEY.sub(r"\g<name>***", _PASSWORD.sub(r"\g<before>:***@", text))
    return _PARAMETER.sub(r"\g<name>***", masked)


def url_scheme(url: str) -> str:
    """The engine's name: what stands before `:` and before a driver's `+`; empty where there is none."""
    match = re.match(r"([A-Za-z][\w.-]*)(\+[\w.-]+)?://", url)
    return match.group(1).lower() if match else ""


def absolute_url(url: str, folder: Path) -> str:
    """`url` with a relative path of an embedded engine, or of a key file, made absolute, seen from `folder`.

    Three slashes begin a relative path and four an absolute one, as in SQLAlchemy; `files://x` is relative and
    `files:///x` absolute. In-memory databases and addresses of servers stay as they are.
    """
    scheme = url_scheme(url)
    head, _, rest = url.partition("://")
    if scheme == "files":
        return f"{head}://{_absolute(rest, folder)}"
    if scheme == "snowflake":
        return _KEY_FILE.sub(lambda found: _absolute(found[0], folder), url)
    if scheme not in _FILE_SCHEMES or not rest.startswith("/"):
        return url
    path, mark, query = rest[1:].partition("?")
    if path in _IN_MEMORY or path.startswith((":", "md:")):
        return url
    return f"{head}:///{_absolute(path, folder)}{mark}{query}"


def _absolute(path: str, folder: Path) -> str:
    return str((folder / path).absolute()) if path else str(folder.absolute())
