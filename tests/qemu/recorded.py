"""What real QEMUs said of themselves (``answers/``, made by :mod:`tests.qemu.record`), and peers that say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from multifd.lineup.peers import QemuPeer
from multifd.qemu.arch import Q35
from multifd.qemu.binary import Binary
from multifd.qemu.defaults import Defaults
from multifd.qemu.facts import Facts, read

VERSIONS: Final = ("7.2", "10.0", "11.1")
_ANSWERS: Final = Path(__file__).with_name("answers")


def answers(version: str) -> dict[str, Any]:
    """The extracts of ``version``, ``schema`` and ``machines``, and ``defaults``."""
    content: dict[str, Any] = json.loads((_ANSWERS / f"qemu-{version}.json").read_text(encoding="utf-8"))
    return content


def facts(version: str) -> Facts:
    """What is read from them."""
    said = answers(version)
    return read(said["version"], said["schema"], said["machines"])


def defaults(version: str) -> dict[str, Defaults]:
    """What its machine types run with if nobody sets anything."""
    return {machine: Defaults(**told) for machine, told in answers(version)["defaults"].items()}


def peer(version: str, *more_methods: str, name: str | None = None) -> QemuPeer:
    """A QEMU of that version that nobody can start, built with more methods than Debian's."""
    said = facts(version)
    newer = tuple(machine.replace("i440fx", Q35) for machine in said.machines)
    said = said.model_copy(update={"methods": (*said.methods, *more_methods), "others": {Q35: newer}})
    binary = Binary(command=("/nowhere/qemu-system-x86_64",))
    return QemuPeer(
        name=name or f"qemu-{said.release}", binary=binary, facts=said, machines={}, defaults=defaults(version)
    )
