"""What was said to a QEMU and by it: its command line, every QMP command with its answer, every event, the end of its
standard error.

A bug report is written from it. Polls are folded: of answers to ``query-migrate`` with one status in a row the first
and the last are kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

SUFFIX: Final = ".words.json"
_POLL: Final = "query-migrate"
_FIRST: Final = 64
"""Entries of the beginning that are kept whatever follows."""
_LAST: Final = 256
"""Entries of the end that are kept."""


class Transcript:
    """One QEMU's; of more than :data:`_FIRST` + :data:`_LAST` entries the first and the last are kept."""

    def __init__(self) -> None:
        self._entries: list[dict[str, Any]] = []
        self._left_out = 0

    def add(self, command: str, arguments: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """A command and what came of it: ``return`` or ``error``, or nothing from one that did not answer."""
        given = {"arguments": dict(arguments)} if arguments else {}
        self._entries.append({"at": time.time(), "execute": command, **given, **answer})
        if _is_repeated(self._entries[-3:]):
            del self._entries[-2]
        if len(self._entries) > _FIRST + _LAST:
            del self._entries[_FIRST]
            self._left_out += 1

    def save(self, directory: Path, name: str, events: Iterable[Mapping[str, Any]], **further: Any) -> None:
        """Write it to ``directory`` as ``NAME.words.json``, numbered where an earlier QEMU had the name.

        Raises OSError where it cannot be written.
        """
        told = sorted([*self._entries, *map(_timed, events)], key=lambda entry: entry["at"])
        content = {"name": name, **further, "left_out": self._left_out, "qmp": told}
        taken = len(list(directory.glob(f"{name}*{SUFFIX}")))
        path = directory / f"{name}{f'-{taken + 1}' if taken else ''}{SUFFIX}"
        path.write_text(json.dumps(content, indent=1, default=str), encoding="utf-8")


def _is_repeated(entries: Sequence[Mapping[str, Any]]) -> bool:
    """The last three are polls with one status: the one between says nothing."""
    polls = [entry.get("return") for entry in entries if entry["execute"] == _POLL]
    return len(polls) == 3 and len({answer.get("status") if answer else None for answer in polls}) == 1


def _timed(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event with its time as entries have it (QMP specification, "Asynchronous events")."""
    stamp = event["timestamp"]
    named = {key: value for key, value in event.items() if key != "timestamp"}
    return {"at": stamp["seconds"] + stamp["microseconds"] / 1_000_000, **named}
