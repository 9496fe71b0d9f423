"""A transcript: everything that was said, in order, without what repeats itself, and never without an end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from multifd.qemu.transcript import Transcript


def saved(transcript: Transcript, directory: Path, *events: dict[str, Any]) -> dict[str, Any]:
    transcript.save(directory, "source", events, exit_status=None, stderr="words\n")
    content: dict[str, Any] = json.loads((directory / "source.words.json").read_text(encoding="utf-8"))
    return content


def poll(transcript: Transcript, status: str, transferred: int) -> None:
    transcript.add("query-migrate", {}, {"return": {"status": status, "ram": {"transferred": transferred}}})


def test_a_command_stands_with_its_arguments_and_its_answer(tmp_path: Path) -> None:
    transcript = Transcript()
    transcript.add("migrate", {"uri": "unix:/there"}, {"error": "no such file"})

    (entry,) = saved(transcript, tmp_path)["qmp"]

    assert entry.pop("at") > 0
    assert entry == {"execute": "migrate", "arguments": {"uri": "unix:/there"}, "error": "no such file"}


def test_of_polls_with_one_status_the_first_and_the_last_stay(tmp_path: Path) -> None:
    transcript = Transcript()
    for transferred in range(5):
        poll(transcript, "active", transferred)
    poll(transcript, "completed", 9)

    said = saved(transcript, tmp_path)["qmp"]

    assert [entry["return"]["ram"]["transferred"] for entry in said] == [0, 4, 9]


def test_polls_that_are_not_answered_are_folded_too(tmp_path: Path) -> None:
    transcript = Transcript()
    for _ in range(4):
        transcript.add("query-migrate", {}, {})

    assert len(saved(transcript, tmp_path)["qmp"]) == 2


def test_events_stand_where_they_happened(tmp_path: Path) -> None:
    transcript = Transcript()
    transcript.add("migrate", {}, {"return": {}})
    early = {"event": "RESUME", "timestamp": {"seconds": 1, "microseconds": 500_000}}

    said = saved(transcript, tmp_path, early)["qmp"]

    assert [entry.get("event") or entry["execute"] for entry in said] == ["RESUME", "migrate"]
    assert said[0]["at"] == 1.5


def test_of_very_much_the_beginning_and_the_end_stay(tmp_path: Path) -> None:
    transcript = Transcript()
    for number in range(1000):
        transcript.add("stop", {"number": number}, {"return": {}})

    content = saved(transcript, tmp_path)

    numbers = [entry["arguments"]["number"] for entry in content["qmp"]]
    assert (numbers[0], numbers[63], numbers[-1]) == (0, 63, 999)
    assert len(numbers) + content["left_out"] == 1000


def test_a_second_qemu_of_the_name_does_not_hide_the_first(tmp_path: Path) -> None:
    for _ in range(3):
        Transcript().save(tmp_path, "source", ())

    assert {path.name for path in tmp_path.iterdir()} == {
        "source.words.json", "source-2.words.json", "source-3.words.json"
    }  # fmt: skip
