from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.alerts.blocks import Message, Picture, Text
from monitor.alerts.message import from_payload
from monitor.errors import SourceError, UsageError
from monitor.notifiers.base import DeliveryError, Notifier, load_notifier
from monitor.notifiers.console import Console
from monitor.notifiers.folder import Folder

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


def message(alert: str = "a1", **more: Any) -> Message:
    values: dict[str, Any] = {
        "alert_id": alert,
        "incident": "INC-17",
        "table": "main.flights",
        "partition": "2013-02-09",
        "event": "opened",
        "severity": "strong",
        "title": "dep_time is missing",
        "blocks": (Text("Look."),),
    }
    return Message(**{**values, **more})


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder("folder:alerts", "alerts", {}, tmp_path)


def names(folder: Folder) -> list[str]:
    return sorted(place.name for place in folder.path.iterdir())


def test_the_built_ins_come_through_the_entry_points(tmp_path: Path) -> None:
    console = load_notifier("console")
    assert isinstance(console, Notifier)
    assert console.name == "console"
    named = load_notifier("folder:here:too", base=tmp_path)
    assert isinstance(named, Folder)
    assert named.path == tmp_path / "here:too"
    assert Folder("folder", "", {"alerts_folder": "out"}, tmp_path).path == tmp_path / "out"


def test_an_unknown_scheme_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no notifier 'pigeon'; known are: .*console, email, folder"):
        load_notifier("pigeon:home")


def test_a_notifier_that_cannot_be_loaded_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    broken = importlib.metadata.EntryPoint("pigeon", "no_such_module:Pigeon", "daywatch.notifiers")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: [broken])
    with pytest.raises(UsageError, match=r"channel pigeon: .*no_such_module.*install what it needs"):
        load_notifier("pigeon")


def test_delivery_errors_are_told_and_survive_processes() -> None:
    error = DeliveryError("busy", where="channel a", retryable=False, retry_after_s=3)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert isinstance(error, SourceError)
    assert (str(again), again.retryable, again.retry_after_s) == ("channel a: busy", False, 3)


def test_the_console_prints_and_remembers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    console = Console("console", "", {}, tmp_path)
    assert console.find("a1") is None
    assert console.send(message()) == "stdout"
    assert "dep_time is missing" in capsys.readouterr().out
    assert console.find("a1") == "stdout"
    assert Console("console:stderr", "stderr", {}, tmp_path).send(message()) == "stderr"
    assert "dep_time is missing" in capsys.readouterr().err
    with pytest.raises(UsageError, match="console:stderr"):
        Console("console:x", "x", {}, tmp_path)


def test_a_closed_console_is_a_delivery_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import io

    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr("sys.stdout", closed)
    with pytest.raises(DeliveryError, match="cannot print"):
        Console("console", "", {}, tmp_path).send(message())


def test_a_folder_holds_the_message_in_three_forms_with_its_pictures(folder: Folder, tmp_path: Path) -> None:
    picture = tmp_path / "drawn" / "series one.png"
    picture.parent.mkdir()
    picture.write_bytes(PNG)
    blocks = (Text("Look."), Picture(str(picture), "A line."), Picture(str(tmp_path / "gone.png"), "Another."))
    receipt = folder.send(message(blocks=blocks))
    place = Path(receipt)
    assert names(folder) == ["2013-02-09_main.flights_INC-17"]
    assert sorted(p.name for p in place.iterdir()) == ["message.json", "message.md", "message.txt", "picture-1.png"]
    assert (place / "picture-1.png").read_bytes() == PNG
    assert "![A line.](<picture-1.png>)" in (place / "message.md").read_text("utf-8")
    assert "*Another.*" in (place / "message.md").read_text("utf-8")
    kept = from_payload(json.loads((place / "message.json").read_text("utf-8")))
    assert [picture.path for picture in kept.pictures] == ["picture-1.png", ""]
    assert str(tmp_path) not in "".join(p.read_text("utf-8") for p in place.glob("message.*"))


def test_only_pictures_are_copied(folder: Folder, tmp_path: Path) -> None:
    other = tmp_path / "daywatch.yaml"
    other.write_text("token: x")
    place = Path(folder.send(message(blocks=(Picture(str(other), "No picture."),))))
    assert not list(place.glob("*.png"))
    assert "token" not in (place / "message.txt").read_text()


def test_the_same_alert_is_written_once_and_found(folder: Folder) -> None:
    assert folder.find("a1") is None
    first = folder.send(message())
    assert folder.send(message()) == first
    assert folder.find("a1") == first
    assert folder.find("a2") is None
    assert folder.find("") is None
    assert len(names(folder)) == 1


def test_another_alert_of_the_same_name_gets_a_number(folder: Folder) -> None:
    paths = [folder.send(message(alert)) for alert in ("a1", "a2", "a3", "a2")]
    assert [Path(path).name.rsplit("INC-17", 1)[1] for path in paths] == ["", "_2", "_3", "_2"]
    assert folder.find("a3") == paths[2]


def test_a_message_without_id_is_known_by_what_it_says(folder: Folder) -> None:
    first = folder.send(message(""))
    assert folder.send(message("")) == first
    assert folder.send(message("", title="other")) != first


@pytest.mark.parametrize(
    ("partition", "table", "incident"),
    [
        ("2013-02-08T05:00+01:00", "main.s/x.t", "INC-1"),
        ("../../etc", "..", "."),
        ("", "", ""),
        ("x" * 500, "北京.表", "INC-1"),
        ("CON\x00", "a\nb", "c:d"),
    ],
)
def test_names_stay_in_the_folder(folder: Folder, partition: str, table: str, incident: str) -> None:
    place = Path(folder.send(message(partition=partition, table=table, incident=incident)))
    assert place.parent == folder.path
    assert not place.name.startswith(".")
    assert len(place.name) <= 160
    assert place.name.isascii()


def test_a_failed_writing_leaves_nothing_behind(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(DeliveryError, match="No space left on device") as caught:
        folder.send(message())
    assert caught.value.retryable
    assert names(folder) == []


def test_a_file_in_the_way_is_a_delivery_error(tmp_path: Path) -> None:
    (tmp_path / "alerts").write_text("")
    with pytest.raises(DeliveryError, match="cannot write"):
        Folder("folder", "alerts", {}, tmp_path).send(message())


def test_a_folder_that_somebody_else_filled_is_left_alone(folder: Folder) -> None:
    other = folder.path / "2013-02-09_main.flights_INC-17"
    other.mkdir(parents=True)
    (other / "notes.txt").write_text("mine")
    place = Path(folder.send(message()))
    assert place.name.endswith("_2")
    assert [p.name for p in other.iterdir()] == ["notes.txt"]


def test_surrogates_in_texts_are_written(folder: Folder) -> None:
    place = Path(folder.send(replace(message(), title="half \ud83d sign")))
    assert (place / "message.txt").is_file()
