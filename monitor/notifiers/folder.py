"""Alerts as folders: one each, with the message as text, Markdown and JSON, and the pictures beside it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from monitor.alerts.blocks import Block, Message, Picture
from monitor.alerts.markdown import render_markdown
from monitor.alerts.payload import to_payload
from monitor.notifiers.base import DeliveryError

NAME_MAX = 150
ALERTS_OF_ONE_NAME_MAX = 1000
PICTURE_BYTES_MAX = 20_000_000
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_TEMPORARY = ".writing-"
_TAKEN = {errno.EEXIST, errno.ENOTEMPTY}


class Folder:
    """Writes `<partition>_<table>_<incident>/` under a folder: `folder:PATH`, or the setting `alerts_folder`.

    A folder appears whole or not at all, and an alert that is there already is not written again. Another alert of
    the same incident and partition gets `_2`, `_3`, ... behind its name.
    """

    def __init__(self, name: str, address: str, settings: Mapping[str, Any], base: Path) -> None:
        self.name = name
        self.path = base / Path(address or str(settings.get("alerts_folder") or "alerts")).expanduser()

    def send(self, message: Message) -> str:
        """Write the alert's folder; the receipt is its path.

        Raises:
            DeliveryError: the disk is full, the folder may not be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            return self._write(message)
        except OSError as error:
            raise DeliveryError(
                f"cannot write: {error.strerror or error}",
                where=f"channel {self.name} ({self.path})",
                mend="make room there, or allow writing",
            ) from error

    def find(self, alert_id: str) -> str | None:
        """The path of the alert's folder, if it is there."""
        if not alert_id or not self.path.is_dir():
            return None
        for place in sorted(self.path.iterdir(), reverse=True):
            if not place.name.startswith(".") and _identity_at(place) == alert_id:
                return str(place)
        return None

    def _write(self, message: Message) -> str:
        identity = _identity(message)
        temporary = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=self.path))
        try:
            _fill(temporary, message, identity)
            temporary.chmod(0o755)
            for place in self._places(message):
                if _identity_at(place) == identity:
                    return str(place)
                if not place.exists() and _rename(temporary, place):
                    return str(place)
                if _identity_at(place) == identity:  # written by another sender in between
                    return str(place)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        raise DeliveryError(
            f"{ALERTS_OF_ONE_NAME_MAX} alerts have this name already", where=f"channel {self.name}", retryable=False
        )

    def _places(self, message: Message) -> Iterator[Path]:
        """The folder's name, then the same with numbers."""
        parts = (_safe(part) for part in (message.partition, message.table, message.incident))
        name = "_".join(parts)[:NAME_MAX]
        yield self.path / name
        for number in range(2, ALERTS_OF_ONE_NAME_MAX + 1):
            yield self.path / f"{name}_{number}"


def _safe(part: str) -> str:
    """A part of a file's name on any system: no separators, no colons, no leading dot."""
    return _UNSAFE.sub("-", part).strip(".-")[: NAME_MAX // 3] or "unnamed"


def _rename(temporary: Path, place: Path) -> bool:
    """Move the finished folder to its place; False where somebody was faster."""
    try:
        temporary.rename(place)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True


def _identity(message: Message) -> str:
    """The alert's id; a message that never entered the outbox is known by what it says."""
    if message.alert_id:
        return message.alert_id
    return "unsent-" + hashlib.sha256(json.dumps(to_payload(message)).encode()).hexdigest()[:32]


def _identity_at(place: Path) -> str | None:
    try:
        identity = json.loads((place / "message.json").read_text("utf-8"))["alert_id"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return identity if isinstance(identity, str) else None


def _fill(folder: Path, message: Message, identity: str) -> None:
    from monitor.alerts.text import render_text  # noqa: PLC0415 - rich is heavy

    beside = replace(message, alert_id=identity, blocks=tuple(_beside(message, folder)))
    _write_text(folder / "message.txt", render_text(beside))
    _write_text(folder / "message.md", render_markdown(beside))
    _write_text(folder / "message.json", json.dumps(to_payload(beside), indent=2, ensure_ascii=False) + "\n")


def _beside(message: Message, folder: Path) -> Iterator[Block]:
    """The blocks, with pictures copied into the folder and named as they are there."""
    number = 0
    for block in message.blocks:
        if not isinstance(block, Picture):
            yield block
            continue
        number += 1
        target = folder / f"picture-{number}.png"
        yield replace(block, path=target.name if _copy_picture(Path(block.path), target) else "")


def _copy_picture(source: Path, target: Path) -> bool:
    """False for a picture that is gone: the words that stand for it are still there."""
    if source.suffix.lower() != ".png":
        return False
    try:
        if source.stat().st_size > PICTURE_BYTES_MAX:
            return False
        shutil.copyfile(source, target)
    except OSError:
        target.unlink(missing_ok=True)
        if not source.is_file():
            return False
        raise
    return True


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
